/**
 * Finds sessions with a match on the server, the newest activity first. What few messages have is found at once and put
 * in order; of what many have only the sessions are looked at that come first.
 */
import type { SessionId } from "../../../base/ids.ts";
import type { Asked, Candidate, SessionsAsked } from "../../text-index.ts";
import { rows, type Fragment, type Operation, type Value } from "../operation.ts";
import type { Database } from "./database.ts";
import { storable, tsquery } from "./text-index-words.ts";

/** More matches than these are many. */
const few = 2000;
/** Fewer sessions than these are gone through one by one. */
const fewSessions = 100;
/** Sessions that are looked at at a time: first few, because the newest have it, then more. */
const [firstSessions, mostSessions] = [16, 256];

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
  const ask = <Row>(text: string, ...values: Value[]): Promise<readonly Row[]> =>
    database.read(() => all<Row>(text, values));
  const match = tsquery(asked);
  const which = conditions(asked);
  const fits = `SELECT 1 FROM ${schema}.search_sessions s WHERE ${which.text} LIMIT ${fewSessions + 1}`;
  if ((await ask(fits, ...which.values)).length > fewSessions) {
    const text = `SELECT journal_id, seq FROM ${schema}.search_messages WHERE words @@ ?::tsquery LIMIT ${few + 1}`;
    const matches = await ask<Match>(text, match);
    if (matches.length <= few) {
      const byJournal = byJournalOf(matches);
      const ordered = `SELECT id, journal_id FROM ${schema}.search_sessions s
        WHERE ${which.text} AND journal_id = ANY(?::bigint[]) ORDER BY updated_at_ms DESC, id DESC`;
      const sessions = await ask<Session>(ordered, ...which.values, [...byJournal.keys()].map(String));
      yield* candidates(sessions, byJournal);
      return;
    }
  }
  const page = `SELECT id, journal_id, updated_at_ms FROM ${schema}.search_sessions s
    WHERE ${which.text} AND journal_id IS NOT NULL AND (updated_at_ms, id) < (?::bigint, ?)
    ORDER BY updated_at_ms DESC, id DESC LIMIT ?::bigint`;
  // OFFSET keeps the server from asking the words first, which many messages have.
  const inside = `SELECT journal_id, seq FROM (SELECT journal_id, seq, words FROM ${schema}.search_messages
    WHERE journal_id = ANY(?::bigint[]) OFFSET 0) m WHERE words @@ ?::tsquery`;
  let behind: readonly [number, string] = [Number.MAX_SAFE_INTEGER, ""];
  for (let most = firstSessions; ; most = Math.min(2 * most, mostSessions)) {
    const sessions = await ask<Session>(page, ...which.values, ...behind, most);
    const journals = sessions.map((session) => String(session.journal_id));
    if (journals.length > 0)
      yield* candidates(sessions, byJournalOf(await ask<Match>(inside, journals, match)));
    const last = sessions.at(-1);
    if (last === undefined || sessions.length < most) return;
    behind = [last.updated_at_ms, last.id];
  }
}

function* all<Row>(text: string, values: readonly Value[]): Operation<readonly Row[]> {
  return yield* rows<Row>({ name: "", text }, ...values);
}

function* candidates(
  sessions: readonly Session[],
  byJournal: ReadonlyMap<number, number[]>,
): Generator<Candidate> {
  for (const { id, journal_id } of sessions) {
    const seqs = byJournal.get(journal_id);
    if (seqs !== undefined) yield { id, seqs: seqs.sort((a, b) => b - a) };
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
