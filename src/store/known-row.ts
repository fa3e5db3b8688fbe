/** How what is known of a session stands in a row of an index: `is_open` is as its database has truth. */
import type { SessionId } from "../base/ids.ts";
import type { KnownSession } from "./text-index.ts";

export const knownColumns =
  "id, updated_at_ms, cwd, folder, agent, parent_id, base_seq, from_seq, through_seq, sum, is_open, rewritten_at_ms";

export interface KnownRow {
  readonly id: SessionId;
  readonly updated_at_ms: number;
  readonly cwd: string;
  readonly folder: string;
  readonly agent: string;
  readonly parent_id: SessionId | null;
  readonly base_seq: number;
  readonly from_seq: number;
  readonly through_seq: number;
  readonly sum: number;
  readonly is_open: boolean | number;
  readonly rewritten_at_ms: number;
}

export function toKnown(row: KnownRow): KnownSession {
  return {
    id: row.id,
    updatedAtMs: row.updated_at_ms,
    cwd: row.cwd,
    folder: row.folder,
    agent: row.agent,
    parentId: row.parent_id ?? undefined,
    baseSeq: row.base_seq,
    fromSeq: row.from_seq,
    throughSeq: row.through_seq,
    sum: row.sum,
    isOpen: Boolean(row.is_open),
    rewrittenAtMs: row.rewritten_at_ms,
  };
}

/** In the order of the columns. */
export function toRow(session: KnownSession): KnownRow {
  return {
    id: session.id,
    updated_at_ms: session.updatedAtMs,
    cwd: session.cwd,
    folder: session.folder,
    agent: session.agent,
    parent_id: session.parentId ?? null,
    base_seq: session.baseSeq,
    from_seq: session.fromSeq,
    through_seq: session.throughSeq,
    sum: session.sum,
    is_open: session.isOpen,
    rewritten_at_ms: session.rewrittenAtMs,
  };
}

/** What a row that is there already takes from one that is put. @param given its name in the statement */
export function changedBy(given: string): string {
  return knownColumns
    .split(", ")
    .slice(1)
    .map((name) => `${name} = ${given}.${name}`)
    .join(", ");
}
