/** All sessions of one or several places, brought in one after the other, and what came of it. */
import { reasonOf, isSidecarError } from "../../base/errors.ts";
import { tidyUp } from "../../base/heap.ts";
import type { SessionRegistry } from "../../session/registry.ts";
import { Intake } from "./intake.ts";
import { keyOf } from "./mark.ts";
import type { HistoryReader, NativeSession, Problem } from "./native.ts";
import type { Outcome } from "./outcome.ts";

/** How it went with one session. */
export interface Told extends Outcome {
  readonly source: string;
  readonly nativeId: string;
  readonly path: string;
}

export interface ImportOptions {
  readonly registry: SessionRegistry;
  readonly reader: HistoryReader;
  readonly places: readonly string[];
  /** Say what would be, and write nothing. */
  readonly isDryRun?: boolean;
  /** Only what was written to since. */
  readonly sinceMs?: number;
  /** Of those that were found. */
  readonly isWanted?: (native: NativeSession) => boolean;
  readonly signal?: AbortSignal;
  /** Told of all that could not be read, as it is met. */
  readonly onProblem?: (problem: Problem) => void;
  /** Told of each session; awaited. */
  readonly onSession?: (told: Told) => void | Promise<void>;
  /** In bytes of the originals. */
  readonly onProgress?: (done: number, total: number) => void | Promise<void>;
}

/** What was read leaves as much behind; the heap would grow by it before anybody looked. */
const tidyEachBytes = 16 << 20;

export type Counts = Readonly<Record<Outcome["what"], number>>;

export interface ImportResult {
  readonly sessions: Counts;
  /** That were written. */
  readonly entries: number;
  readonly bytes: number;
  /** What could not be read. */
  readonly problems: number;
}

/**
 * Again it does nothing, and goes on where it was interrupted. Errors: `STORE_…`, which end it; what cannot be read does
 * not, and is told.
 */
export async function importHistory(options: ImportOptions): Promise<ImportResult> {
  return new Importing(options).run();
}

class Importing {
  readonly #options: ImportOptions;
  readonly #counts: Record<Outcome["what"], number> = {
    imported: 0,
    continued: 0,
    replaced: 0,
    present: 0,
    empty: 0,
    skipped: 0,
  };
  #entries = 0;
  #bytes = 0;
  #total = 0;
  #problems = 0;
  #untidy = 0;

  constructor(options: ImportOptions) {
    this.#options = options;
  }

  async run(): Promise<ImportResult> {
    const { registry, isDryRun = false } = this.#options;
    const found = await this.#find();
    this.#total = found.reduce((sum, { bytes }) => sum + bytes, 0);
    const report = (problem: Problem) => this.#report(problem);
    const onBytes = (bytes: number) => this.#at(bytes);
    const intake = new Intake({ registry, isDryRun, report, onBytes });
    for (const native of found) {
      const before = this.#bytes;
      await this.#take(intake, native);
      // Of what is not read to its end the rest is done, too.
      await this.#at(before + native.bytes - this.#bytes);
    }
    return {
      sessions: this.#counts,
      entries: this.#entries,
      bytes: this.#bytes,
      problems: this.#problems,
    };
  }

  /** One that lies in several places is taken from where it was written to last. Older ones come first. */
  async #find(): Promise<NativeSession[]> {
    const { reader, places, sinceMs = -Infinity, isWanted = () => true, signal } = this.#options;
    const byKey = new Map<string, NativeSession>();
    for (const place of places) {
      for await (const native of reader.sessions(place, (problem) => this.#report(problem))) {
        signal?.throwIfAborted();
        if (native.modifiedAtMs < sinceMs) continue;
        const other = byKey.get(keyOf(native));
        if (other === undefined || isNewer(native, other)) byKey.set(keyOf(native), native);
      }
    }
    const wanted = [...byKey.values()].filter(isWanted).sort((a, b) => a.modifiedAtMs - b.modifiedAtMs);
    return parentsFirst(wanted);
  }

  async #take(intake: Intake, native: NativeSession): Promise<void> {
    const outcome = await this.#outcomeOf(intake, native);
    if (outcome === undefined) return;
    this.#counts[outcome.what] += 1;
    this.#entries += outcome.entries;
    const { source, nativeId, path } = native;
    await this.#options.onSession?.({ ...outcome, source, nativeId, path });
  }

  /** Undefined where its file could not be read: that is told. */
  async #outcomeOf(intake: Intake, native: NativeSession): Promise<Outcome | undefined> {
    try {
      return await intake.take(native);
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      if (isSidecarError(error) && !this.#isOfOneFile(error, native)) throw error;
      const reason = isSidecarError(error) ? reasonOf(error) : `cannot be read: ${reasonOf(error)}`;
      this.#report({ path: native.path, reason });
      return undefined;
    }
  }

  /** A bundle that was changed meanwhile costs itself; the fault of one that is named is that of the command. */
  #isOfOneFile(error: unknown, { path }: NativeSession): boolean {
    return isSidecarError(error, "BUNDLE_INVALID") && !this.#options.places.includes(path);
  }

  #report(problem: Problem): void {
    if (problem.isPending !== true) this.#problems += 1;
    this.#options.onProblem?.(problem);
  }

  async #at(bytes: number): Promise<void> {
    this.#options.signal?.throwIfAborted();
    this.#bytes += bytes;
    this.#untidy += bytes;
    if (this.#untidy > tidyEachBytes) {
      tidyUp(this.#untidy);
      this.#untidy = 0;
    }
    await this.#options.onProgress?.(this.#bytes, this.#total);
  }
}

/** A fork shares what its parent has only when that is there. */
function parentsFirst(sessions: readonly NativeSession[]): NativeSession[] {
  const byKey = new Map(sessions.map((native) => [keyOf(native), native]));
  const ordered = new Set<NativeSession>();
  for (const native of sessions) {
    const line: NativeSession[] = [];
    let next: NativeSession | undefined = native;
    // What is ordered twice stays where it came first: a circle ends where it began.
    while (next !== undefined && !ordered.has(next) && byKey.delete(keyOf(next))) {
      line.push(next);
      next = next.forkOf === undefined ? undefined : byKey.get(keyOf({ ...next, nativeId: next.forkOf }));
    }
    for (const each of line.reverse()) ordered.add(each);
  }
  return [...ordered];
}

function isNewer(a: NativeSession, b: NativeSession): boolean {
  return a.modifiedAtMs === b.modifiedAtMs ? a.bytes > b.bytes : a.modifiedAtMs > b.modifiedAtMs;
}
