/** What differs between databases that keep sessions by SQL: their schema, their statements, how entries lie in it. */
import type { Awaitable } from "../../base/awaitable.ts";
import type { JournalWrite } from "../driver.ts";
import type { SessionId } from "../../base/ids.ts";
import type { Entry, NewEntry, NewSession, SealRange, SessionFilter } from "../contract.ts";
import type { Fragment, Operation } from "./operation.ts";
import type { SessionRow } from "./rows.ts";
import type { Statements, Words } from "./statements.ts";

/** What a session's rows are found by: its id, the number of its journal. */
export interface SessionKey {
  readonly id: SessionId;
  readonly no: number;
}

/** Entries of one journal, both ends included. */
export interface Stretch {
  readonly no: number;
  readonly from: number;
  readonly through: number;
}

/** The first entries of a stretch, and the session's state at the same instant; no state of a deleted session. */
export interface JournalPage {
  readonly entries: readonly Entry[];
  readonly session: Pick<SessionRow, "head_seq" | "sealed_seq"> | undefined;
}

export interface Dialect {
  readonly words: Words;
  readonly sql: Statements;
  /** What to do about damage, for messages. */
  readonly wayOut: string;
  /** An id that no other write of any process has, where a write may be tried again that took effect. */
  nextWrite(): string;
  termsOf(session: NewSession): readonly string[];
  termsOfFilter(filter: SessionFilter): readonly string[];
  termsWithout(filter: SessionFilter): readonly string[];
  addTerms(to: SessionKey, terms: readonly string[]): Operation<unknown>;
  dropTerms(from: SessionKey, terms: readonly string[]): Operation<unknown>;
  /** What of a session is kept as one text. */
  factsOf(session: NewSession): string;
  /** Writes a new session. False if its id is taken. `parentNo` is the journal that it inherits from. */
  insert(given: NewSession, parentNo: number | null, writeId: string): Operation<boolean>;
  /** Removes a session, all but its journal. */
  drop(row: SessionRow): Operation<unknown>;
  /** Removes what nobody inherits of a journal that has lost its session, now or bit by bit. */
  discard(no: number): Operation<unknown>;
  /** Removes entries of a journal from `from` on. True when there are more. */
  cut(no: number, from: number): Operation<boolean>;
  /**
   * Adds entries and moves head and lease, if the head is `after` and the lease is held. False or 0 if not, or if
   * there is nothing to add. What it needs is prepared before it is run.
   */
  appending(write: JournalWrite, after: number, seals: boolean): () => Operation<boolean | number>;
  /** Puts entries in the place of all from `from` on, of which `head` is the last. Prepared as well. */
  replacing(range: SealRange, entries: readonly NewEntry[]): (no: number) => Operation<unknown>;
  /** Puts as many entries in the place of those from `from` on. Prepared as well. */
  rewriting(from: number, entries: readonly NewEntry[]): (no: number) => Operation<unknown>;
  /** At least one entry of the stretch, unless there is none. */
  page(of: SessionKey, stretch: Stretch, isFirst: boolean): Awaitable<JournalPage>;
  /** The FROM and WHERE that lead to sessions, as `h`: to the first ones in the order of lists, or to all, to count them. */
  wayTo(terms: readonly string[], times: readonly Fragment[], isList: boolean): Operation<Fragment>;
  /** The SELECT of the first sessions on a way, as `ListedRow`s. Facts are looked up for these alone. */
  listed(way: string, order: string, limit: number): string;
}
