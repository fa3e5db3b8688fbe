/** How rows of the index stand for sessions and messages. */
import type { SessionId } from "../../base/ids.ts";
import type { KnownSession } from "../../store/text-index.ts";

/** Entries in a stretch: few, so that the numbers of neighbouring messages are near one another and take few bytes. */
export const spanLength = 4096;

/** Which stretch of its session an entry is in. */
export function partOf(seq: number): number {
  return Math.floor(seq / spanLength);
}

/** The number of a message. @param span of its stretch */
export function rowIdOf(span: number, seq: number): number {
  return span * spanLength + (seq % spanLength);
}

export interface SessionRow {
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
  readonly is_open: number;
  readonly rewritten_at_ms: number;
}

export function toKnown(row: SessionRow): KnownSession {
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
    isOpen: row.is_open === 1,
    rewrittenAtMs: row.rewritten_at_ms,
  };
}
