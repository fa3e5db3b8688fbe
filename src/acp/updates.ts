/** `session/update`s as they came, with their texts, so that they can travel on without being written anew. */
import { isRecord } from "../base/json.ts";

/** Params of `session/update` as far as the sidecar reads them. */
export interface UpdateParams {
  readonly sessionId: string;
  readonly update: { readonly sessionUpdate: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

export function isUpdateParams(params: unknown): params is UpdateParams {
  return (
    isRecord(params) &&
    typeof params.sessionId === "string" &&
    isRecord(params.update) &&
    typeof params.update.sessionUpdate === "string"
  );
}

/** One update. */
export interface UpdateMessage {
  readonly type: "update";
  readonly sessionId: string;
  /** On one line. */
  readonly text: string;
  readonly params: UpdateParams;
  /** The message has the three usual fields and no other. */
  readonly usual: boolean;
}

/** An update that did not come as a text. */
export function updateMessage(params: UpdateParams): UpdateMessage {
  const text = JSON.stringify({ jsonrpc: "2.0", method: "session/update", params });
  return { type: "update", sessionId: params.sessionId, text, params, usual: true };
}

/** What the chunks of one message have in common: all but their text. */
export interface ChunkShape {
  readonly sessionId: string;
  readonly sessionUpdate: string;
  readonly messageId: string | undefined;
  /** The text of such a message up to the first character of what the chunk says, and behind its last. */
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
}

export type ArrivedUpdate = UpdateMessage | ChunkRun;

/** Adds what came next; chunks of the same shape go on with the run. */
export function addUpdate(updates: ArrivedUpdate[], next: ArrivedUpdate): void {
  const last = updates.at(-1);
  if (next.type === "chunks" && last?.type === "chunks" && last.shape === next.shape) {
    for (const body of next.bodies) last.bodies.push(body);
  } else {
    updates.push(next);
  }
}

/** How many messages they are. */
export function countOf(updates: readonly ArrivedUpdate[]): number {
  return updates.reduce((count, update) => count + (update.type === "chunks" ? update.bodies.length : 1), 0);
}

/** The text of an update, or of the messages of a run, each on a line. */
export function textOfUpdate(update: ArrivedUpdate): string {
  if (update.type === "update") return update.text;
  return linesOf(update.shape.head, update.bodies, update.shape.tail);
}

export function linesOf(head: string, bodies: readonly string[], tail: string): string {
  return `${head}${bodies.join(`${tail}\n${head}`)}${tail}`;
}

/** The params of every single message. */
export function* paramsOf(updates: readonly ArrivedUpdate[]): Generator<UpdateParams> {
  for (const update of updates) {
    if (update.type === "update") yield update.params;
    else
      for (const line of textOfUpdate(update).split("\n"))
        yield (JSON.parse(line) as { params: UpdateParams }).params;
  }
}
