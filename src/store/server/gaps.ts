/** Entries that should be there and are not: damage, which is told and never skipped. */
import { SidecarError } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import type { Entry } from "../contract.ts";

/** Errors: `STORE_CORRUPT` unless the entries run from `next` without a gap. */
export function assertGapless(entries: readonly Entry[], id: SessionId, next: number): void {
  let expected = next;
  for (const { seq } of entries) {
    if (seq !== expected) throw entryMissing(id, expected);
    expected += 1;
  }
}

/** Nothing came: rightly so if a seal has made the journal shorter. */
export function assertEnd(id: SessionId, next: number, headSeq: number): undefined {
  if (next <= headSeq) throw entryMissing(id, next);
}

export function entryMissing(id: SessionId, seq: number): SidecarError {
  return new SidecarError(
    "STORE_CORRUPT",
    `Entry ${seq} of session ${id} is missing; restore it from a backup`,
    {
      data: { sessionId: id, seq },
    },
  );
}
