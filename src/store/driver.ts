/** What somebody gives who makes a store: the rest is the shell's (`defineStore`). */
import type { Awaitable } from "../base/awaitable.ts";
import type { SessionId } from "../base/ids.ts";
import type {
  Entry,
  EntryRange,
  Lease,
  NewEntry,
  Page,
  SessionFilter,
  SessionQuery,
  SessionRecord,
  Store,
} from "./contract.ts";
import type { TextIndex } from "./text-index.ts";

/** What an append and a seal have in common, where a write may have to be told from its second try. */
export interface JournalWrite {
  readonly id: SessionId;
  readonly lease: Lease;
  readonly entries: readonly NewEntry[];
  /** Unique to the call: by it a second try learns that the first one got through. */
  readonly writeId: string;
}

type Operation<Member> = Member extends (...args: infer Args) => Promise<infer Result>
  ? (...args: Args) => Awaitable<Result>
  : Member;

/** The members of the contract; a method may return its result itself where it has it at once. */
type Members = {
  readonly [Name in keyof Store as Name extends Narrowed ? never : Name]: Operation<Store[Name]>;
};
type Narrowed =
  | "list"
  | "count"
  | "read"
  | "rewrite"
  | "compress"
  | "identity"
  | "changeMark"
  | "textIndex"
  | "close"
  | typeof Symbol.asyncDispose;

/**
 * The operations of the contract, and what the shell must know of the medium. Operations are only called while the
 * store is open. They throw what the contract refuses: `rules.ts` decides it and words it. What they hand out is
 * frozen, or made for the caller alone; the shell copies nothing of it.
 */
export interface StoreDriver extends Members {
  list(query: SessionQuery): Awaitable<Page<SessionRecord>>;
  count(filter: SessionFilter): Awaitable<number>;
  /** `from` is 1 or more, `through` is `Infinity` for all there are. */
  read(
    id: SessionId,
    range: Required<EntryRange>,
  ): AsyncIterable<readonly Entry[]> | Iterable<readonly Entry[]>;
  /** Left out by a medium that ends with the process, and by one that cannot be told from another. */
  identity?(): Awaitable<string | undefined>;
  /** Left out by a medium that cannot say for little whether anybody has written. */
  changeMark?(): Awaitable<string | undefined>;
  /** Left out by a medium that keeps no index of words: whoever searches keeps one. */
  textIndex?(): Awaitable<TextIndex | undefined>;
  /** Where it is given, the shell packs entries by it (packing.ts). `from` … are the session's own and final, or it refuses. */
  rewrite?(id: SessionId, from: number, entries: readonly NewEntry[], lease: Lease): Awaitable<void>;
  /** In the place of what the shell does: for a driver around another one. */
  compress?(id: SessionId, lease: Lease): Awaitable<void>;
  /** It takes `metadataChanges`, in one step; for one that does not, the shell reads what is there and gives all. */
  readonly changesMetadata?: boolean;
  /**
   * Called once, and no operation after it.
   * @param queued settles when the writes that `queuesWrites` has let wait have ended; they are carried out meanwhile
   */
  close(queued: Promise<void>): Awaitable<void>;
  /**
   * True for a driver that first waits for something and then writes: the shell then begins a write when those to the
   * same session that were asked for before it have ended, and hands over copies, since the caller may change what it
   * gave. A driver that has written when its call returns needs neither, and pays for neither.
   */
  readonly queuesWrites?: boolean;
  /** A failure of the medium in the contract's codes (`STORE_…`); every other error as it is. */
  toStoreError?(error: unknown, sessionId?: SessionId): unknown;
}
