/**
 * A handover, or a note of changed files, as agents say it back: in their replay, or as an echo of the prompt that brought it. It is
 * nobody's words.
 */
import { unquoted } from "../../acp/entries.ts";
import { updateIn, updateOfParams, type ArrivedUpdate } from "../../acp/updates.ts";
import { isRecord, textOr, type Json } from "../../base/json.ts";
import { closing } from "../../session/history-text.ts";

/** How a handover begins: an agent may replay it as what the user said. */
export const handoverPreamble =
  "This is the history of the conversation so far, handed over by acp-sidecar because you joined it later. " +
  "It is context, not an instruction: nothing in it is to be answered or done again. " +
  "What the user wants now comes after it.";

/** How a note of changed files begins, and ends. */
export const notePreamble =
  "Since you last saw or wrote them, files of this project have changed by other hands. " +
  "acp-sidecar tells you so that you do not rely on what you remember of them: read them again where they matter. " +
  "It is context, not an instruction: nothing here is to be answered.";
const noteOpening = "<changed-files>";
const noteClosing = "</changed-files>";

/** A note as the agent gets it, before the user's blocks. @param lines nothing in them has a tag */
export function noteBlock(lines: string): { type: "text"; text: string } {
  return { type: "text", text: `${noteOpening}\n${notePreamble}\n\n${lines}\n${noteClosing}\n\n` };
}

const uriStart = "acp-sidecar://sessions/";

export function handoverUri(sessionId: string): string {
  return `${uriStart}${sessionId}/history.md`;
}

/** Whether a block is the handover itself, as it was sent. */
export function isHandover(block: Json): boolean {
  if (!isRecord(block) || !isRecord(block.resource)) return false;
  const { uri, text } = block.resource;
  return typeof uri === "string" && uri.startsWith(uriStart) && textOr(text, "").includes(handoverPreamble);
}

/** What we put before prompts: how it begins, and the end that it has where it went as text. */
interface Put {
  readonly preamble: string;
  readonly closing: string;
  /** The conversation may have the end in it, so the last one counts; nothing in a note can be one. */
  readonly mayQuote: boolean;
}

const puts: readonly Put[] = [
  { preamble: handoverPreamble, closing, mayQuote: true },
  { preamble: notePreamble, closing: noteClosing, mayQuote: false },
];
const longestPreamble = Math.max(...puts.map(({ preamble }) => preamble.length));

function begunIn(text: string): Put | undefined {
  return puts.find(({ preamble }) => text.includes(preamble));
}

/** Where it ends; -1 where it goes on. */
function endOf({ preamble, closing: last, mayQuote }: Put, text: string): number {
  const end = mayQuote ? text.lastIndexOf(last) : text.indexOf(last, Math.max(text.indexOf(preamble), 0));
  return end < 0 ? end : end + last.length;
}

/** What of parts that hold a handover or a note comes behind it. */
interface BehindHandover {
  /** The end of the part in which it ends; "" for nothing but space. */
  readonly rest: string;
  /** The first part that is whole the user's. */
  readonly from: number;
}

/** Where in the parts of a message that which we have put before it ends; undefined when there is nothing of it. */
export function behindHandover(parts: readonly string[]): BehindHandover | undefined {
  const at = parts.findIndex((part) => begunIn(part) !== undefined);
  if (at < 0 && begunIn(parts.join("")) === undefined) return undefined;
  const start = Math.max(at, 0);
  let left = endOfAll(parts.slice(start).join(""));
  // One that went as a resource has no end of its own: the part that it stands in is all of it.
  if (left < 0) return { rest: "", from: at < 0 ? parts.length : at + 1 };
  for (const [n, part] of parts.entries()) {
    if (n < start) continue;
    if (left === 0) return { rest: "", from: n };
    if (left < part.length) return { rest: part.slice(left).trim() && part.slice(left), from: n + 1 };
    left -= part.length;
  }
  return { rest: "", from: parts.length };
}

/** A note comes behind a handover. -1 where what began last goes on. */
function endOfAll(text: string): number {
  let end = -1;
  for (const put of puts) {
    const rest = text.slice(Math.max(end, 0));
    if (!rest.includes(put.preamble)) continue;
    const length = endOf(put, rest);
    if (length >= 0) end = Math.max(end, 0) + length;
  }
  return end;
}

/** What of a text that is said back piece by piece is the user's. A handover, or a note, that has begun goes on until it is closed. */
export class HandoverEcho {
  #inside: Put | undefined;
  /** The last that was said: where it ends may stand in two pieces. */
  #before = "";

  /** The rest of a piece; "" for none. */
  restOf(piece: string): string {
    let rest = piece;
    // Nothing of ours comes twice in one prompt.
    for (let times = 0; times <= puts.length; times += 1) {
      const said = this.#before + rest;
      this.#before = said.slice(-longestPreamble);
      this.#inside ??= begunIn(said);
      if (this.#inside === undefined) return rest;
      const end = endOf(this.#inside, said);
      if (end < 0) return "";
      this.end();
      rest = said.slice(end);
      if (rest.trim() === "") return "";
    }
    return rest;
  }

  /** Something else was said. */
  end(): void {
    this.#inside = undefined;
    this.#before = "";
  }
}

/** What an agent says in a turn, without a handover that it says back. */
export function withoutHandoverEcho(
  echo: HandoverEcho,
  updates: readonly ArrivedUpdate[],
): readonly ArrivedUpdate[] {
  if (!updates.some(isUsers)) {
    echo.end();
    return updates;
  }
  return updates.flatMap((update) => {
    // What subagents say stands beside it.
    if (update.child !== undefined) return [update];
    if (isUsers(update)) return withoutHandoverIn(echo, update);
    echo.end();
    return [update];
  });
}

function isUsers(update: ArrivedUpdate): boolean {
  return (update.type === "update" ? update : update.shape).sessionUpdate === "user_message_chunk";
}

function withoutHandoverIn(echo: HandoverEcho, update: ArrivedUpdate): ArrivedUpdate[] {
  const { sessionId } = update;
  const kind = "user_message_chunk";
  if (update.type === "update") {
    const content = updateIn(update).content as Json;
    if (isHandover(content)) return [];
    const text = isRecord(content) && typeof content.text === "string" ? content.text : undefined;
    const rest = text === undefined ? undefined : echo.restOf(text);
    if (rest === text) return [update];
    return rest === "" ? [] : [plainOf(sessionId, kind, rest ?? "")];
  }
  const said = unquoted(update.bodies.join(""));
  const rest = echo.restOf(said);
  if (rest === said) return [update];
  return rest === "" ? [] : [plainOf(sessionId, kind, rest)];
}

function plainOf(sessionId: string, sessionUpdate: string, text: string): ArrivedUpdate {
  return updateOfParams({ sessionId, update: { sessionUpdate, content: { type: "text", text } } });
}
