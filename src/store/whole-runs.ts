/** What is to be rewritten, widened to whole packed runs: the first entry of a run holds what all of its entries say. */
import type { SessionId } from "../base/ids.ts";
import type { NewEntry } from "./contract.ts";
import type { StoreDriver } from "./driver.ts";
import { packed } from "./packed-kind.ts";
import { PageUnpacker } from "./packed-pages.ts";
import { lengthOfRun, runOf } from "./packing.ts";
import { entryDamaged, readOne } from "./reading.ts";

export interface Rewriting {
  readonly from: number;
  readonly entries: readonly NewEntry[];
}

type Reads = Pick<StoreDriver, "read">;

/** Errors: `SESSION_NOT_FOUND`, `STORE_CORRUPT`. */
export async function inWholeRuns(driver: Reads, id: SessionId, rewriting: Rewriting): Promise<Rewriting> {
  const { from, entries } = rewriting;
  if (from < 1 || entries.length === 0) return rewriting;
  const next = from + entries.length;
  const [first, behind] = [await readOne(driver, id, from), await readOne(driver, id, next)];
  const start = first?.kind === packed ? runOf(first) : from;
  const isCut = behind?.kind === packed && runOf(behind) < next;
  const end = isCut ? await endOfRun(driver, id, runOf(behind)) : next - 1;
  if (start === from && end < next) return rewriting;
  const [before, after] = [
    await unpacked(driver, id, start, from - 1),
    await unpacked(driver, id, next, end),
  ];
  return { from: start, entries: [...before, ...entries, ...after] };
}

async function endOfRun(driver: Reads, id: SessionId, seq: number): Promise<number> {
  const first = await readOne(driver, id, seq);
  const length = first === undefined ? undefined : lengthOfRun(first);
  if (length === undefined) throw entryDamaged(id, seq);
  return seq + length - 1;
}

async function unpacked(driver: Reads, id: SessionId, from: number, through: number): Promise<NewEntry[]> {
  const found: NewEntry[] = [];
  if (through < from) return found;
  const unpacker = new PageUnpacker(id, (seq) => readOne(driver, id, seq));
  for await (const page of driver.read(id, { from, through }))
    for await (const entries of unpacker.pagesOf(page))
      for (const { kind, atMs, data } of entries) found.push({ kind, atMs, data });
  return found;
}
