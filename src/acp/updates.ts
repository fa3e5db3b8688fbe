/**
 * `session/update`s on their way from the agent to the journal and the clients: to the letter, but for the session
 * id. Nothing is parsed for that or written anew, so neither depth nor numbers matter.
 */
import { membersOf, objectText } from "../base/json-text.ts";
import { isRecord } from "../base/json.ts";
import type { NewEntry } from "../store/contract.ts";
import { plainChunkData, type PlainChunk } from "./entries.ts";
import { stateUpdates, toolUpdates, type UpdateData } from "./kinds.ts";

/** Params of `session/update` as far as the sidecar reads them. */
export interface UpdateParams extends UpdateData {
  readonly sessionId: string;
}

/** One update. */
export interface UpdateMessage {
  readonly type: "update";
  readonly sessionId: string;
  readonly sessionUpdate: string;
  /** The members of the params behind the session id, as JSON has them between braces. */
  readonly members: string;
  /** What stands behind them: two braces, and whatever else the message holds. */
  readonly end: string;
}

/** What the chunks of one message have in common: all but their text. */
export interface ChunkShape {
  readonly sessionId: string;
  readonly sessionUpdate: string;
  /** As JSON: a string or null; undefined if there is none. */
  readonly messageId: string | undefined;
  /** The members of the params up to the first character of what the chunk says; then all behind its last. */
  readonly head: string;
  readonly tail: string;
}

/** Plain text chunks of one shape that came one after the other: nearly all that an agent sends. */
export interface ChunkRun {
  readonly type: "chunks";
  readonly sessionId: string;
  readonly shape: ChunkShape;
  /** What each chunk says, as JSON has it between quotes. At least one. */
  readonly bodies: string[];
  /** How much all of them say. */
  chars: number;
}

export type ArrivedUpdate = UpdateMessage | ChunkRun;

/** A run that has this much goes on as another: nobody is to hold a text of unbounded length. */
const maxRunChars = 1 << 20;

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
  const start = startOf(sessionId);
  const kind = { type: "update", sessionId, sessionUpdate } as const;
  if (fields === 3 && isUsual(text, start))
    return { ...kind, members: text.slice(start.length, -2), end: "}}" };
  const message = membersOf(text);
  const params = membersOf(message.get("params") ?? "{}");
  for (const name of ["jsonrpc", "method", "params"]) message.delete(name);
  params.delete("sessionId");
  const others = message.size === 0 ? "}" : `,${objectText(message).slice(1)}`;
  return { ...kind, members: objectText(params).slice(1, -1), end: `}${others}` };
}

/**
 * Whether the text of a message with three fields is `start`, the other members of the params, and two braces. JSON
 * may name a member twice, and the last one counts: so neither params nor session id may be named again, nor
 * anything be written so that it could be one of those names.
 */
function isUsual(text: string, start: string): boolean {
  // Compared as a slice: V8 compiles startsWith to a loop over characters.
  if (text.slice(0, start.length) !== start || text.slice(-2) !== "}}") return false;
  return ['"params"', '"sessionId"', "\\u"].every((name) => !text.includes(name, start.length));
}

/** An update that did not come as a text. */
export function updateOfParams({ sessionId, ...others }: UpdateParams): UpdateMessage {
  const { sessionUpdate } = others.update;
  return {
    type: "update",
    sessionId,
    sessionUpdate,
    members: JSON.stringify(others).slice(1, -1),
    end: "}}",
  };
}

/** What stands for the update of a tool call that is too long to be taken: without it the call would never end. */
export function failedCall(
  { method, params }: Readonly<Record<string, unknown>>,
  reason: string,
): UpdateMessage | undefined {
  if (method !== "session/update" || !isUpdateParams(params)) return undefined;
  const { sessionId, update } = params;
  const { sessionUpdate, toolCallId, title } = update;
  if (!toolUpdates.has(sessionUpdate) || typeof toolCallId !== "string") return undefined;
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

/** How many messages they are. */
export function countOf(updates: readonly ArrivedUpdate[]): number {
  return updates.reduce((count, update) => count + (update.type === "chunks" ? update.bodies.length : 1), 0);
}

/** How much they hold, roughly: what a backlog of them is bounded by. */
export function charsOf(update: ArrivedUpdate): number {
  if (update.type === "update") return update.members.length + update.end.length;
  const { shape, bodies, chars } = update;
  return chars + bodies.length * (shape.head.length + shape.tail.length);
}

/** The texts of updates (of a run: each on a line) for whoever knows the session by this id. */
export function textsOf(updates: readonly ArrivedUpdate[], sessionId: string): string[] {
  const start = startOf(sessionId);
  return updates.map((update) => textFrom(start, update));
}

/** The text of an update as it came. */
export function textOfUpdate(update: ArrivedUpdate): string {
  return textFrom(startOf(update.sessionId), update);
}

/** The text of an update of the journal. */
export function storedText(data: string, sessionId: string): string {
  return `${startOf(sessionId)}${data.slice(1)}}`;
}

function textFrom(start: string, update: ArrivedUpdate): string {
  if (update.type === "update") return `${start}${update.members}${update.end}`;
  const { head, tail } = update.shape;
  return `${start}${head}${update.bodies.join(`${tail}\n${start}${head}`)}${tail}`;
}

/** How most agents write an update; what follows is the rest of the params and two braces. */
function startOf(sessionId: string): string {
  return `{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":${JSON.stringify(sessionId)},`;
}

/** The params of every single message. */
export function* paramsOf(updates: readonly ArrivedUpdate[]): Generator<UpdateParams> {
  for (const update of updates)
    for (const text of textOfUpdate(update).split("\n"))
      yield (JSON.parse(text) as { params: UpdateParams }).params;
}

/** Whether it says what is now, and not what happened. */
export function isState(update: ArrivedUpdate): update is UpdateMessage {
  return update.type === "update" && stateUpdates.has(update.sessionUpdate);
}

/** The update itself, parsed. */
export function updateIn({ members }: UpdateMessage): UpdateData["update"] {
  return (JSON.parse(`{${members}}`) as UpdateData).update;
}

/** As few entries as may be: a run of text chunks of one message is one, everything else is kept to the letter. */
export function entriesOf(updates: readonly ArrivedUpdate[], atMs: number): NewEntry[] {
  const entries: NewEntry[] = [];
  let run: { -readonly [Part in keyof PlainChunk]: PlainChunk[Part] } | undefined;
  const endRun = () => {
    if (run !== undefined) entries.push({ kind: "update", atMs, data: plainChunkData(run) });
    run = undefined;
  };
  for (const update of updates) {
    if (update.type === "update") {
      endRun();
      entries.push({ kind: "update", atMs, data: `{${update.members}}` });
      continue;
    }
    const { shape, bodies } = update;
    const { sessionUpdate, messageId } = shape;
    const goesOn = run?.sessionUpdate === sessionUpdate && run.messageId === messageId;
    if (run === undefined || !goesOn || run.body.length > maxRunChars) {
      endRun();
      run = { sessionUpdate, messageId, body: "" };
    }
    run.body += bodies.join("");
  }
  endRun();
  return entries;
}
