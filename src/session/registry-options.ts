/** How a registry is set up, and what it is when nothing is said. */
import type { Audit } from "../audit/audit.ts";
import { silentLogger, type Logger } from "../base/log.ts";
import type { NewSession, SessionRecord, Store, Unreadable } from "../store/contract.ts";
import type { Config } from "../config/config.ts";
import { defaults } from "../config/options.ts";
import { checkSaid } from "../config/said.ts";
import { loggedOnce, type PassOver } from "./pages.ts";

/** What callers of the registry read and ask. */
export type { Entry, EntryRange, LeaseState, SessionFilter, SessionRecord } from "../store/contract.ts";

/** Options of the program that sessions depend on, with the same defaults. */
type Configured = Pick<
  Config,
  | "durability"
  | "onBusy"
  | "maxSessions"
  | "idleTimeoutMs"
  | "retentionMs"
  | "trashMs"
  | "sweepIntervalMs"
  | "maxEntryBytes"
  | "leaseTtlMs"
>;

export interface RegistryOptions extends Partial<Configured> {
  readonly store: Store;
  readonly log?: Logger;
  /** Records who did what: `openAudit`. Nothing does, unless told. */
  readonly audit?: Audit;
  /** Told of each session that lists leave out because it cannot be read, whenever they do; a log has it once, unless told. */
  readonly onUnreadable?: (found: Unreadable) => void;
  /** The clock, in milliseconds since 1970. Without one, idle time is measured and does not follow the wall clock. */
  readonly now?: () => number;
}

export type RegistryDefaults = ReturnType<typeof withDefaults>;

export function withDefaults({
  now = Date.now,
  store,
  audit: _,
  onUnreadable,
  ...given
}: RegistryOptions): Configured & { now: () => number; passOver: PassOver } {
  checkSaid(given, "options");
  const said = Object.entries({ store, ...given }).filter(([, value]) => value !== undefined);
  const passOver = onUnreadable ?? loggedOnce(given.log ?? silentLogger);
  return { ...defaults, ...(Object.fromEntries(said) as Partial<Configured>), now, passOver };
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
