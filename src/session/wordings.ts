/** The edit history of a prompt: what stood in its place before, and what stands there later. */
import { SidecarError } from "../base/errors.ts";
import type { Json } from "../base/json.ts";
import { beginsTurn, meaningOf } from "../acp/entries.ts";
import type { Entry, SessionRecord, Store } from "../store/contract.ts";
import { pagesBackwards } from "./pages.ts";
import { supersededOf } from "./rewinds.ts";
import { isSuperseded, type Stretch } from "./stretches.ts";

type Reads = Pick<Store, "read">;
type Known = Pick<SessionRecord, "id" | "headSeq" | "settings">;

export interface Wording {
  readonly seq: number;
  readonly atMs: number;
  /** ACP's content blocks. */
  readonly content: readonly Json[];
  /** It is what counts now. */
  readonly counts: boolean;
}

/** In the order in which they were said. Errors: `INVALID_PARAMS` where no prompt stands. */
export async function wordingsOf(store: Reads, record: Known, seq: number): Promise<readonly Wording[]> {
  const prompt = await turnFrom(store, record, seq, seq);
  if (prompt === undefined)
    throw new SidecarError(
      "INVALID_PARAMS",
      `Session ${record.id} has no prompt at entry ${seq}; name the entry of a prompt`,
      { data: { sessionId: record.id } },
    );
  const anchor = await anchorOf(store, record, seq);
  const superseded = await supersededOf(store, record);
  const found = new Map([[seq, prompt]]);
  for (const { from, through } of branches(record, anchor)) {
    const first = await turnFrom(store, record, from, through);
    if (first !== undefined && (await anchorOf(store, record, first.seq)) === anchor)
      found.set(first.seq, first);
  }
  return [...found.values()].sort((a, b) => a.seq - b.seq).map((entry) => wordingOf(entry, superseded));
}

/** Where the conversation may have gone on from a place: after it, and after every rewind since. */
function branches({ headSeq, settings }: Known, anchor: number): Stretch[] {
  const ends = (settings.rewinds ?? []).map(({ at }) => at).filter((at) => at > anchor && at <= headSeq);
  const starts = [anchor, ...ends.sort((a, b) => a - b)];
  return starts.map((from, i) => ({ from: from + 1, through: (starts[i + 1] ?? headSeq + 1) - 1 }));
}

/** The first prompt of a stretch. */
async function turnFrom(
  store: Reads,
  { id }: Known,
  from: number,
  through: number,
): Promise<Entry | undefined> {
  if (from < 1 || from > through) return undefined;
  for await (const page of store.read(id, { from, through })) {
    const found = page.find(beginsTurn);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The last entry of the conversation before a prompt; 0 for none. What is state is no part of it. */
async function anchorOf(store: Reads, record: Known, seq: number): Promise<number> {
  const superseded = await supersededOf(store, record, seq - 1);
  for await (const page of pagesBackwards(store, record.id, seq - 1, superseded)) {
    const last = page.findLast(isConversation);
    if (last !== undefined) return last.seq;
  }
  return 0;
}

function isConversation(entry: Entry): boolean {
  if (["setting", "summary", "context"].includes(entry.kind)) return false;
  return entry.kind !== "update" || meaningOf(entry).type !== "state";
}

function wordingOf(entry: Entry, superseded: readonly Stretch[]): Wording {
  const meaning = meaningOf(entry);
  const content = meaning.type === "prompt" || meaning.type === "message" ? meaning.content : [];
  return { seq: entry.seq, atMs: entry.atMs, content, counts: !isSuperseded(superseded, entry.seq) };
}
