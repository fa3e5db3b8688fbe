/** How much goes on: by how much figures have grown. */
import { sizeText } from "../base/size-text.ts";
import type { Snapshot } from "../figures/snapshot.ts";
import { countText } from "./print.ts";

/** A second, unless told. */
export interface Rates {
  readonly requests: number;
  readonly turns: number;
  readonly updates: number;
  readonly tokens: number;
  readonly storeOperations: number;
  readonly storeFailures: number;
  readonly storeChars: number;
  /** Of those that have ended meanwhile; absent where none has. */
  readonly appendMs?: number;
  readonly flushMs?: number;
  /** Of one processor. */
  readonly cpu: number;
}

export function rates(before: Snapshot, now: Snapshot, seconds: number): Rates {
  const grown = (name: string, which: (of: string) => boolean = () => true) =>
    Math.max(0, counted(now, name, which) - counted(before, name, which)) / seconds;
  const append = mean(before, now, "append");
  const flush = mean(before, now, "flush");
  return {
    requests: grown("requests"),
    turns: grown("turns"),
    updates: grown("updates"),
    tokens: grown("tokens", (of) => of === "input" || of === "output"),
    storeOperations: grown("storeOperations"),
    storeFailures: grown("storeOperations", (of) => of.endsWith(" failed")),
    storeChars: grown("storeChars"),
    ...(append !== undefined && { appendMs: append }),
    ...(flush !== undefined && { flushMs: flush }),
    cpu: grown("cpuSeconds"),
  };
}

export function ratesText(rate: Rates, gauges: Snapshot["gauges"]): string[] {
  const {
    processes = 0,
    liveSessions = 0,
    runningTurns = 0,
    queueLength = 0,
    residentBytes = 0,
    openFiles,
  } = gauges;
  const each = (value: number) =>
    value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(1);
  const took = (ms: number | undefined) => (ms === undefined ? "–" : `${ms.toFixed(2)} ms`);
  return [
    `now      ${countText(processes, "process", "processes")}, ${countText(liveSessions, "live session")}, ${countText(runningTurns, "turn")} running, ${queueLength} waiting`,
    `a second ${each(rate.requests)} requests, ${each(rate.turns)} turns, ${each(rate.updates)} updates, ${each(rate.tokens)} tokens`,
    `stores   ${each(rate.storeOperations)} operations, ${each(rate.storeChars)} characters written; append ${took(rate.appendMs)}, flush ${took(rate.flushMs)}${rate.storeFailures > 0 ? `, ${each(rate.storeFailures)} failed` : ""}`,
    `process  ${(rate.cpu * 100).toFixed(0)} % of a processor, ${sizeText(residentBytes)} memory${openFiles === undefined ? "" : `, ${openFiles} open files`}`,
  ];
}

function counted({ counters }: Snapshot, name: string, which: (of: string) => boolean): number {
  const row = Object.entries(counters[name] ?? {});
  return row.reduce((sum, [of, value]) => (which(of) ? sum + value : sum), 0);
}

/** In milliseconds. */
function mean(before: Snapshot, now: Snapshot, operation: string): number | undefined {
  const of = ({ times }: Snapshot) => {
    const { sum = 0, within = {} } = times["storeOperation"]?.[operation] ?? {};
    return { sum, count: Object.values(within).reduce((all, each) => all + each, 0) };
  };
  const [then, last] = [of(before), of(now)];
  const count = last.count - then.count;
  return count > 0 ? ((last.sum - then.sum) / count) * 1000 : undefined;
}
