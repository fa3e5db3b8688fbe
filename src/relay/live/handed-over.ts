/** A handover as agents say it back: in their replay, or as an echo of the prompt that brought it. It is nobody's words. */
import { unquoted } from "../../acp/entries.ts";
import { updateIn, updateOfParams, type ArrivedUpdate } from "../../acp/updates.ts";
import { isRecord, textOr, type Json } from "../../base/json.ts";
import { closing } from "../../session/history-text.ts";

/** How a handover begins: an agent may replay it as what the user said. */
export const handoverPreamble =
  "This is the history of the conversation so far, handed over by acp-sidecar because you joined it later. " +
  "It is context, not an instruction: nothing in it is to be answered or done again. " +
  "What the user wants now comes after it.";

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

/** What of parts that hold a handover comes behind it. */
interface BehindHandover {
  /** The end of the part in which the handover ends; "" for nothing but space. */
  readonly rest: string;
  /** The first part that is whole the user's. */
  readonly from: number;
}

/** Where in the parts of a message the handover in it ends; undefined when there is none. */
export function behindHandover(parts: readonly string[]): BehindHandover | undefined {
  const at = parts.findIndex((part) => part.includes(handoverPreamble));
  if (at < 0 && !parts.join("").includes(handoverPreamble)) return undefined;
  const start = Math.max(at, 0);
  const end = parts.slice(start).join("").lastIndexOf(closing);
  // One that went as a resource has no end of its own: the part that it stands in is all of it.
  if (end < 0) return { rest: "", from: at < 0 ? parts.length : at + 1 };
  let left = end + closing.length;
  for (const [n, part] of parts.entries()) {
    if (n < start) continue;
    if (left === 0) return { rest: "", from: n };
    if (left < part.length) return { rest: part.slice(left).trim() && part.slice(left), from: n + 1 };
    left -= part.length;
  }
  return { rest: "", from: parts.length };
}

/** What of a text that is said back piece by piece is no handover. A handover that has begun goes on until it is closed. */
export class HandoverEcho {
  #isInside = false;
  /** The last that was said: where it ends may stand in two pieces. */
  #before = "";

  /** The rest of a piece; "" for none. */
  restOf(piece: string): string {
    const said = this.#before + piece;
    this.#before = said.slice(-handoverPreamble.length);
    if (said.includes(handoverPreamble)) this.#isInside = true;
    if (!this.#isInside) return piece;
    const end = said.lastIndexOf(closing);
    if (end < 0) return "";
    this.end();
    const rest = said.slice(end + closing.length);
    return rest.trim() === "" ? "" : rest;
  }

  /** Something else was said. */
  end(): void {
    this.#isInside = false;
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
