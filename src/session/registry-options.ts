/** How a registry is set up, and what it is when nothing is said. */
import type { Logger } from "../base/log.ts";
import type { Store } from "../store/contract.ts";
import type { Durability } from "./journal.ts";

export interface RegistryOptions {
  readonly store: Store;
  /** Sessions that may be live in this process at once. Default 1,000. */
  readonly maxSessions?: number;
  /** A live session without activity for this long is no longer live. Default 1 h. */
  readonly idleTimeoutMs?: number;
  /** Sessions without activity for this long are deleted. Default: never. */
  readonly retentionMs?: number;
  /** Between two rounds of the sweeper. Default 5 min. */
  readonly sweepIntervalMs?: number;
  /** Longest message that is added, in bytes of JSON. Default 16 MiB. */
  readonly maxEntryBytes?: number;
  /** How long a session stays held if this process dies while it adds a message. Default 30 s. */
  readonly leaseTtlMs?: number;
  readonly durability?: Durability;
  readonly log?: Logger;
  /** The clock, in milliseconds since 1970. */
  readonly now?: () => number;
}

export const registryDefaults = {
  maxSessions: 1000,
  idleTimeoutMs: 60 * 60_000,
  sweepIntervalMs: 5 * 60_000,
  maxEntryBytes: 16 << 20,
  leaseTtlMs: 30_000,
} as const;

/** What a session is made of when its maker says nothing. */
export const emptySession = {
  additionalDirectories: [],
  mcpServerNames: [],
  agentSessionIds: [],
  settings: {},
  metadata: {},
} as const;
