/** Packs the final entries of a session, run by run: whatever ends it in between, each run is as it was or is packed. */
import type { SessionId } from "../base/ids.ts";
import type { Entry, Lease, NewEntry } from "./contract.ts";
import type { StoreDriver } from "./driver.ts";
import { packed } from "./packed-kind.ts";
import { packRun } from "./packing.ts";
import { sessionNotFound } from "./refusals.ts";

/** A reader of one entry unpacks all of its run. */
const runChars = 1 << 20;
const runEntries = 4096;
/** As much is rewritten at once. */
const batchChars = 16 << 20;

type Rewrite = NonNullable<StoreDriver["rewrite"]>;

/** Errors: as `Store.rewrite`. */
export async function compressSession(
  driver: StoreDriver,
  rewrite: Rewrite,
  id: SessionId,
  lease: Lease,
): Promise<void> {
  const record = await driver.get(id);
  if (record === undefined) throw sessionNotFound(id);
  const from = (record.lineage?.atSeq ?? 0) + 1;
  const batch = new Batch((first, entries) => rewrite(id, first, entries, lease));
  const forkedAt = await forkPoints(driver, id);
  let run: Entry[] = [];
  let chars = 0;
  const pack = async () => {
    await batch.add(run[0]?.seq ?? 0, await packRun(run), chars);
    [run, chars] = [[], 0];
  };
  for await (const page of driver.read(id, { from, through: record.sealedSeq }))
    for (const entry of page) {
      if (entry.kind === packed) {
        await pack();
        continue;
      }
      run.push(entry);
      chars += entry.data.length;
      if (chars >= runChars || run.length >= runEntries || forkedAt.has(entry.seq)) await pack();
    }
  await pack();
  await batch.write();
}

/** Neighbours are written together. */
class Batch {
  readonly #rewrite: (from: number, entries: readonly NewEntry[]) => unknown;
  #from = 0;
  #entries: NewEntry[] = [];
  #chars = 0;

  constructor(rewrite: (from: number, entries: readonly NewEntry[]) => unknown) {
    this.#rewrite = rewrite;
  }

  async add(from: number, entries: readonly NewEntry[] | undefined, chars: number): Promise<void> {
    if (entries === undefined) return;
    if (from !== this.#from + this.#entries.length) await this.write();
    if (this.#entries.length === 0) this.#from = from;
    for (const entry of entries) this.#entries.push(entry);
    this.#chars += chars;
    if (this.#chars >= batchChars) await this.write();
  }

  async write(): Promise<void> {
    const [from, entries] = [this.#from, this.#entries];
    [this.#entries, this.#chars] = [[], 0];
    if (entries.length > 0) await this.#rewrite(from, entries);
  }
}

/** Where forks begin: a run that reached beyond would keep what goes when the session is deleted. */
async function forkPoints(driver: StoreDriver, parentId: SessionId): Promise<ReadonlySet<number>> {
  const points = new Set<number>();
  let cursor: string | undefined;
  do {
    const page = await driver.list({ parentId, limit: 1000, ...(cursor !== undefined && { cursor }) });
    for (const { lineage } of page.items) points.add(lineage?.atSeq ?? 0);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return points;
}
