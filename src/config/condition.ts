/**
 * When somebody is to be alerted: `disk.free < 1GiB`, `store.corrupt`, `sessions.failed > 3/h`. A figure alone is one that
 * is or is not; all others are compared with a value of their own unit.
 */
import { suggestion } from "../base/likeness.ts";
import { briefly, visibleLine } from "../base/visible.ts";
import { msPer, parseBytes, parseDurationMs } from "./units.ts";

type Unit = "is" | "bytes" | "time" | "count" | "rate";

/** All that can be asked about, and in what it is measured. */
export const figureUnits = {
  "store.down": "is",
  "store.readonly": "is",
  "store.corrupt": "is",
  "key.missing": "is",
  "audit.failed": "is",
  "clock.wrong": "is",
  "index.failed": "is",
  "agents.left": "is",
  "backup.failed": "is",
  "disk.free": "bytes",
  "store.bytes": "bytes",
  "store.sessions": "count",
  "store.entries": "count",
  "fsync.p99": "time",
  "backup.age": "time",
  "sessions.failed": "rate",
} as const satisfies Record<string, Unit>;

export type FigureName = keyof typeof figureUnits;

const comparisons = ["<=", ">=", "<", ">"] as const;
type Comparison = (typeof comparisons)[number];

export interface Condition {
  readonly figure: FigureName;
  /** Absent: the figure is or is not. */
  readonly compared?: {
    readonly by: Comparison;
    /** In bytes, milliseconds or a number; of a rate, for each `perMs`. */
    readonly value: number;
    readonly perMs?: number;
  };
}

const pattern =
  /^\s{0,9}([a-z][\w.]{0,40})\s{0,9}(?:(<=|>=|<|>)\s{0,9}([\w.]{1,20}(?:\/[a-z]{1,2})?))?\s{0,9}$/;

/** The condition, or what is wrong with it as the end of a sentence. */
export function conditionFrom(text: string): Condition | string {
  const [, name = "", by, given = ""] = text.length > 200 ? [] : (pattern.exec(text) ?? []);
  if (name === "") return `is ${shown(text)}; allowed: ${examples}`;
  const names = Object.keys(figureUnits);
  if (!Object.hasOwn(figureUnits, name))
    return `asks about ${shown(name)}${suggestion(name, names) || `; allowed: ${names.join(", ")}`}`;
  const figure = name as FigureName;
  const unit: Unit = figureUnits[figure];
  if (unit === "is")
    return by === undefined ? { figure } : `compares ${name}, which is or is not; allowed: ${name}`;
  if (by === undefined) return `does not say from when on; allowed: ${name} ${exampleOf(unit)}`;
  const value = valueFrom(unit, given);
  if (value === undefined)
    return `compares ${name} with ${shown(given)}; allowed: ${name} ${exampleOf(unit)}`;
  return { figure, compared: { by: by as Comparison, ...value } };
}

/** Whether it holds for what was measured, in the unit of the figure; 1 or 0 for what is or is not. */
export function holdsFor({ compared }: Condition, measured: number): boolean {
  if (compared === undefined) return measured !== 0;
  const { by, value } = compared;
  switch (by) {
    case "<":
      return measured < value;
    case "<=":
      return measured <= value;
    case ">":
      return measured > value;
    case ">=":
      return measured >= value;
  }
}

function valueFrom(
  unit: Unit,
  text: string,
): { readonly value: number; readonly perMs?: number } | undefined {
  if (unit === "rate") {
    const [, count, per = ""] = /^(\d{1,9})\/([mhd])$/.exec(text) ?? [];
    const perMs = msPer[per];
    return count === undefined || perMs === undefined ? undefined : { value: Number(count), perMs };
  }
  const parse = unit === "bytes" ? parseBytes : unit === "time" ? parseDurationMs : wholeNumber;
  const value = parse(text);
  return Number.isFinite(value) ? { value } : undefined;
}

function wholeNumber(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : NaN;
}

function exampleOf(unit: Unit): string {
  return { is: "", bytes: "< 1GiB", time: "> 200ms", count: "> 10000", rate: "> 3/h (or /m, /d)" }[unit];
}

const examples = "a figure alone, such as store.corrupt, or compared: disk.free < 1GiB";

function shown(text: string): string {
  return JSON.stringify(briefly(visibleLine(text)));
}
