/** What one process counts. */
import type { Counted, Counting, Timed } from "../base/meter.ts";
import type { Snapshot, TimesOf } from "./snapshot.ts";
import {
  allowedValues,
  combinations,
  counters,
  times,
  type CounterName,
  type Figure,
  type GaugeName,
} from "./table.ts";

interface Cell {
  value: number;
}

interface TimeCell {
  readonly edges: readonly number[];
  readonly within: number[];
  sum: number;
}

/** What is known only when somebody asks. */
export interface Found {
  readonly gauges: Readonly<Partial<Record<GaugeName, number>>>;
  readonly counters: Readonly<Partial<Record<CounterName, number>>>;
}

export class Figures implements Counting {
  /** Grows with all that is counted. */
  changes = 0;
  /** Made once, all that there may be, but of what is sparse: what is counted often finds its place by one look. */
  readonly #counters = new Map<string, Map<string, Cell>>();
  readonly #times = new Map<string, Map<string, TimeCell>>();
  readonly #noted: () => void;

  /** @param noted called when something is going on */
  constructor(noted: () => void = () => undefined) {
    this.#noted = noted;
    for (const [name, figure] of Object.entries(counters))
      this.#counters.set(name, new Map(valuesOf(figure).map((of) => [of, { value: 0 }])));
    for (const [name, figure] of Object.entries(times))
      this.#times.set(name, new Map(valuesOf(figure).map((of) => [of, emptyTimes(figure.edges)])));
  }

  add(what: Counted, of = "", by = 1): void {
    const cell = cellOf(this.#counters.get(what), counters[what], of, () => ({ value: 0 }));
    if (cell === undefined) return;
    cell.value += by;
    this.changes += 1;
    this.#noted();
  }

  time(what: Timed, of: string, seconds: number): void {
    const cell = cellOf(this.#times.get(what), times[what], of, () => emptyTimes(times[what].edges));
    if (cell === undefined) return;
    let at = 0;
    while (at < cell.edges.length && seconds > (cell.edges[at] ?? Infinity)) at += 1;
    cell.within[at] = (cell.within[at] ?? 0) + 1;
    cell.sum += seconds;
    this.changes += 1;
  }

  snapshot(found: Found): Snapshot {
    const counted = mapped(this.#counters, ({ value }) => (value === 0 ? undefined : value));
    for (const [name, value] of Object.entries(found.counters)) counted[name] = { "": value };
    const timed = mapped(this.#times, (cell) =>
      cell.within.every((count) => count === 0) ? undefined : timesOf(cell),
    );
    return { counters: counted, times: timed, gauges: found.gauges };
  }
}

function valuesOf({ labels, isSparse }: Figure): readonly string[] {
  return isSparse === true ? [] : combinations(labels);
}

function emptyTimes(edges: readonly number[]): TimeCell {
  return { edges, within: [...edges.map(() => 0), 0], sum: 0 };
}

/** What is said may be from outside: it finds a place that there is, or may be, and makes no other. */
function cellOf<T>(
  cells: Map<string, T> | undefined,
  figure: Figure,
  of: string,
  empty: () => T,
): T | undefined {
  const cell = cells?.get(of);
  if (cell !== undefined) return cell;
  const allowed = allowedValues(figure.labels, of);
  if (allowed === undefined) return undefined;
  const there = cells?.get(allowed);
  if (there !== undefined || figure.isSparse !== true) return there;
  const made = empty();
  cells?.set(allowed, made);
  return made;
}

function timesOf({ edges, within, sum }: TimeCell): TimesOf {
  return { sum, within: Object.fromEntries(within.map((count, at) => [String(edges[at] ?? "Inf"), count])) };
}

/** Only what there is something to say of: the rest is 0. */
function mapped<T, U>(
  of: ReadonlyMap<string, ReadonlyMap<string, T>>,
  valueOf: (cell: T) => U | undefined,
): Record<string, Record<string, U>> {
  const rows: Record<string, Record<string, U>> = {};
  for (const [name, cells] of of) {
    const row: Record<string, U> = {};
    for (const [values, cell] of cells) {
      const value = valueOf(cell);
      if (value !== undefined) row[values] = value;
    }
    if (Object.keys(row).length > 0) rows[name] = row;
  }
  return rows;
}
