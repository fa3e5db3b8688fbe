/** What is written to the index of words on the server, and how its rows stand for sessions and messages. */
import type { SessionId } from "../../../base/ids.ts";
import type { Batch, IndexedMessage, KnownSession } from "../../text-index.ts";
import { rows, write, type Operation } from "../operation.ts";
import { keptWords, storable } from "./text-index-words.ts";

/** Of words in one statement. */
const mostChars = 1 << 20;

export const columns = `id, updated_at_ms, cwd, folder, agent, parent_id, base_seq, from_seq, through_seq, sum, is_open, rewritten_at_ms`;
const given = `id text, updated_at_ms bigint, cwd text, folder text, agent text, parent_id text, base_seq bigint,
  from_seq bigint, through_seq bigint, sum bigint, is_open boolean, rewritten_at_ms bigint`;

export interface SessionRow {
  readonly id: SessionId;
  readonly updated_at_ms: number;
  readonly cwd: string;
  readonly folder: string;
  readonly agent: string;
  readonly parent_id: SessionId | null;
  readonly base_seq: number;
  readonly from_seq: number;
  readonly through_seq: number;
  readonly sum: number;
  readonly is_open: boolean;
  readonly rewritten_at_ms: number;
}

export function* writing(schema: string, { sessions, messages }: Batch): Operation<void> {
  const ids = [...new Set([...sessions, ...messages].map(({ id }) => id))];
  // None of them goes until this is done; those that are gone get no words.
  const hold = `SELECT id FROM ${schema}.sessions WHERE id = ANY(?::text[]) ORDER BY id FOR KEY SHARE`;
  yield* rows({ name: "", text: hold }, ids);
  const newest = new Map(sessions.map((session) => [session.id, toRow(session)]));
  const changed = columns
    .split(", ")
    .slice(1)
    .map((name) => `${name} = EXCLUDED.${name}`)
    .join(", ");
  const put = `INSERT INTO ${schema}.search_sessions (journal_id, ${columns})
    SELECT (SELECT journal_id FROM ${schema}.sessions s WHERE s.id = k.id), k.* FROM json_to_recordset(?::json) AS k (${given})
    ORDER BY id ON CONFLICT (id) DO UPDATE SET journal_id = EXCLUDED.journal_id, ${changed}`;
  if (newest.size > 0) yield* write({ name: "", text: put }, JSON.stringify([...newest.values()]));
  const add = `INSERT INTO ${schema}.search_messages (journal_id, seq, words)
    SELECT journal_id, m.seq, array_to_tsvector(string_to_array(m.words, ' '))
    FROM unnest(?::text[], ?::bigint[], ?::text[]) AS m (id, seq, words) JOIN ${schema}.sessions s ON s.id = m.id
    ON CONFLICT (journal_id, seq) DO UPDATE SET words = EXCLUDED.words`;
  for (const some of inParts(messages)) {
    const texts = some.map(({ words }) => keptWords(words));
    const seqs = some.map(({ seq }) => String(seq));
    yield* write(
      { name: "", text: add },
      some.map(({ id }) => id),
      seqs,
      texts,
    );
  }
}

/** What words of gone sessions there are went with them. */
export function* dropping(schema: string, ids: readonly SessionId[]): Operation<void> {
  const words = `DELETE FROM ${schema}.search_messages WHERE journal_id IN
    (SELECT journal_id FROM ${schema}.sessions WHERE id = ANY(?::text[]))`;
  yield* write({ name: "", text: words }, ids);
  yield* write({ name: "", text: `DELETE FROM ${schema}.search_sessions WHERE id = ANY(?::text[])` }, ids);
}

function* inParts(messages: readonly IndexedMessage[]): Generator<readonly IndexedMessage[]> {
  let part: IndexedMessage[] = [];
  let chars = 0;
  for (const message of messages) {
    part.push(message);
    chars += message.words.length;
    if (chars < mostChars) continue;
    yield part;
    [part, chars] = [[], 0];
  }
  if (part.length > 0) yield part;
}

function toRow(session: KnownSession): SessionRow {
  const { id, updatedAtMs, cwd, folder, agent, parentId, baseSeq, fromSeq, throughSeq, sum } = session;
  return {
    id,
    updated_at_ms: updatedAtMs,
    cwd: storable(cwd),
    folder: storable(folder),
    agent: storable(agent),
    parent_id: parentId ?? null,
    base_seq: baseSeq,
    from_seq: fromSeq,
    through_seq: throughSeq,
    sum,
    is_open: session.isOpen,
    rewritten_at_ms: session.rewrittenAtMs,
  };
}

export function toKnown(row: SessionRow): KnownSession {
  return {
    id: row.id,
    updatedAtMs: row.updated_at_ms,
    cwd: row.cwd,
    folder: row.folder,
    agent: row.agent,
    parentId: row.parent_id ?? undefined,
    baseSeq: row.base_seq,
    fromSeq: row.from_seq,
    throughSeq: row.through_seq,
    sum: row.sum,
    isOpen: row.is_open,
    rewrittenAtMs: row.rewritten_at_ms,
  };
}
