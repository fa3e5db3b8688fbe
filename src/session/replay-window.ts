/** A part of a session's replay: where it begins, what began before it, and what is still so at its end. */
import { beginsTurn, meaningOf } from "../acp/entries.ts";
import { childIn } from "../acp/child-mark.ts";
import { withoutLastHeard } from "../acp/last-heard.ts";
import { beginsCall, means, updateKindOf, usualKindOf } from "../acp/kinds.ts";
import { membersOf, objectText } from "../base/json-text.ts";
import type { SessionId } from "../base/ids.ts";
import type { Entry, Store } from "../store/contract.ts";
import { pagesBackwards } from "./pages.ts";
import type { ReplayedState } from "./replay-options.ts";
import type { Stretch } from "./stretches.ts";

type Reads = Pick<Store, "read">;

/** A session, and what of it does not count. */
export interface Seen {
  readonly id: SessionId;
  readonly superseded: readonly Stretch[];
}

export interface Bounds {
  readonly turns: number;
  /** Beyond these a turn is cut. */
  readonly maxEntries?: number;
  readonly maxChars?: number;
}

/** Where the last turns before an entry begin; 1 where there are no more. */
export async function startOfTurns(
  store: Reads,
  { id, superseded }: Seen,
  throughSeq: number,
  { turns, maxEntries = Infinity, maxChars = Infinity }: Bounds,
): Promise<number> {
  let [found, entries, chars] = [0, 0, 0];
  for await (const page of pagesBackwards(store, id, throughSeq, superseded)) {
    for (const entry of page.toReversed()) {
      entries += 1;
      chars += entry.data.length;
      if (beginsTurn(entry)) found += 1;
      if (found === turns || entries >= maxEntries || chars >= maxChars) return entry.seq;
    }
  }
  return 1;
}

/** So far before the window what began there, and what is still so, is looked for. */
const lookBack = 5000;
const usualState = [
  "available_commands_update",
  "usage_update",
  "current_mode_update",
  "config_option_update",
];

/** Adds what was last said of each thing that is state, and the plan of the turn, where it was said before a window. */
export async function addStateBefore(
  store: Reads,
  { id, superseded }: Seen,
  fromSeq: number,
  { state, isMidTurn }: { readonly state: ReplayedState; readonly isMidTurn: boolean },
): Promise<void> {
  const found = new Map<string, string>();
  const has = (kind: string) => state.has(kind) || found.has(kind);
  let [entries, isInTurn] = [0, isMidTurn];
  for await (const page of pagesBackwards(store, id, fromSeq - 1, superseded)) {
    for (const entry of page.toReversed()) {
      if (beginsTurn(entry)) isInTurn = false;
      const kind =
        entry.kind === "update" && childIn(entry.data) === undefined ? updateKindOf(entry.data) : "";
      const isWanted = means(kind, "state") || (isInTurn && kind === "plan");
      if (isWanted && kind !== "session_info_update" && !has(kind)) found.set(kind, entry.data);
    }
    entries += page.length;
    if (entries >= lookBack || (!isInTurn && usualState.every(has))) break;
  }
  const later = [...state];
  state.clear();
  for (const [kind, data] of [...[...found].reverse(), ...later]) state.set(kind, data);
}

/** What is said of a tool call makes sense to who has been shown the call: one that began before the window comes first. */
export async function* withCalls(
  pages: AsyncIterable<readonly string[]>,
  store: Reads,
  seen: Seen,
  fromSeq: number,
): AsyncGenerator<readonly string[]> {
  const known = new Set<string>();
  for await (const page of pages) {
    const texts: string[] = [];
    for (const text of page) {
      const kind = usualKindOf(text) ?? "tool_call";
      const id = means(kind, "toolCall") ? callIn(text) : undefined;
      if (id !== undefined && !known.has(id.key)) {
        known.add(id.key);
        if (id.isUpdate) texts.push(await beginning(store, seen, fromSeq, { ...id, text }));
      }
      texts.push(text);
    }
    yield texts;
  }
}

interface CallId {
  readonly toolCallId: string;
  /** Of whose session. */
  readonly key: string;
  readonly isUpdate: boolean;
}

function callIn(text: string): CallId | undefined {
  const meaning = meaningOf({ kind: "update", data: text });
  if (meaning.type !== "toolCall") return undefined;
  const { toolCallId, data } = meaning;
  const isUpdate = !beginsCall(data.update.sessionUpdate);
  return {
    toolCallId,
    key: `${String((data as { sessionId?: unknown }).sessionId)} ${toolCallId}`,
    isUpdate,
  };
}

/** The call as its agent began it; where that is too long ago, one by the name of what is said now. */
async function beginning(
  store: Reads,
  { id, superseded }: Seen,
  fromSeq: number,
  { toolCallId, text }: CallId & { readonly text: string },
): Promise<string> {
  let entries = 0;
  const quoted = JSON.stringify(toolCallId);
  for await (const page of pagesBackwards(store, id, fromSeq - 1, superseded)) {
    const found = page.findLast((entry) => begins(entry, toolCallId, quoted));
    if (found !== undefined) return withoutLastHeard(found.data);
    entries += page.length;
    if (entries >= lookBack) break;
  }
  const members = membersOf(text);
  const update = membersOf(members.get("update") ?? "{}");
  const title = update.get("title") ?? quoted;
  return objectText(
    members.set(
      "update",
      objectText(
        new Map([
          ["sessionUpdate", '"tool_call"'],
          ["toolCallId", quoted],
          ["title", title],
        ]),
      ),
    ),
  );
}

function begins(entry: Entry, toolCallId: string, quoted: string): boolean {
  if (entry.kind !== "update" || !entry.data.includes(quoted)) return false;
  const meaning = meaningOf(entry);
  return (
    meaning.type === "toolCall" &&
    meaning.toolCallId === toolCallId &&
    beginsCall(meaning.data.update.sessionUpdate)
  );
}
