/** The Store contract: what every medium does for the session layer. Imports no driver. */
import type { SessionId } from "../base/ids.ts";
import type { AgentFacts, ClientFacts, MetadataChanges, SessionSettings } from "./session-facts.ts";
import type { StoreCapabilities, StoreStats } from "./medium-facts.ts";
import type { TextIndex } from "./text-index.ts";
import type { Unreadable } from "../base/unreadable.ts";

export type { StoreCapabilities, StoreStats } from "./medium-facts.ts";
export type { Unreadable } from "../base/unreadable.ts";
export type {
  AgentFacts,
  Chosen,
  ClientFacts,
  MetadataChanges,
  Rewind,
  SessionSettings,
} from "./session-facts.ts";

/** Values by which sessions can be searched. */
export type Metadata = Readonly<Record<string, string | number | boolean>>;

/** Where a fork started: it shares its parent's entries 1 … `atSeq` and goes on with `atSeq + 1`. */
export interface Lineage {
  readonly parentId: SessionId;
  readonly atSeq: number;
}

/** What a session is created with. Plain JSON data throughout. */
export interface NewSession {
  readonly id: SessionId;
  readonly createdAtMs: number;
  /** Last activity; orders lists and drives retention. */
  readonly updatedAtMs: number;
  readonly cwd: string;
  readonly additionalDirectories: readonly string[];
  readonly title?: string;
  readonly client?: ClientFacts;
  readonly agent?: AgentFacts;
  /** Names only: commands, env and headers are secrets and never get here. */
  readonly mcpServerNames: readonly string[];
  /** Every id that an agent has known this session by, the newest last. */
  readonly agentSessionIds: readonly string[];
  readonly settings: SessionSettings;
  readonly lineage?: Lineage;
  readonly metadata: Metadata;
}

/** A session as the store hands it out: always a copy. */
export interface SessionRecord extends NewSession {
  /** `seq` of the last entry, inherited ones counted; 0 for none. */
  readonly headSeq: number;
  /** Entries up to here are final: whole messages that keep their `seq` forever. */
  readonly sealedSeq: number;
  /** Who holds or last held the session without releasing it. */
  readonly lease?: LeaseState;
}

/** What may change in a record; `null` clears, an absent key leaves alone. */
export interface SessionPatch {
  readonly cwd?: string;
  readonly updatedAtMs?: number;
  readonly title?: string | null;
  readonly additionalDirectories?: readonly string[];
  readonly client?: ClientFacts;
  readonly agent?: AgentFacts;
  readonly mcpServerNames?: readonly string[];
  readonly agentSessionIds?: readonly string[];
  readonly settings?: SessionSettings;
  readonly metadata?: Metadata;
  readonly metadataChanges?: MetadataChanges; // only these of the metadata, `null` takes one out: nobody else's change is undone
}

/**
 * What an entry is:
 * `prompt`, `update` — params of `session/prompt`, `session/update` without the session id;
 * a subagent's stand in its parent's journal, with the id of its session in the member `acp-sidecar.child`;
 * `request`, `response` — an agent's request to the client and the answer; `setting` — a mode or option that was set;
 * `message` — put in by the library; `end` — a turn's end: stop reason, or the error that ended it;
 * `rewind` — `{ toSeq }`: from here on the conversation is what it was when `toSeq` was its last entry;
 * `summary` — `{ throughSeq, content, by }`: content blocks that stand for the conversation up to `throughSeq`;
 * `context` — what is known of the project's files since the one before (src/context/snapshot.ts): no part of the conversation.
 */
// oxfmt-ignore
export type EntryKind =
  "prompt" | "update" | "request" | "response" | "setting" | "message" | "end" | "rewind" | "summary" | "context";

export interface NewEntry {
  readonly kind: EntryKind;
  readonly atMs: number;
  /** JSON text of one object. Opaque to stores: kept and given back to the letter. */
  readonly data: string;
}

/** One journaled fact. `seq` starts at 1 and has no gap within a session (its inherited part counted). */
export interface Entry extends NewEntry {
  readonly seq: number;
}

/** Both ends included; absent ends are open. */
export interface EntryRange {
  readonly from?: number;
  readonly through?: number;
}

/** The entries that a seal replaces: `from` … `head`; none when `from` is `head + 1`. */
export interface SealRange {
  readonly from: number;
  readonly head: number;
}

/** A process that holds sessions, told apart from a later one with the same process id by `startedAt`. */
export interface Holder {
  /** Where process ids mean the same: host, boot and process namespace. */
  readonly host: string;
  readonly pid: number;
  /** Opaque token of the process's start, compared for equality only. */
  readonly startedAt: string;
  /** The agent that it runs, so that a successor can stop one that was left over. */
  readonly agent?: { readonly pid: number; readonly startedAt: string };
}

export interface LeaseState {
  readonly holder: Holder;
  /** Only grows, with every acquisition. A write under an older one is refused. */
  readonly fence: number;
  readonly sinceMs: number;
  readonly expiresAtMs: number;
  readonly turnRunning: boolean;
}

/** The right to append to one session. A value: writes store its `turnRunning` and extend it by `ttlMs`. */
export interface Lease extends LeaseState {
  readonly sessionId: SessionId;
  readonly ttlMs: number;
}

export interface LeaseRequest {
  readonly holder: Holder;
  readonly ttlMs: number;
  /** Asked about a lease that has not run out, whoever holds it: may it be taken over? Must be pure; may be asked again. */
  readonly mayTake: (current: LeaseState) => boolean;
}

export interface Acquired {
  readonly lease: Lease; // in a turn if the previous one was: that ends with a write of whoever has it now
  /** The lease that was taken over or had run out without being released. */
  readonly previous?: LeaseState;
  readonly setAside?: string; // what a crash had left half done, in words for the log
}

export interface SessionFilter {
  readonly cwd?: string;
  readonly updatedBeforeMs?: number; // last activity before this instant
  readonly updatedSinceMs?: number; // at or after this one
  /** Every given key must equal. */
  readonly metadata?: Metadata;
  readonly withoutMetadata?: Metadata; // and none of these
  /** Known to an agent by this id, now or before. */
  readonly agentSessionId?: string;
  readonly parentId?: SessionId;
  readonly idStartsWith?: string; // in upper case, as ids are
  readonly idEndsWith?: string;
}

export interface SessionQuery extends SessionFilter {
  /** From a page's `nextCursor`. Errors: `INVALID_CURSOR`. */
  readonly cursor?: string;
  /** At most 1,000; 50 unless told. */
  readonly limit?: number;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor?: string;
  readonly unreadable?: readonly Unreadable[]; // sessions that belong here and cannot be read: they cost the others nothing
}

/**
 * A medium that keeps sessions. Methods are asynchronous and may be called concurrently; writes to one
 * session take effect in the order of the calls. Every method may reject with a `STORE_…` code; a write
 * that rejects has had no effect, or is found complete by a later read, never in part.
 */
export interface Store extends AsyncDisposable {
  /** Scheme of the URL that opens it. */
  readonly name: string;
  readonly capabilities: StoreCapabilities;
  readonly recovered?: string | undefined; // of a process that did not close it, in words for the log
  /** Errors: `SESSION_EXISTS`; `SESSION_NOT_FOUND` for an unknown parent; `STORE_CONFLICT` for a fork beyond the parent's sealed entries. */
  create(session: NewSession): Promise<SessionRecord>;

  get(id: SessionId): Promise<SessionRecord | undefined>;

  /** With a lease, only while it is held. Errors: `SESSION_NOT_FOUND`, `LEASE_LOST`. */
  update(id: SessionId, patch: SessionPatch, lease?: Lease): Promise<SessionRecord>;

  /**
   * The session is gone and never comes back: later writes fail with `SESSION_NOT_FOUND`. Entries that a
   * fork inherits stay readable through the fork. True if it was there. With a lease, only while it is held. Errors: `LEASE_LOST`.
   */
  delete(id: SessionId, lease?: Lease): Promise<boolean>;

  /** Newest activity first (then greatest id), by keyset: no session is missed or doubled for being paged. */
  list(query?: SessionQuery): Promise<Page<SessionRecord>>;

  count(filter?: SessionFilter): Promise<number>;

  /**
   * Adds entries after `after`, the writer's head: all or nothing. Last activity is the last entry's time then. Returns
   * the new head. Errors: `SESSION_NOT_FOUND`, `LEASE_LOST`, `STORE_CONFLICT` when the journal does not end at `after`.
   */
  append(id: SessionId, after: number, entries: readonly NewEntry[], lease: Lease): Promise<number>;

  /**
   * Puts `entries` in the place of the entries `from` … `head` and marks all as final, in one transaction.
   * `from` is `head + 1` when nothing is replaced. Last activity moves to the last entry's time if later.
   * Returns the new head, smaller perhaps. Errors: as `append`; `STORE_CONFLICT` also when `from` is final.
   */
  seal(id: SessionId, range: SealRange, entries: readonly NewEntry[], lease: Lease): Promise<number>;

  /**
   * Puts as many others in the place of final entries of its own, from `from` on: all or nothing. For what means the
   * same in less room, or a note of it; nobody is told. Errors: as `append`; `STORE_CONFLICT` for entries that are not
   * final or are inherited; `STORE_UNSUPPORTED`.
   */
  rewrite(id: SessionId, from: number, entries: readonly NewEntry[], lease: Lease): Promise<void>;

  /** Final entries of its own take less room, where the medium can do that; nothing else changes. Errors: as `append`. */
  compress(id: SessionId, lease: Lease): Promise<void>;

  /** Entries in order, in pages of bounded size, inherited ones first. Errors: `SESSION_NOT_FOUND`;
   * `STORE_CONFLICT` when a seal has replaced entries that were given out already. */
  read(id: SessionId, range?: EntryRange): AsyncIterable<readonly Entry[]>;

  /**
   * Takes the lease when it is free, has run out, or `mayTake` agrees. Errors: `SESSION_NOT_FOUND`,
   * `SESSION_BUSY` with `data: { sessionId, holder, since, turnRunning }`.
   */
  acquire(id: SessionId, request: LeaseRequest): Promise<Acquired>;

  /** Extends the lease and stores its holder and `turnRunning`. Errors: `LEASE_LOST`, `SESSION_NOT_FOUND`. */
  renew(lease: Lease): Promise<Lease>;

  /** Gives the lease back; nothing happens if it is no longer ours. */
  release(lease: Lease): Promise<void>;

  /** On return everything acknowledged before the call survives a power cut, where `capabilities` say so. */
  flush(): Promise<void>;

  stats(): Promise<StoreStats>;

  /** What tells the medium from every other: what is derived from it is kept under that. Undefined where it ends with us. */
  identity(): Promise<string | undefined>;
  /** Another text whenever anything was written, by whomever, so that who looks again and again need not read. Undefined, or left out, where that is not known for little. */
  changeMark?(): Promise<string | undefined>;
  textIndex(): Promise<TextIndex | undefined>; // of its words, where the medium keeps one itself

  /** Releases what the store holds; later calls fail with `STORE_CLOSED`. Idempotent; `await using` does the same. */
  close(): Promise<void>;
}
