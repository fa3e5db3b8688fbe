/** What a process holds and how late its messages are, sampled; and whether that stays flat. */
import { readdirSync } from "node:fs";
import { residentBytes } from "../world/memory.ts";

export interface Sample {
  /** Since the start of the run. */
  readonly atSeconds: number;
  readonly residentMiB: number;
  readonly openFiles: number;
  /** From the agent's write to the client's read: the median, and of a hundred the latest but one. */
  readonly latencyMs: number;
  readonly latency99Ms: number;
  /** Pieces that came since the sample before. */
  readonly pieces: number;
}

/** Takes samples of a process until it is stopped. */
export class Sampler {
  readonly samples: Sample[] = [];
  readonly #pid: number;
  readonly #startedAtMs = performance.now();
  readonly #timer: NodeJS.Timeout;
  #latenciesMs: number[] = [];

  constructor(pid: number, everyMs: number) {
    this.#pid = pid;
    this.#timer = setInterval(() => this.#sample(), everyMs);
  }

  piece(lateMs: number): void {
    this.#latenciesMs.push(lateMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    const latenciesMs = this.#latenciesMs.sort((a, b) => a - b);
    this.#latenciesMs = [];
    if (latenciesMs.length === 0) return;
    this.samples.push({
      atSeconds: round((performance.now() - this.#startedAtMs) / 1000),
      residentMiB: round(residentBytes(this.#pid) / (1 << 20)),
      openFiles: readdirSync(`/proc/${this.#pid}/fd`).length,
      latencyMs: round(quantile(latenciesMs, 0.5)),
      latency99Ms: round(quantile(latenciesMs, 0.99)),
      pieces: latenciesMs.length,
    });
  }
}

type Measure = "residentMiB" | "openFiles" | "latencyMs";

/** What the last third may have more than the middle one: much, for the machine may be busy meanwhile. */
const allowed: Readonly<Record<Measure, (middle: number) => number>> = {
  residentMiB: (middle) => middle * 1.05 + 40,
  openFiles: (middle) => middle + 3,
  latencyMs: (middle) => middle * 3 + 250,
};

export interface Trend {
  readonly measure: Measure;
  /** Medians. */
  readonly middle: number;
  readonly last: number;
  readonly isFlat: boolean;
}

/** The last third of the samples beside the middle one; the first is for warming up. */
export function trendsOf(samples: readonly Sample[]): Trend[] {
  const third = Math.floor(samples.length / 3);
  if (third === 0) throw new Error(`${samples.length} samples are too few to judge by`);
  return (Object.keys(allowed) as Measure[]).map((measure) => {
    const median = (from: number, to: number) =>
      quantile(
        samples
          .slice(from, to)
          .map((sample) => sample[measure])
          .sort((a, b) => a - b),
        0.5,
      );
    const middle = median(third, 2 * third);
    const last = median(2 * third, samples.length);
    return { measure, middle, last, isFlat: last <= allowed[measure](middle) };
  });
}

export function csvOf(samples: readonly Sample[]): string {
  const head = "seconds,resident_mib,open_files,latency_median_ms,latency_p99_ms,pieces";
  const rows = samples.map((each) =>
    [each.atSeconds, each.residentMiB, each.openFiles, each.latencyMs, each.latency99Ms, each.pieces].join(),
  );
  return `${[head, ...rows].join("\n")}\n`;
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
