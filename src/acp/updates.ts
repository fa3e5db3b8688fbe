/**
 * `session/update`s on their way from the agent to the journal and the clients: to the letter, except for the session
 * id. Nothing is parsed for that or written anew, so neither depth nor numbers matter.
 */
import { membersOf, objectText } from "../base/json-text.ts";
import { isRecord } from "../base/json.ts";
import { chainMember } from "./chain-link.ts";
import { childIn, childMark } from "./child-mark.ts";
import { means, type UpdateData } from "./kinds.ts";
import { lastHeardMark } from "./last-heard.ts";

/** Params of `session/update` as far as the sidecar reads them. */
export interface UpdateParams extends UpdateData {
  readonly sessionId: string;
}

/** One update. */
export interface UpdateMessage {
  readonly type: "update";
  readonly sessionId: string;
  /** Our id of the subagent's session whose it is. */
  readonly child?: string;
  readonly sessionUpdate: string;
  /** What comes after the session id, to the end of the message: the members of the params come first. */
  readonly rest: string;
  /** So much of it belongs to the params, their closing brace included. */
  readonly paramsChars: number;
}

/** What the chunks of one message have in common: all but their text. */
export interface ChunkShape {
  readonly sessionId: string;
  readonly sessionUpdate: string;
  /** As JSON: a string or null; undefined if there is none. */
  readonly messageId: string | undefined;
  /** The members of the params up to the first character of what the chunk says; then all after its last. */
  readonly head: string;
  readonly tail: string;
}

/** Plain text chunks of one shape that came one after the other: nearly all that an agent sends. */
export interface ChunkRun {
  readonly type: "chunks";
  readonly sessionId: string;
  readonly child?: string;
  readonly shape: ChunkShape;
  /** What each chunk says, as JSON has it between quotes. At least one. */
  readonly bodies: string[];
  /** How much all of them say. */
  chars: number;
}

export type ArrivedUpdate = UpdateMessage | ChunkRun;

/** A run that has this much goes on as another: nobody is to hold a text of unbounded length. */
export const maxRunChars = 1 << 20;

export function isUpdateParams(params: unknown): params is UpdateParams {
  return (
    isRecord(params) &&
    typeof params.sessionId === "string" &&
    isRecord(params.update) &&
    typeof params.update.sessionUpdate === "string"
  );
}

/**
 * An update as it came.
 * @param text a message, on one line
 * @param fields how many the message has
 */
export function updateOfText(
  text: string,
  { sessionId, update }: UpdateParams,
  fields: number,
): UpdateMessage {
  const { sessionUpdate } = update;
  if (fields === 3 && isUsual(text, sessionId)) {
    const rest = text.slice(usualHead.length + sessionId.length + 2);
    return { type: "update", sessionId, sessionUpdate, rest, paramsChars: rest.length - 1 };
  }
  const message = membersOf(text);
  const params = membersOf(message.get("params") ?? "{}");
  for (const name of ["jsonrpc", "method", "params"]) message.delete(name);
  for (const name of ["sessionId", ...ourMembers]) params.delete(name);
  const members = objectText(params).slice(1);
  const others = message.size === 0 ? "}" : `,${objectText(message).slice(1)}`;
  return { type: "update", sessionId, sessionUpdate, rest: members + others, paramsChars: members.length };
}

/** How most agents write an update, up to the session id. */
const usualHead = '{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"';
/** What the journal says of an entry beside what it holds. An agent cannot: what it says there is not kept. */
const ourMembers = [childMark, lastHeardMark, chainMember] as const;
/**
 * Neither params nor session id may be named again, nor anything that is ours be said, nor anything be written so that it
 * could be one of those names.
 */
const namedAgain = /"params"|"sessionId"|"acp-sidecar\.|\\u/g;

/**
 * Whether the text of a message with three fields is written as usual: the session id first, as it is, then the other
 * members of the params, and two braces. JSON may name a member twice, and the last one counts.
 */
function isUsual(text: string, sessionId: string): boolean {
  const idEnd = usualHead.length + sessionId.length;
  // Compared as slices: V8 compiles startsWith to a loop over characters.
  if (text.slice(0, usualHead.length) !== usualHead || text.slice(usualHead.length, idEnd) !== sessionId)
    return false;
  if (text.slice(idEnd, idEnd + 2) !== '",' || text.slice(-2) !== "}}") return false;
  namedAgain.lastIndex = idEnd + 1;
  return !namedAgain.test(text);
}

/** An update that did not come as a text. */
export function updateOfParams({ sessionId, ...said }: UpdateParams): UpdateMessage {
  const others: UpdateData = ourMembers.some((name) => name in said) ? withoutOurs(said) : said;
  const { sessionUpdate } = others.update;
  const rest = `${JSON.stringify(others).slice(1)}}`;
  return { type: "update", sessionId, sessionUpdate, rest, paramsChars: rest.length - 1 };
}

function withoutOurs({ update, ...said }: UpdateData): UpdateData {
  const others = Object.entries(said).filter(([name]) => !(ourMembers as readonly string[]).includes(name));
  return { update, ...Object.fromEntries(others) };
}

/**
 * What stands for an update that is too long to be taken: without it a tool call would never end, and what the agent said
 * would be missing without a word.
 */
export function standInFor(
  { method, params }: Readonly<Record<string, unknown>>,
  reason: string,
): UpdateMessage | undefined {
  if (method !== "session/update" || !isUpdateParams(params)) return undefined;
  const { sessionId, update } = params;
  const { sessionUpdate, toolCallId, title, messageId } = update;
  if (means(sessionUpdate, "chunk")) {
    const content = { type: "text", text: `[${reason}]` };
    const id = typeof messageId === "string" ? { messageId } : {};
    return updateOfParams({ sessionId, update: { sessionUpdate, content, ...id } });
  }
  if (!means(sessionUpdate, "toolCall") || typeof toolCallId !== "string") return undefined;
  const content = [{ type: "content", content: { type: "text", text: reason } }];
  const named = typeof title === "string" ? { title } : {};
  return updateOfParams({
    sessionId,
    update: { sessionUpdate, toolCallId, ...named, status: "failed", content },
  });
}

/** Adds what came next; chunks of the same shape go on with the run. */
export function addUpdate(updates: ArrivedUpdate[], next: ArrivedUpdate): void {
  const last = updates.at(-1);
  if (
    next.type === "update" ||
    last?.type !== "chunks" ||
    last.shape !== next.shape ||
    last.chars > maxRunChars
  ) {
    updates.push(next);
    return;
  }
  for (const body of next.bodies) last.bodies.push(body);
  last.chars += next.chars;
}

/** How much they hold, roughly: what a backlog of them is bounded by. */
export function charsOf(update: ArrivedUpdate): number {
  if (update.type === "update") return update.rest.length;
  const { shape, bodies, chars } = update;
  return chars + bodies.length * (shape.head.length + shape.tail.length);
}

/** The texts of updates (of a run: each on a line) for whoever knows the session by this id. */
export function textsOf(updates: readonly ArrivedUpdate[], sessionId: string): string[] {
  const start = startOf(sessionId);
  return updates.map((update) =>
    textFrom(update.child === undefined ? start : startOf(update.child), update),
  );
}

/** The text of an update as it came. */
export function textOfUpdate(update: ArrivedUpdate): string {
  return textFrom(startOf(update.sessionId), update);
}

/** The texts of updates of the journal. */
export function storedTexts(data: readonly string[], sessionId: string): string[] {
  const start = startOf(sessionId);
  return data.map((each) => {
    const own = childIn(each);
    // A child's id is as it stands in the text.
    return inOneLine(
      own === undefined ? `${start}${each.slice(1)}}` : `${usualHead}${own.child}",${own.data.slice(1)}}`,
    );
  });
}

/**
 * A line is a message. In JSON a line's end only stands between things, and says nothing; but what was written by other
 * hands could have a message of its own on a line of its own, which the client would take for the agent's.
 */
function inOneLine(text: string): string {
  return text.includes("\n") || text.includes("\r") ? text.replace(/[\n\r]/g, " ") : text;
}

function textFrom(start: string, update: ArrivedUpdate): string {
  if (update.type === "update") return start + update.rest;
  const { head, tail } = update.shape;
  return `${start}${head}${update.bodies.join(`${tail}\n${start}${head}`)}${tail}`;
}

/** What stands before the rest of an update. */
function startOf(sessionId: string): string {
  return `${usualHead}${JSON.stringify(sessionId).slice(1)},`;
}

/** The params of every single message. */
export function* paramsOf(updates: readonly ArrivedUpdate[]): Generator<UpdateParams> {
  for (const update of updates)
    for (const text of textOfUpdate(update).split("\n"))
      yield (JSON.parse(text) as { params: UpdateParams }).params;
}

/** Whether it says what is now, and not what happened. */
export function isState(update: ArrivedUpdate): update is UpdateMessage {
  return update.type === "update" && means(update.sessionUpdate, "state");
}

/** The update itself, parsed. */
export function updateIn(update: UpdateMessage): UpdateData["update"] {
  return (JSON.parse(dataOf(update)) as UpdateData).update;
}

/** As the journal has it. */
export function dataOf({ rest, paramsChars }: UpdateMessage): string {
  return `{${rest.slice(0, paramsChars)}`;
}
