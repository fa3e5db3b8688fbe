/** What a harness is told, and what it reports. */

export interface TortureOptions {
  readonly seed: string;
  /** How often to break something; each harness says what. */
  readonly kills: number;
  /** `sqlite`, `file`, or a server's URL. */
  readonly store: string;
  /** For harnesses that run for a time and not for a number of kills. */
  readonly seconds: number;
  /** A directory for files that show what was measured; none are written when it is absent. */
  readonly out?: string;
  /** One of the harness's `breaks`: it must fail then. */
  readonly broken?: string;
  /** A file in which a failure was kept: nothing but that is judged, again. */
  readonly again?: string;
  /** Progress, for people. */
  readonly log: (line: string) => void;
}

export interface Harness {
  readonly name: string;
  readonly about: string;
  /** Of a glimpse, of the run in CI, and of the long one. */
  readonly sizes: Readonly<
    Record<"glimpse" | "middle" | "long", Partial<Pick<TortureOptions, "kills" | "seconds">>>
  >;
  /** Ways to break what is promised, by which a harness proves that it can fail. */
  readonly breaks?: readonly string[];
  /** Errors: `PromiseBroken`, and anything that a sidecar must not do. */
  readonly run: (options: TortureOptions) => Promise<Figures>;
}

/** Counts of what was done and seen. */
export type Figures = Readonly<Record<string, number>>;

export class Counter {
  readonly #counts = new Map<string, number>();

  add(name: string, count = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + count);
  }

  addAll(counts: Iterable<readonly [string, number]>, prefix = ""): void {
    for (const [name, count] of counts) this.add(prefix + name, count);
  }

  most(name: string, count: number): void {
    this.#counts.set(name, Math.max(count, this.#counts.get(name) ?? 0));
  }

  get figures(): Figures {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => a.localeCompare(b)));
  }
}
