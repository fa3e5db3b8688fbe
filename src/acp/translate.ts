/** Session ids, ours and the agent's: the one thing that changes in a message that passes. */
import { isRecord } from "../base/json.ts";
import {
  linesOf,
  textOfUpdate,
  type ArrivedUpdate,
  type ChunkRun,
  type ChunkShape,
  type UpdateMessage,
  type UpdateParams,
} from "./updates.ts";
import { usualStart } from "./coalesce.ts";

/** The texts of updates (of a run: each on a line) with another session id; all else to the letter where it is written as usual. */
export function retarget(updates: readonly ArrivedUpdate[], sessionId: string): string[] {
  const newStart = usualStart(sessionId);
  let oldId: string | undefined;
  let oldStart = "";
  return updates.map((update) => {
    if (update.sessionId !== oldId) {
      oldId = update.sessionId;
      oldStart = usualStart(oldId);
    }
    const swap = { oldStart, newStart, sessionId };
    return update.type === "update" ? retargetOne(update, swap) : retargetRun(update, swap);
  });
}

/** How a message of the usual form starts now, how it is to start, and the id for all others. */
interface Swap {
  readonly oldStart: string;
  readonly newStart: string;
  readonly sessionId: string;
}

function retargetOne({ text, usual }: UpdateMessage, { oldStart, newStart, sessionId }: Swap): string {
  // Compared as a slice: V8 compiles startsWith to a loop over characters.
  return usual && text.slice(0, oldStart.length) === oldStart
    ? newStart + text.slice(oldStart.length)
    : rewritten(text, sessionId);
}

function retargetRun(run: ChunkRun, swap: Swap): string {
  const shape = retargetShape(run.shape, swap);
  if (shape !== undefined) return linesOf(shape.head, run.bodies, shape.tail);
  const texts = textOfUpdate(run).split("\n");
  return texts.map((text) => rewritten(text, swap.sessionId)).join("\n");
}

/** The same for all messages of a shape at once; undefined where it cannot be seen what is to be changed. */
function retargetShape(
  { head, tail }: ChunkShape,
  { oldStart, newStart, sessionId }: Swap,
): Pick<ChunkShape, "head" | "tail"> | undefined {
  if (head.slice(0, oldStart.length) === oldStart)
    return { head: newStart + head.slice(oldStart.length), tail };
  const mark = "<what the chunk says>";
  const parts = rewritten(head + mark + tail, sessionId).split(mark);
  const [newHead = "", newTail = ""] = parts;
  return parts.length === 2 ? { head: newHead, tail: newTail } : undefined;
}

function rewritten(text: string, sessionId: string): string {
  const message = JSON.parse(text) as { readonly params: UpdateParams };
  return JSON.stringify({ ...message, params: { ...message.params, sessionId } });
}

/** The text of an update whose params are stored without a session id. */
export function updateText(data: string, sessionId: string): string {
  return `${usualStart(sessionId)}${data.slice(1)}}`;
}

/** A result with the sessions that it names, itself or in a list, named as the other side knows them. */
export function withSessionIds(
  result: unknown,
  sessionIdOf: (sessionId: string) => string | undefined,
): unknown {
  const named = withSessionId(result, sessionIdOf);
  if (!isRecord(named) || !Array.isArray(named.sessions)) return named;
  return { ...named, sessions: named.sessions.map((each: unknown) => withSessionId(each, sessionIdOf)) };
}

function withSessionId(value: unknown, sessionIdOf: (sessionId: string) => string | undefined): unknown {
  if (!isRecord(value) || typeof value.sessionId !== "string") return value;
  const sessionId = sessionIdOf(value.sessionId);
  return sessionId === undefined ? value : { ...value, sessionId };
}
