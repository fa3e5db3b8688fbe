/** What an index of a store's words keeps and finds. It proposes; whether a message matches is decided by its text. */
import type { Awaitable } from "../base/awaitable.ts";
import type { SessionId } from "../base/ids.ts";

/** What is known of a session. */
export interface KnownSession {
  readonly id: SessionId;
  readonly updatedAtMs: number;
  readonly cwd: string;
  /** The folder's real path. */
  readonly folder: string;
  /** All that its agent is called, in small letters. */
  readonly agent: string;
  readonly parentId: SessionId | undefined;
  /** Entries up to here are its parent's. */
  readonly baseSeq: number;
  /** The entries that are indexed: those of a fork's parent are found there, unless it is gone. None if `through` is smaller. */
  readonly fromSeq: number;
  readonly throughSeq: number;
  /** Of the entry at `throughSeq`: by it is seen that a store was restored. */
  readonly sum: number;
  /** It had entries that were not final. */
  readonly isOpen: boolean;
  /** When final entries were last replaced by others, as its record says; 0 for never. */
  readonly rewrittenAtMs: number;
}

export interface IndexedMessage {
  readonly id: SessionId;
  readonly seq: number;
  /** Words, with spaces between them; then those that filters ask for. */
  readonly words: string;
}

export interface Batch {
  readonly sessions: readonly KnownSession[];
  readonly messages: readonly IndexedMessage[];
}

export interface IndexState {
  /** Last activity of the newest session when the index was last brought up to date; 0 before that. */
  readonly newestMs: number;
  readonly sessions: number;
  /** When all sessions were last gone through, and by how many the store counted more then. */
  readonly lookedAtMs: number;
  readonly difference: number;
}

export interface SessionsAsked {
  readonly id?: SessionId;
  /** Spellings of a folder. */
  readonly folders?: readonly string[];
  readonly agent?: string;
  readonly activeSinceMs?: number;
}

export interface WantedWord {
  readonly word: string;
  /** It may go on. */
  readonly isPrefix: boolean;
}

/** What a message has: a word, all of several, or any of them. */
export type Wanted = WantedWord | { readonly all: readonly Wanted[] } | { readonly any: readonly Wanted[] };

export interface Asked extends SessionsAsked {
  readonly wanted: Wanted;
  readonly unwanted: readonly WantedWord[];
}

/** A session that may match, and where: the newest first, found as they are asked for, once. */
export interface Candidate {
  readonly id: SessionId;
  readonly seqs: Iterable<number> | AsyncIterable<number>;
}

export interface TextIndex {
  /** Where it is, for people. */
  readonly place: string;
  /**
   * Where several processes write: runs it while no other does the same, so that none does again what another has done.
   * `waiting` runs while it waits for another; what it rejects with ends that.
   */
  alone?(work: () => Promise<void>, waiting?: () => Promise<void>): Promise<void>;
  /** Asks for so long to be the one process that brings it up to date in idle moments; 0 gives that back. False while another is. */
  claim?(forMs: number): Awaitable<boolean>;
  state(): Awaitable<IndexState>;
  note(state: Partial<Omit<IndexState, "sessions">>): Awaitable<void>;
  known(ids: readonly SessionId[]): Awaitable<ReadonlyMap<SessionId, KnownSession>>;
  /** Those that had entries which were not final. */
  open(): Awaitable<readonly KnownSession[]>;
  forksOf(id: SessionId): Awaitable<readonly KnownSession[]>;
  all(): Awaitable<readonly SessionId[]>;
  /** All of it, or nothing. */
  write(batch: Batch): Awaitable<void>;
  /** After much was written: makes it small and quick, in steps. `pace` runs after each; what it rejects with ends that. */
  tidy(pace?: () => Promise<void>): Promise<void>;
  drop(ids: readonly SessionId[]): Awaitable<void>;
  /** Sessions with the newest activity first. */
  candidates(asked: Asked): AsyncIterable<Candidate>;
  close(): Awaitable<void>;
}
