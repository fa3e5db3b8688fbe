/** What a medium says of itself. A leaf: types only. */

export interface StoreStats {
  readonly sessions: number;
  readonly entries: number;
  /** What the medium takes up, as far as it can tell. */
  readonly bytes: number;
  /** Figures of one driver (hits, evictions, layers …). */
  readonly details?: Readonly<Record<string, number | string>>;
}

export interface StoreCapabilities {
  /** Sessions outlive the process. */
  readonly persistent: boolean;
  /** Several processes may use the same medium at once. */
  readonly shared: boolean;
  /** After `flush()`, what was written survives a power cut. */
  readonly survivesPowerLoss: boolean;
}
