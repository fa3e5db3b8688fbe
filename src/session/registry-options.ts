/** How a registry is set up, and what it is when nothing is said. */
import { resolve } from "node:path";
import type { Logger } from "../base/log.ts";
import type { NewSession, SessionRecord, Store, StoreStats } from "../store/contract.ts";
import type { OnBusy } from "./holder.ts";
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
  /** Longest message that is added, in bytes of JSON. Default 64 MiB. */
  readonly maxEntryBytes?: number;
  /** How long a session stays held if this process dies while it adds a message. Default 30 s. */
  readonly leaseTtlMs?: number;
  readonly durability?: Durability;
  /** Whose session is taken when it is opened here. Default: an idle holder's. */
  readonly onBusy?: OnBusy;
  readonly log?: Logger;
  /** The clock, in milliseconds since 1970. */
  readonly now?: () => number;
}

export type RegistryDefaults = ReturnType<typeof withDefaults>;

export function withDefaults(given: RegistryOptions) {
  return {
    maxSessions: given.maxSessions ?? 1000,
    idleTimeoutMs: given.idleTimeoutMs ?? 60 * 60_000,
    retentionMs: given.retentionMs,
    sweepIntervalMs: given.sweepIntervalMs ?? 5 * 60_000,
    maxEntryBytes: given.maxEntryBytes ?? 64 << 20,
    leaseTtlMs: given.leaseTtlMs ?? 30_000,
    durability: given.durability ?? "turn",
    onBusy: given.onBusy ?? "idle",
    now: given.now ?? Date.now,
  };
}

/** What a session is made of when its maker says nothing. */
export const emptySession = {
  additionalDirectories: [],
  mcpServerNames: [],
  agentSessionIds: [],
  settings: {},
  metadata: {},
} as const;

/** What a session is created with; all else is filled in. */
export type SessionInit = Partial<Omit<NewSession, "id" | "createdAtMs" | "updatedAtMs">> & {
  readonly cwd: string;
};

export interface RegistryStats extends StoreStats {
  readonly live: number;
}

/** What a fork takes over from its parent. */
export function forkOf(parent: SessionRecord, atSeq: number): SessionInit {
  const { id: parentId, cwd, additionalDirectories, title, client, mcpServerNames, settings } = parent;
  return {
    cwd,
    additionalDirectories,
    mcpServerNames,
    settings,
    ...(title !== undefined && { title }),
    ...(client && { client }),
    lineage: { parentId, atSeq },
  };
}

/** Folders are written in one way because stores compare them as texts: a slash at the end makes no other folder. */
export function withPlainCwd<T extends { readonly cwd?: string }>(named: T): T {
  return named.cwd === undefined ? named : { ...named, cwd: resolve(named.cwd) };
}
