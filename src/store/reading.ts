/** What readers of a journal need, whatever it is kept in: pages ahead of time, and gaps that are told. */
import { SidecarError } from "../base/errors.ts";
import type { SessionId } from "../base/ids.ts";
import type { Entry } from "./contract.ts";
import type { StoreDriver } from "./driver.ts";

/**
 * Yields what `fetch` gives, call after call, until it gives undefined. At most one page is fetched ahead, so that
 * neither medium nor reader waits for the other, and none before the second is asked for: many readers want the
 * first one only.
 */
export async function* readAhead<T>(fetch: () => Promise<T | undefined>): AsyncGenerator<T> {
  let page = await fetch();
  for (let given = 0; page !== undefined; given += 1) {
    const ahead = given === 0 ? undefined : fetch();
    // Told when its turn comes; a reader who stops before has no use for it.
    ahead?.catch(() => undefined);
    yield page;
    page = await (ahead ?? fetch());
  }
}

/** One entry as the medium has it; undefined where there is none. */
export async function readOne(
  driver: Pick<StoreDriver, "read">,
  id: SessionId,
  seq: number,
): Promise<Entry | undefined> {
  for await (const [entry] of driver.read(id, { from: seq, through: seq })) return entry;
  return undefined;
}

/** Errors: `STORE_CORRUPT` unless the entries run from `next` without a gap. */
export function assertGapless(entries: readonly Entry[], id: SessionId, next: number, wayOut?: string): void {
  let expected = next;
  for (const { seq } of entries) {
    if (seq !== expected) throw entryMissing(id, expected, wayOut);
    expected += 1;
  }
}

/** Nothing came: rightly so if a seal has made the journal shorter. */
export function assertEnd(id: SessionId, next: number, headSeq: number, wayOut?: string): undefined {
  if (next <= headSeq) throw entryMissing(id, next, wayOut);
}

/** What to do about damage in a store that repairs itself. */
export const repairIt = "acp-sidecar verify --repair keeps all that is sound";

/** @param file where it is damaged, if the store has several */
export function entryDamaged(id: SessionId, seq: number, file?: string): SidecarError {
  const where = file === undefined ? "" : ` (${file})`;
  return new SidecarError("STORE_CORRUPT", `Entry ${seq} of session ${id} is damaged${where}; ${repairIt}`, {
    data: { sessionId: id, seq, ...(file !== undefined && { file }) },
  });
}

export function entryMissing(id: SessionId, seq: number, wayOut = "restore it from a backup"): SidecarError {
  return new SidecarError("STORE_CORRUPT", `Entry ${seq} of session ${id} is missing; ${wayOut}`, {
    data: { sessionId: id, seq },
  });
}
