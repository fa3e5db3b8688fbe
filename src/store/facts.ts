/** What is kept of a session as one text, apart from the few values that change with every write. */
import { SidecarError } from "../base/errors.ts";
import type { SessionId } from "../base/ids.ts";
import type { LeaseState, SessionRecord } from "./contract.ts";

/** The values that stand beside the facts, as plain data. */
export interface Head {
  /** Where it is not among the facts. */
  readonly id?: SessionId;
  readonly updatedAtMs: number;
  readonly headSeq: number;
  readonly sealedSeq: number;
  readonly lease: LeaseState | undefined;
}

/** JSON escapes what servers refuse in texts: NUL, and halves of surrogate pairs. */
export function encodeFacts(session: Partial<SessionRecord>): string {
  const { updatedAtMs: _updated, headSeq: _head, sealedSeq: _sealed, lease: _lease, ...facts } = session;
  return JSON.stringify(facts);
}

export function toRecord(facts: string, { id, updatedAtMs, headSeq, sealedSeq, lease }: Head): SessionRecord {
  // Set on what was parsed, because nobody else has it: a new object made of both takes five times as long.
  const record = JSON.parse(facts) as { -readonly [K in keyof SessionRecord]: SessionRecord[K] };
  if (id !== undefined) record.id = id;
  record.updatedAtMs = updatedAtMs;
  record.headSeq = headSeq;
  record.sealedSeq = sealedSeq;
  if (lease !== undefined) record.lease = lease;
  return record;
}

/** Texts of a record are JSON that we wrote, unless the medium has lost some of them. Errors: `STORE_CORRUPT`. */
export function soundly<T>(id: SessionId, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw new SidecarError(
      "STORE_CORRUPT",
      `The record of session ${id} is damaged; acp-sidecar verify tells what is left of it`,
      { data: { sessionId: id }, cause },
    );
  }
}
