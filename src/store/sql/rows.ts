/** Rows as the statements give them, their columns named alike in every dialect, and what they stand for. */
import type { SessionId } from "../../base/ids.ts";
import { soundly, toRecord } from "../facts.ts";
import type { Holder, LeaseState, SessionRecord } from "../contract.ts";

interface HeadRow {
  /** Of the session's journal. */
  readonly no: number;
  readonly id: SessionId;
  readonly updated_at_ms: number;
  readonly head_seq: number;
  readonly sealed_seq: number;
  /** The last one that was given out; it only grows. */
  readonly fence: number;
  /** JSON of a `Holder`; null when nobody holds the session. */
  readonly holder: string | null;
  readonly since_ms: number | null;
  readonly expires_at_ms: number | null;
  readonly turn_running: number | boolean | null;
  /** Where servers keep it: the id of the last write, by which a second try knows the first. */
  readonly last_write?: string;
}

export interface LockedRow extends HeadRow {
  /** By the clock that leases go by. */
  readonly now_ms: number;
}

export interface SessionRow extends HeadRow {
  readonly facts: string;
}

type RecordRow = Omit<SessionRow, "no">;

/** What is in a row of a list, column by column. */
export type ListedRow = readonly [
  id: SessionId,
  updatedAtMs: number,
  headSeq: number,
  sealedSeq: number,
  fence: number,
  holder: string | null,
  sinceMs: number | null,
  expiresAtMs: number | null,
  turnRunning: number | boolean | null,
  facts: string,
];

export function listed(row: ListedRow): RecordRow {
  return {
    id: row[0],
    updated_at_ms: row[1],
    head_seq: row[2],
    sealed_seq: row[3],
    fence: row[4],
    holder: row[5],
    since_ms: row[6],
    expires_at_ms: row[7],
    turn_running: row[8],
    facts: row[9],
  };
}

/** Who holds the session, whether or not the lease has run out. */
export function leaseIn(row: Omit<HeadRow, "no">): LeaseState | undefined {
  const { holder } = row;
  if (holder === null) return undefined;
  return {
    holder: soundly(row.id, () => JSON.parse(holder) as Holder),
    fence: row.fence,
    sinceMs: row.since_ms ?? 0,
    expiresAtMs: row.expires_at_ms ?? 0,
    turnRunning: Boolean(row.turn_running),
  };
}

export function recordIn(row: RecordRow): SessionRecord {
  const { id, facts, updated_at_ms: updatedAtMs, head_seq: headSeq, sealed_seq: sealedSeq } = row;
  const lease = leaseIn(row);
  return soundly(id, () => toRecord(facts, { id, updatedAtMs, headSeq, sealedSeq, lease }));
}
