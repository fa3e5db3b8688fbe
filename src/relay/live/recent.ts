/** Remembers the latest of many, and forgets the oldest when they become too many. */
export class Recent<T> {
  readonly #most: number;
  /** In the order in which they were added. */
  readonly #kept = new Set<T>();

  constructor(most: number) {
    this.#most = most;
  }

  has(value: T): boolean {
    return this.#kept.has(value);
  }

  /** Returns what is forgotten for it. */
  add(value: T): T | undefined {
    this.#kept.delete(value);
    this.#kept.add(value);
    if (this.#kept.size <= this.#most) return undefined;
    const [oldest] = this.#kept;
    if (oldest !== undefined) this.#kept.delete(oldest);
    return oldest;
  }

  delete(value: T): void {
    this.#kept.delete(value);
  }

  clear(): void {
    this.#kept.clear();
  }
}
