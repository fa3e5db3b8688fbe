/** What a process knows of itself: memory, processor, open files, how late its timers are. */
import { readdirSync } from "node:fs";
import { performance } from "node:perf_hooks";
import type { Counting } from "../base/meter.ts";
import type { Found } from "./figures.ts";

export function processFigures(): Found {
  const { rss, heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const openFiles = countOpenFiles();
  return {
    gauges: {
      processes: 1,
      residentBytes: rss,
      heapBytes: heapUsed,
      ...(openFiles !== undefined && { openFiles }),
    },
    counters: {
      cpuSeconds: (user + system) / 1e6,
      activeSeconds: performance.eventLoopUtilization().active / 1e3,
    },
  };
}

/** Linux and macOS show them as files; what reads them is one of them. */
function countOpenFiles(): number | undefined {
  for (const folder of ["/proc/self/fd", "/dev/fd"]) {
    try {
      return readdirSync(folder).length - 1;
    } catch {
      continue;
    }
  }
  return undefined;
}

const lookMs = 250;

/** How late timers are, looked at only while something goes on: who does nothing is not woken. */
export class LoopDelay {
  readonly #to: Counting;
  #timer: NodeJS.Timeout | undefined;
  #isActive = false;
  #isClosed = false;

  constructor(to: Counting) {
    this.#to = to;
  }

  /** Something goes on. */
  note(): void {
    this.#isActive = true;
    if (this.#timer === undefined && !this.#isClosed) this.#look();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #look(): void {
    this.#isActive = false;
    const dueMs = performance.now() + lookMs;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#to.time("loopDelay", "", Math.max(0, performance.now() - dueMs) / 1000);
      if (this.#isActive) this.#look();
    }, lookMs);
    this.#timer.unref();
  }
}
