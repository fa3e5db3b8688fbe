/** Checking a store against the promise, session by session, through its contract alone. */
import { isSidecarError, reasonOf } from "../base/errors.ts";
import type { SessionId } from "../base/ids.ts";
import { isJsonObjectText } from "../base/json.ts";
import type { Entry, SessionRecord, Store } from "../store/contract.ts";
import { sessionNotFound } from "../store/refusals.ts";
import type { ChainReport } from "../session/chain-check.ts";
import type { Damage } from "./damage.ts";
import {
  CompletenessSum,
  HeadsCheck,
  type Completeness,
  type HeadsReport,
  type SignedHeads,
} from "./signed-heads.ts";
import { ChainReading, IntegritySum, type Integrity } from "./integrity.ts";
import { everyReadable } from "./readable.ts";
import { watched, type Watch } from "./watch.ts";
import { textOf } from "../acp/content.ts";
import { messagesOf } from "../session/messages.ts";
import { isGone, whyHidden } from "../session/hidden.ts";
import { replay } from "../session/replay.ts";
import { otherOriginals } from "./verify-originals.ts";
import { entrySchema, sessionRecordSchema } from "../session/schema.ts";

export interface Verification {
  readonly sessions: number;
  /** Of these, how many are in the trash. */
  readonly trashed: number;
  readonly entries: number;
  readonly damages: readonly Damage[];
  readonly integrity: Integrity;
  /** Known where it is told what was signed. */
  readonly completeness?: Completeness;
}

export const nothingVerified: Verification = {
  ...{ sessions: 0, trashed: 0, entries: 0, damages: [] },
  integrity: new IntegritySum().sum,
};

export interface OneVerified extends Omit<Verification, "sessions" | "trashed"> {
  readonly sessionId: SessionId;
  readonly chain: ChainReport;
}

/** Where a quick look ends; all is read where it has no end. */
interface VerifyLimits {
  /** Sessions at most, those with the newest activity. */
  readonly sessions?: number;
  /** Begins no further session after so long. */
  readonly forMs?: number;
}

/** Reads everything once. Damage is named and the rest is read on; errors that are no damage reject. */
export async function verifySessions(
  store: Store,
  limits: VerifyLimits = {},
  watch: Watch = {},
  heads?: SignedHeads,
): Promise<Verification> {
  const damages: Damage[] = [];
  let [sessions, trashed, entries] = [0, 0, 0];
  const [integrity, completeness] = [new IntegritySum(), new CompletenessSum()];
  const total = watch.onProgress === undefined ? 0 : await store.count();
  const untilMs = performance.now() + (limits.forMs ?? Infinity);
  try {
    for await (const record of everyReadable(store, damages)) {
      if (sessions === (limits.sessions ?? Infinity) || performance.now() > untilMs) break;
      watch.signal?.throwIfAborted();
      const isTrashed = whyHidden(record) === "trashed";
      // Tokens, and what is kept of deletions and of what was compacted, are no sessions, but may be damaged as well.
      const isSession = isTrashed || !isGone(record);
      if (isSession) sessions += 1;
      if (isTrashed) trashed += 1;
      checkRecord(record, damages);
      const before = damages.length;
      const look = await verifySession(store, record, damages, { watch, heads });
      entries += look.last;
      if (isSession) integrity.add(record.id, look.chain);
      completeness.add(record.id, look.heads, look.last);
      if (damages.length === before) damages.push(...(await otherOriginals(store, record)));
      await watch.onProgress?.(sessions, total);
    }
  } catch (error) {
    // What the list would have named is not looked for.
    if (!isSidecarError(error, "STORE_CORRUPT", "DECRYPT_FAILED")) throw error;
    damages.push({ problem: `the list of sessions: ${reasonOf(error)}` });
  }
  const sums = { integrity: integrity.sum, ...(heads && { completeness: completeness.sum }) };
  return { sessions, trashed, entries, damages, ...sums };
}

/** The same of one session. Errors: `SESSION_NOT_FOUND`. */
export async function verifyOne(store: Store, id: SessionId, heads?: SignedHeads): Promise<OneVerified> {
  const record = await store.get(id);
  if (record === undefined) throw sessionNotFound(id);
  const damages: Damage[] = [];
  checkRecord(record, damages);
  const { last, chain, heads: signed } = await verifySession(store, record, damages, { watch: {}, heads });
  const [integrity, completeness] = [new IntegritySum(), new CompletenessSum()];
  integrity.add(id, chain);
  completeness.add(id, signed, last);
  const sums = { integrity: integrity.sum, ...(heads && { completeness: completeness.sum }) };
  return { sessionId: id, entries: last, damages, ...sums, chain };
}

function checkRecord(record: SessionRecord, damages: Damage[]): void {
  const { id: sessionId, headSeq, sealedSeq, lineage, lease } = record;
  const problem = (text: string) => damages.push({ sessionId, problem: text });
  const { error } = sessionRecordSchema.safeParse(record);
  // Only where: what a record holds is nobody's business.
  for (const { path } of error?.issues ?? [])
    problem(`its record is damaged at ${path.join(".") || "the top"}`);
  if (sealedSeq > headSeq) problem(`sealed up to ${sealedSeq}, but ends at ${headSeq}`);
  if (lineage !== undefined && lineage.atSeq > headSeq)
    problem(`forked at entry ${lineage.atSeq}, but ends at ${headSeq}`);
  if (lease !== undefined && lease.expiresAtMs < lease.sinceMs) problem("its lease ends before it begins");
}

async function verifySession(
  store: Store,
  record: SessionRecord,
  damages: Damage[],
  looking: Looking,
): Promise<Look> {
  const first = await lookThrough(store, record, looking);
  if (first.found.length === 0 && first.chain.damage === undefined && first.heads.missingSeq === undefined)
    return first;
  // Another process may have archived or sealed it meanwhile: what a second look finds as well is damage.
  const now = await recordNow(store, record);
  if (now === undefined) return { ...first, chain: { events: [] }, heads: { signed: 0 } };
  const second = await lookThrough(store, now, looking);
  for (const damage of second.found) damages.push(damage);
  return second;
}

/** The one before if it cannot be read: then that is damage, too. */
async function recordNow(store: Store, before: SessionRecord): Promise<SessionRecord | undefined> {
  try {
    return await store.get(before.id);
  } catch (error) {
    if (isSidecarError(error, "STORE_CORRUPT", "DECRYPT_FAILED")) return before;
    throw error;
  }
}

interface Look {
  /** `seq` of the last entry that could be read. */
  readonly last: number;
  readonly found: readonly Damage[];
  readonly chain: ChainReport;
  readonly heads: HeadsReport;
}

interface Looking {
  readonly watch: Watch;
  readonly heads: SignedHeads | undefined;
}

async function lookThrough(
  store: Store,
  { id, headSeq }: SessionRecord,
  { watch, heads }: Looking,
): Promise<Look> {
  let last = 0;
  const found: Damage[] = [];
  const signed = new HeadsCheck(heads, id);
  const chain = new ChainReading(store, id, { onLink: signed.link });
  const damaged = (seq: number, problem: string) =>
    found.push({ sessionId: id, entries: { from: seq, through: seq }, problem });
  try {
    for await (const page of watched(store.read(id, { through: headSeq }), watch)) {
      const sound: Entry[] = [];
      for (const entry of page) {
        const { seq, data } = entry;
        if (seq !== last + 1) damaged(seq, `follows entry ${last}`);
        if (!entrySchema.safeParse(entry).success) damaged(seq, "is not what an entry must be");
        else if (!isJsonObjectText(data)) damaged(seq, "holds no JSON object");
        else sound.push(entry);
        last = seq;
      }
      for (const { seq } of await notShowable(id, sound)) damaged(seq, "cannot be folded or shown");
      await chain.take(page);
    }
    if (last !== headSeq) damaged(last, `is the last one, but the head is ${headSeq}`);
  } catch (error) {
    if (isSidecarError(error, "SESSION_NOT_FOUND"))
      return { last, found, chain: { events: [] }, heads: { signed: 0 } };
    if (!isSidecarError(error, "STORE_CORRUPT", "DECRYPT_FAILED")) throw error;
    damaged(last + 1, reasonOf(error));
  }
  const report = chain.report;
  if (found.length > 0 || report.damage !== undefined)
    return { last, found, chain: otherwiseSound(report, found), heads: { signed: 0 } };
  const held = signed.report(report, last);
  return { last, found, chain: heldAgainst(held, report), heads: held };
}

/** Whoever makes a chain anew makes other links than those that were signed. */
function heldAgainst({ otherSeq: through }: HeadsReport, chain: ChainReport): ChainReport {
  if (through === undefined) return chain;
  const from = chain.linked?.from ?? 1;
  const problem = "is not what it was when it was signed, or what comes after it: the chain was made anew";
  return { ...chain, damage: { from: Math.min(from, through), through, problem } };
}

/** What the medium has lost is told as that. */
function otherwiseSound({ damage, ...chain }: ChainReport, found: readonly Damage[]): ChainReport {
  const isTold =
    damage === undefined || found.some(({ entries }) => entries && entries.from <= damage.through);
  return isTold ? chain : { ...chain, damage };
}

/** Those entries over which a fold, a load or whoever shows messages would stumble. */
async function notShowable(id: SessionId, entries: readonly Entry[]): Promise<readonly Entry[]> {
  if (await isShowable(id, entries)) return [];
  const found: Entry[] = [];
  for (const entry of entries) if (!(await isShowable(id, [entry]))) found.push(entry);
  return found;
}

async function isShowable(id: SessionId, entries: readonly Entry[]): Promise<boolean> {
  const read = async function* () {
    yield entries;
  };
  const state = new Map<string, string>();
  try {
    for await (const texts of replay({ read }, id, { sealedSeq: 0, headSeq: Infinity }, state))
      if (!texts.every(isJsonObjectText)) return false;
    for await (const { content } of messagesOf(read())) textOf({ content });
    return [...state.values()].every(isJsonObjectText);
  } catch {
    return false;
  }
}
