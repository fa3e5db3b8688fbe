/**
 * Finds sessions with a match on the server, the newest activity first: first among those that come first, which is
 * enough for what many messages have. Of the rest what few messages have is found at once and put in order.
 */
import type { SessionId } from "../../../base/ids.ts";
import type { Asked, Candidate, SessionsAsked } from "../../text-index.ts";
import { rows, type Fragment, type Operation, type Value } from "../operation.ts";
import type { Database } from "./database.ts";
import { postgresFailure } from "./failures.ts";
import { storable, tsquery } from "./text-index-words.ts";

/** More matches than these are many. */
const few = 2000;
/** Fewer sessions than these are gone through one by one. */
const fewSessions = 100;
/** Sessions that are looked at at a time: first few, because the newest have it, then more. */
const [firstSessions, mostSessions] = [16, 256];
/** Matches of a session that are fetched with it; the others, more at a time, when they are asked for. */
const [firstMatches, moreMatches] = [100, 2000];

interface Session {
  readonly id: SessionId;
  readonly journal_id: number;
  readonly updated_at_ms: number;
}

interface Match {
  readonly journal_id: number;
  readonly seq: number;
}

export async function* candidatesIn(
  database: Database,
  schema: string,
  asked: Asked,
): AsyncGenerator<Candidate> {
  const finding = new Finding(database, schema, asked);
  // Most of what is looked for is common enough to be found here, and the server never has to find all of it.
  let behind: Behind | undefined = yield* finding.among(firstSessions, newest);
  if (behind === undefined) return;
  if (await finding.isOfMany()) {
    const matches = await finding.few();
    if (matches !== undefined) {
      yield* finding.ordered(matches, behind);
      return;
    }
  }
  for (let most = 2 * firstSessions; behind !== undefined; most = Math.min(2 * most, mostSessions))
    behind = yield* finding.among(most, behind);
}

/** The last session that was looked at. */
type Behind = readonly [updatedAtMs: number, id: string];
const newest: Behind = [Number.MAX_SAFE_INTEGER, ""];

class Finding {
  readonly #database: Database;
  readonly #schema: string;
  readonly #match: string;
  readonly #which: Fragment;

  constructor(database: Database, schema: string, asked: Asked) {
    this.#database = database;
    this.#schema = schema;
    this.#match = tsquery(asked);
    this.#which = conditions(asked);
  }

  /** Whether more sessions are asked for than are gone through one by one. */
  async isOfMany(): Promise<boolean> {
    const { text, values } = this.#which;
    const fits = `SELECT 1 FROM ${this.#schema}.search_sessions s WHERE ${text} LIMIT ${fewSessions + 1}`;
    return (await this.#ask(fits, ...values)).length > fewSessions;
  }

  /** All matches, unless they are many. */
  async few(): Promise<readonly Match[] | undefined> {
    const matches = await this.#ask<Match>(
      `SELECT journal_id, seq FROM ${this.#schema}.search_messages WHERE words @@ ?::tsquery LIMIT ${few + 1}`,
      this.#match,
    );
    return matches.length > few ? undefined : matches;
  }

  /** All matches are at hand: those of sessions behind one. */
  async *ordered(matches: readonly Match[], behind: Behind): AsyncGenerator<Candidate> {
    const byJournal = byJournalOf(matches);
    const { text, values } = this.#which;
    const sessions = await this.#ask<Session>(
      `SELECT id, journal_id FROM ${this.#schema}.search_sessions s
       WHERE ${text} AND journal_id = ANY(?::bigint[]) AND (updated_at_ms, id) < (?::bigint, ?)
       ORDER BY updated_at_ms DESC, id DESC`,
      ...values,
      [...byJournal.keys()].map(String),
      ...behind,
    );
    yield* candidates(sessions, byJournal);
  }

  /** Looks at so many sessions. Returns the last of them, unless there is none behind it. */
  async *among(most: number, behind: Behind): AsyncGenerator<Candidate, Behind | undefined> {
    const { text, values } = this.#which;
    const sessions = await this.#ask<Session>(
      `SELECT id, journal_id, updated_at_ms FROM ${this.#schema}.search_sessions s
       WHERE ${text} AND journal_id IS NOT NULL AND (updated_at_ms, id) < (?::bigint, ?)
       ORDER BY updated_at_ms DESC, id DESC LIMIT ?::bigint`,
      ...values,
      ...behind,
      most,
    );
    if (sessions.length > 0) {
      const newestIn = byJournalOf(await this.#newestIn(sessions));
      yield* candidates(sessions, newestIn, (journal, first) => this.#seqsOf(journal, first));
    }
    const last = sessions.at(-1);
    return last === undefined || sessions.length < most ? undefined : [last.updated_at_ms, last.id];
  }

  /** A session with fewer than were asked for has no others. */
  #seqsOf(journal: number, first: readonly number[]): Candidate["seqs"] {
    return first.length < firstMatches ? first : this.#andBefore(journal, first);
  }

  async *#andBefore(journal: number, first: readonly number[]): AsyncGenerator<number> {
    yield* first;
    let before = first.at(-1);
    while (before !== undefined) {
      const page = await this.#matches([journal], moreMatches, before);
      for (const { seq } of page) yield seq;
      before = page.length < moreMatches ? undefined : page.at(-1)?.seq;
    }
  }

  #newestIn(sessions: readonly Session[]): Promise<readonly Match[]> {
    const journals = sessions.map(({ journal_id }) => journal_id);
    return this.#matches(journals, firstMatches, Number.MAX_SAFE_INTEGER);
  }

  /**
   * The newest matches of each journal, at most so many. OFFSET keeps the server from asking the words first, which many
   * messages have: it goes through a journal's messages backwards, and ends when it has enough.
   */
  #matches(journals: readonly number[], most: number, before: number): Promise<readonly Match[]> {
    return this.#ask<Match>(
      `SELECT journal_id, seq FROM unnest(?::bigint[]) AS j (id), LATERAL (
         SELECT journal_id, seq FROM (
           SELECT journal_id, seq, words FROM ${this.#schema}.search_messages
           WHERE journal_id = j.id AND seq < ?::bigint ORDER BY seq DESC OFFSET 0) m
         WHERE words @@ ?::tsquery ORDER BY seq DESC LIMIT ?::bigint) found`,
      journals.map(String),
      before,
      this.#match,
      most,
    );
  }

  async #ask<Row>(text: string, ...values: Value[]): Promise<readonly Row[]> {
    try {
      return await this.#database.read(() => all<Row>(text, values));
    } catch (error) {
      throw postgresFailure(error, this.#database.place);
    }
  }
}

function* all<Row>(text: string, values: readonly Value[]): Operation<readonly Row[]> {
  return yield* rows<Row>({ name: "", text }, ...values);
}

function* candidates(
  sessions: readonly Session[],
  byJournal: ReadonlyMap<number, number[]>,
  all: (journal: number, seqs: readonly number[]) => Candidate["seqs"] = (_, seqs) => seqs,
): Generator<Candidate> {
  for (const { id, journal_id } of sessions) {
    const seqs = byJournal.get(journal_id)?.sort((a, b) => b - a);
    if (seqs !== undefined) yield { id, seqs: all(journal_id, seqs) };
  }
}

function byJournalOf(matches: readonly Match[]): Map<number, number[]> {
  const byJournal = new Map<number, number[]>();
  for (const { journal_id, seq } of matches) {
    const found = byJournal.get(journal_id);
    if (found === undefined) byJournal.set(journal_id, [seq]);
    else found.push(seq);
  }
  return byJournal;
}

function conditions({ id, folders, agent, activeSinceMs }: SessionsAsked): Fragment {
  const texts = ["true"];
  const values: Value[] = [];
  const add = (text: string, ...given: Value[]) => {
    texts.push(text);
    values.push(...given);
  };
  if (id !== undefined) add("s.id = ?", id);
  if (folders !== undefined) {
    const names = folders.map(storable);
    add("(s.cwd = ANY(?::text[]) OR s.folder = ANY(?::text[]))", names, names);
  }
  if (agent !== undefined) add("strpos(s.agent, ?) > 0", storable(agent.toLowerCase()));
  if (activeSinceMs !== undefined) add("s.updated_at_ms >= ?::bigint", Math.floor(activeSinceMs));
  return { text: texts.join(" AND "), values };
}
