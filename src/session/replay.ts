/**
 * Replaying a session for `session/load`: its entries as the params of session updates. Reads page by
 * page and holds no more than one page, however long the history.
 */
import { isRecord } from "../base/json.ts";
import type { SessionId } from "../base/ids.ts";
import type { Entry, NewEntry, Store } from "../store/contract.ts";
import { foldEntries } from "./fold.ts";
import { collect } from "./pages.ts";
import { liveOnlyUpdates, stateUpdates, updateKindOf } from "../acp/kinds.ts";

export interface ReplayRange {
  /** Folded already: streamed as it stands. */
  readonly sealedSeq: number;
  /** Beyond `sealedSeq`, of a turn that runs: folded on the way, bounded by the journal. */
  readonly headSeq: number;
}

/** By kind, the last value of what is state. */
export type ReplayedState = Map<string, string>;

/**
 * Yields JSON texts of update params without the session id, page by page: messages, tool calls and plans
 * in order. What is state is gathered in `state` instead, each kind once with its last value.
 */
export async function* replay(
  store: Pick<Store, "read">,
  id: SessionId,
  range: ReplayRange,
  state: ReplayedState,
): AsyncGenerator<string[]> {
  const { sealedSeq, headSeq } = range;
  if (sealedSeq > 0) {
    for await (const page of store.read(id, { through: sealedSeq })) yield textsOf(page, state);
  }
  if (headSeq > sealedSeq) {
    const running = await collect(store.read(id, { from: sealedSeq + 1, through: headSeq }));
    yield textsOf(foldEntries(running), state);
  }
}

function textsOf(entries: readonly (Entry | NewEntry)[], state: ReplayedState): string[] {
  const texts: string[] = [];
  for (const { kind, data } of entries) {
    if (kind === "update") addUpdate(data, texts, state);
    else if (kind === "prompt") texts.push(...promptTexts(data));
    else if (kind === "message") texts.push(...messageTexts(data));
  }
  return texts;
}

function addUpdate(data: string, texts: string[], state: ReplayedState): void {
  const kind = updateKindOf(data);
  if (!stateUpdates.has(kind)) {
    if (!liveOnlyUpdates.has(kind)) texts.push(data);
    return;
  }
  const before = state.get(kind);
  // In the order of their last values.
  state.delete(kind);
  state.set(kind, kind === "session_info_update" && before !== undefined ? mergeUpdates(before, data) : data);
}

/** `session_info_update` is a patch: what a later one leaves out stays. */
function mergeUpdates(before: string, after: string): string {
  const [old, now] = [before, after].map((text) => JSON.parse(text) as { update: object });
  return JSON.stringify({ ...old, ...now, update: { ...old?.update, ...now?.update } });
}

function promptTexts(data: string): string[] {
  const { prompt } = JSON.parse(data) as { prompt?: unknown };
  return Array.isArray(prompt) ? prompt.map((content) => chunkText("user_message_chunk", content)) : [];
}

/** What a library put in. ACP has no role for `system`: it is for agents, not for the reader. */
function messageTexts(data: string): string[] {
  const { role, content } = JSON.parse(data) as { role?: unknown; content?: unknown };
  if (role === "system" || !Array.isArray(content)) return [];
  const kind = role === "user" ? "user_message_chunk" : "agent_message_chunk";
  return content.filter(isRecord).map((block) => chunkText(kind, block));
}

function chunkText(sessionUpdate: string, content: unknown): string {
  return JSON.stringify({ update: { sessionUpdate, content } });
}
