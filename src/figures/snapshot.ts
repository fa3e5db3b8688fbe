/** Figures at one moment, as plain JSON: what processes tell one another, what is kept of one that ends, their sum. */
import { isRecord } from "../base/json.ts";
import { gauges, type GaugeName } from "./table.ts";

/** By upper bound as text, `Inf` for the last: how often a time was within it and beyond the one before. */
export interface TimesOf {
  readonly sum: number;
  readonly within: Readonly<Record<string, number>>;
}

/** By the name that our tables have for a figure, and then by the values of its labels. */
export interface Snapshot {
  readonly counters: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly times: Readonly<Record<string, Readonly<Record<string, TimesOf>>>>;
  readonly gauges: Readonly<Partial<Record<GaugeName, number>>>;
}

/** Of processes: what they have counted, added. What no figure of ours is goes along, and is shown nowhere. */
export function sumOf(snapshots: readonly Snapshot[]): Snapshot {
  const counters: Table<number> = table();
  const times: Table<{ sum: number; within: Record<string, number> }> = table();
  const sums: Partial<Record<GaugeName, number>> = {};
  for (const each of snapshots) {
    for (const [name, of, value] of cells(each.counters)) {
      const row = (counters[name] ??= table());
      row[of] = (row[of] ?? 0) + value;
    }
    for (const [name, of, { sum, within }] of cells(each.times)) {
      const cell = ((times[name] ??= table())[of] ??= { sum: 0, within: table() });
      cell.sum += sum;
      for (const [edge, count] of Object.entries(within))
        cell.within[edge] = (cell.within[edge] ?? 0) + count;
    }
    for (const name of Object.keys(each.gauges) as GaugeName[]) {
      const [before, value] = [sums[name], each.gauges[name] ?? 0];
      const isMost = "sum" in gauges[name];
      sums[name] = before === undefined ? value : isMost ? Math.max(before, value) : before + value;
    }
  }
  return { counters, times, gauges: sums };
}

/** Without what is only so while a process lives. */
export function withoutGauges({ counters, times }: Snapshot): Snapshot {
  return { counters, times, gauges: {} };
}

export function onlyGauges(snapshot: Snapshot): Snapshot {
  return { counters: {}, times: {}, gauges: snapshot.gauges };
}

type Table<T> = Record<string, Record<string, T>>;

/** Without a prototype: another process, or a file, says what it is called. */
function table<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>;
}

function* cells<T>(
  of: Readonly<Record<string, Readonly<Record<string, T>>>>,
): Generator<[string, string, T]> {
  for (const [name, row] of Object.entries(of))
    for (const [values, value] of Object.entries(row)) yield [name, values, value];
}

/** What another process, or a file, says; undefined for what is none. */
export function snapshotIn(value: unknown): Snapshot | undefined {
  if (!isRecord(value)) return undefined;
  const { counters, times, gauges: told } = value;
  const isCount = (each: unknown) => typeof each === "number" && Number.isFinite(each) && each >= 0;
  const areCounts = (row: unknown) => isRecord(row) && Object.values(row).every(isCount);
  const isTimes = (each: unknown) => isRecord(each) && isCount(each.sum) && areCounts(each.within);
  const isSound =
    isRecord(counters) &&
    Object.values(counters).every(areCounts) &&
    isRecord(times) &&
    Object.values(times).every((row) => isRecord(row) && Object.values(row).every(isTimes)) &&
    areCounts(told);
  if (!isSound) return undefined;
  const known = Object.entries(told as object).filter(([name]) => Object.hasOwn(gauges, name));
  return { ...(value as unknown as Snapshot), gauges: Object.fromEntries(known) };
}
