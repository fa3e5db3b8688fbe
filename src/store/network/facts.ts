/** What a server keeps of a session as one text, apart from the few values that change with every write. */
import type { LeaseState, NewSession, SessionRecord } from "../store.ts";

/** The values that stand beside the facts, as plain data. */
export interface Head {
  readonly updatedAtMs: number;
  readonly headSeq: number;
  readonly sealedSeq: number;
  readonly lease: LeaseState | undefined;
}

/** JSON escapes what servers refuse in texts: NUL, and halves of surrogate pairs. */
export function encodeFacts(session: NewSession): string {
  const { updatedAtMs: _, ...facts } = session;
  return JSON.stringify(facts);
}

export function toRecord(facts: string, { lease, ...head }: Head): SessionRecord {
  const parsed = JSON.parse(facts) as Omit<NewSession, "updatedAtMs">;
  return { ...parsed, ...head, ...(lease !== undefined && { lease }) };
}
