/** What a power cut leaves of a promise: the part of a history that the disk must still know about. */
import type { Durability } from "../../../src/config/config.ts";
import { isRecord } from "../../../src/base/json.ts";
import { idKey, type HistoryEvent } from "../checker/history.ts";

type Told = Extract<HistoryEvent, { kind: "told" }>;

/**
 * `full`: everything that a client was sent. `turn`: of a session what came before the answer of one of its
 * turns, and its deletion. `none`: nothing. What is not promised may be there all the same, and then by the rules.
 */
export function promised(history: readonly HistoryEvent[], durability: Durability): HistoryEvent[] {
  if (durability === "full") return [...history];
  const asked = new Map<string, { readonly method: string; readonly sessionId: unknown }>();
  /** By session, the place of the last answer that makes all before it safe. */
  const settled = new Map<unknown, number>();
  const born: string[] = [];
  const isKept: boolean[] = history.map((event, at) => {
    if (event.kind === "asked") {
      const { id, method = "", params } = event.message;
      asked.set(idKey(event.client, id), { method, sessionId: params?.["sessionId"] });
    }
    if (event.kind !== "told" || event.message.method !== undefined) return true;
    const { method, sessionId } = asked.get(idKey(event.client, event.message.id)) ?? {};
    const newId = method === "session/new" || method === "session/fork" ? bornIn(event) : undefined;
    if (newId !== undefined) born.push(newId);
    if (durability === "none") return newId !== undefined;
    if (method === "session/prompt" && event.message.error === undefined) settled.set(sessionId, at);
    return true;
  });
  const kept = history.filter((event, at) => {
    if (event.kind !== "told" || event.message.method === undefined) return isKept[at] === true;
    return at < (settled.get(event.message.params?.["sessionId"]) ?? -1);
  });
  const unsure = born.filter((sessionId) => !settled.has(sessionId));
  return [...kept, ...unsure.map((sessionId) => ({ kind: "unsure", sessionId }) as const)];
}

function bornIn({ message: { result } }: Told): string | undefined {
  return isRecord(result) && typeof result["sessionId"] === "string" ? result["sessionId"] : undefined;
}

/**
 * What the next life starts with: sessions that are gone, and might be, are not asked for again; what is there
 * now is on the disk for good.
 */
export function inherited(history: readonly HistoryEvent[], gone: Iterable<string>): HistoryEvent[] {
  const deletions = [...gone].map((sessionId): HistoryEvent => {
    const message = { id: sessionId, method: "session/delete", params: { sessionId } };
    return { kind: "asked", client: "nobody0", message };
  });
  return [...history.filter(({ kind }) => kind !== "unsure"), ...deletions];
}

/**
 * What had happened when the sidecar had sent `sentBytes`: whole messages within them, and what the client
 * asked before it was sent the first one beyond. `sizes` are those of the messages told, in order.
 */
export function historyAt(
  history: readonly HistoryEvent[],
  sizes: readonly number[],
  sentBytes: number,
): readonly HistoryEvent[] {
  let told = 0;
  let bytes = 0;
  const end = history.findIndex((event) => {
    if (event.kind !== "told") return false;
    bytes += sizes[told] ?? 0;
    told += 1;
    return bytes > sentBytes;
  });
  return end < 0 ? history : history.slice(0, end);
}
