/** Going back in a session: nothing is deleted, and what the agent knows of it does not count any more. */
import { SidecarError } from "../base/errors.ts";
import { beginsTurn, meaningOf } from "../acp/entries.ts";
import { isOwn } from "../acp/own-mark.ts";
import type { Entry, SessionPatch, SessionRecord, Store } from "../store/contract.ts";
import type { Journal } from "./journal.ts";
import { collect, pagesBackwards } from "./pages.ts";
import { countingRewinds, supersededOf } from "./rewinds.ts";
import { forgetting, mended } from "./rewinds-kept.ts";
import { countingIn, isSuperseded, type Stretch } from "./stretches.ts";
import { titleOf } from "./titles.ts";

type Reads = Pick<Store, "read">;
type Known = Pick<SessionRecord, "id" | "headSeq" | "settings">;

/** What a rewind does, or would do. */
export interface RewindEffect {
  readonly toSeq: number;
  /** Turns that count no longer. */
  readonly turns: number;
  /** Turns that had been superseded and count again. */
  readonly turnsBack: number;
}

/** So many rewinds a session bears: all are read whenever it is. */
export const maxRewinds = 10_000;

/** Where a rewind goes that takes back the last one. Errors: `INVALID_PARAMS` where there is none. */
export async function undoSeq(store: Reads, record: Known): Promise<number> {
  const [last] = await countingRewinds(store, record, record.headSeq);
  if (last !== undefined) return last.at - 1;
  throw refused(record.id, "was not rewound: there is nothing to undo");
}

/** Errors: `INVALID_PARAMS` for a place that is not there, or is in the middle of something. */
export async function effectOf(store: Reads, record: Known, toSeq: number): Promise<RewindEffect> {
  await checkPlace(store, record, toSeq);
  const [now, then] = [await supersededOf(store, record), await supersededOf(store, record, toSeq)];
  // What came after the place does not count when it was the last entry.
  const gone = [...then, { from: toSeq + 1, through: Infinity }];
  const turns = await turnsOnlyIn(store, record, now, gone);
  return { toSeq, turns, turnsBack: await turnsOnlyIn(store, record, gone, now) };
}

/** Turns that are in what the first leaves, and not in what the second does; what we have answered ourselves is none. */
async function turnsOnlyIn(
  store: Reads,
  { id, headSeq }: Known,
  superseded: readonly Stretch[],
  others: readonly Stretch[],
): Promise<number> {
  let turns = 0;
  for (const stretch of countingIn(superseded, { through: headSeq })) {
    for (const { from, through } of others) {
      const shared = { from: Math.max(from, stretch.from), through: Math.min(through, stretch.through) };
      if (shared.from > shared.through) continue;
      for await (const page of store.read(id, shared))
        turns += page.filter((entry) => beginsTurn(entry) && !isOwn(entry)).length;
    }
  }
  return turns;
}

/** A session that is held by who writes. */
export interface Held {
  readonly journal: Journal;
  readonly record: SessionRecord;
  /** Writes its record, and notes what it is then. */
  readonly update: (patch: SessionPatch) => Promise<SessionRecord>;
}

/**
 * Writes a rewind: the record first, so that a crash between the two leaves nothing but a session whose agent is
 * told the conversation anew. Its writer holds the session, and no turn runs. Errors: as `effectOf`, `ENTRY_LIMIT`.
 */
export async function rewindIn(
  { journal, record, update }: Held,
  store: Pick<Store, "read" | "get">,
  toSeq: number,
  nowMs: number,
): Promise<SessionRecord> {
  await journal.seal([]);
  const now = { ...record, headSeq: journal.headSeq, sealedSeq: journal.sealedSeq };
  await checkPlace(store, now, toSeq);
  if (toSeq === now.headSeq) return now;
  const at = now.headSeq + 1;
  // What a crash has left unmade stands beyond the end.
  const rewinds = [...(record.settings.rewinds ?? []).filter((each) => each.at < at), { at, toSeq }];
  if (rewinds.length > maxRewinds)
    throw new SidecarError(
      "ENTRY_LIMIT",
      `Session ${record.id} was rewound ${maxRewinds} times, and more are not possible; go on in a fork of it`,
      { data: { sessionId: record.id } },
    );
  const settings = forgetting(now, rewinds);
  const changed = await update({ settings, ...(await titleAt(store, now, toSeq)), updatedAtMs: nowMs });
  await journal.seal([{ kind: "rewind", atMs: nowMs, data: JSON.stringify({ toSeq }) }]);
  // Who changed its settings meanwhile may not have known.
  const kept = await mended(store, (await store.get(record.id)) ?? changed, now.headSeq, update);
  await journal.settle();
  return { ...kept, headSeq: journal.headSeq, sealedSeq: journal.sealedSeq };
}

/** The words of a prompt that does not count any more are no title; one that somebody gave stays. */
async function titleAt(store: Reads, record: SessionRecord, toSeq: number): Promise<SessionPatch> {
  if (record.title === undefined) return {};
  const superseded = await supersededOf(store, record);
  const first = await firstPrompt(store, record, superseded);
  if (first === undefined || first.seq <= toSeq) return {};
  const meaning = meaningOf(first);
  const isItsTitle = meaning.type === "prompt" && titleOf(meaning.content) === record.title;
  return isItsTitle ? { title: null } : {};
}

async function firstPrompt(
  store: Reads,
  { id, headSeq }: Known,
  superseded: readonly Stretch[],
): Promise<Entry | undefined> {
  for (const stretch of countingIn(superseded, { through: headSeq }))
    for await (const page of store.read(id, stretch)) {
      const prompt = page.find(({ kind }) => kind === "prompt");
      if (prompt !== undefined) return prompt;
    }
  return undefined;
}

/** A place is the end of a turn, a message, or just before a prompt. */
async function checkPlace(store: Reads, record: Known, toSeq: number): Promise<void> {
  const { id, headSeq } = record;
  if (!Number.isSafeInteger(toSeq) || toSeq < 0 || toSeq > headSeq)
    throw refused(id, `has entries up to ${headSeq}: there is no entry ${toSeq} to go back to`);
  if (toSeq === 0 || toSeq === headSeq) return;
  const [entry, next] = await collect(store.read(id, { from: toSeq, through: toSeq + 1 }));
  if (entry === undefined || isPlace(entry) || (next !== undefined && beginsTurn(next))) return;
  const before = await lastPlace(store, id, toSeq);
  throw refused(id, `cannot go back to entry ${toSeq}, which is in the middle of something; use ${before}`);
}

async function lastPlace(store: Reads, id: Known["id"], seq: number): Promise<number> {
  for await (const page of pagesBackwards(store, id, seq)) {
    const place = page.findLast(isPlace);
    if (place !== undefined) return place.seq;
  }
  return 0;
}

function isPlace(entry: Entry): boolean {
  if (entry.kind !== "update") return entry.kind !== "request" && entry.kind !== "response";
  const meaning = meaningOf(entry);
  return meaning.type === "chunk" && meaning.role !== "thought";
}

/** Where the conversation stood before a prompt, which is to be said anew. Errors: `INVALID_PARAMS`. */
export async function beforePrompt(store: Reads, record: Known, seq: number): Promise<number> {
  const [entry] = seq > 0 ? await collect(store.read(record.id, { from: seq, through: seq })) : [];
  if (entry === undefined || !beginsTurn(entry))
    throw refused(record.id, `has no prompt at entry ${seq}; name the entry of a prompt`);
  if (isSuperseded(await supersededOf(store, record), seq))
    throw refused(record.id, `does not count entry ${seq} any more; rewind to it first, or fork there`);
  return seq - 1;
}

function refused(sessionId: string, what: string): SidecarError {
  return new SidecarError("INVALID_PARAMS", `Session ${sessionId} ${what}`, { data: { sessionId } });
}
