/** What is written to the index of words on the server, and how its rows stand for sessions and messages. */
import type { SessionId } from "../../../base/ids.ts";
import { changedBy, knownColumns, toRow, type KnownRow } from "../../known-row.ts";
import type { Batch, IndexedMessage, KnownSession } from "../../text-index.ts";
import { rows, write, type Operation } from "../operation.ts";
import { keptWords, storable } from "./text-index-words.ts";

/** Of words in one statement. */
const mostChars = 1 << 20;

const given = `id text, updated_at_ms bigint, cwd text, folder text, agent text, parent_id text, base_seq bigint,
  from_seq bigint, through_seq bigint, sum bigint, is_open boolean, rewritten_at_ms bigint`;

export function* writing(schema: string, { sessions, messages }: Batch): Operation<void> {
  const ids = [...new Set([...sessions, ...messages].map(({ id }) => id))];
  // None of them goes until this is done; those that are gone get no words.
  const hold = `SELECT id FROM ${schema}.sessions WHERE id = ANY(?::text[]) ORDER BY id FOR KEY SHARE`;
  yield* rows({ name: "", text: hold }, ids);
  const newest = new Map(sessions.map((session) => [session.id, storableRow(session)]));
  const put = `INSERT INTO ${schema}.search_sessions (journal_id, ${knownColumns})
    SELECT (SELECT journal_id FROM ${schema}.sessions s WHERE s.id = k.id), k.* FROM json_to_recordset(?::json) AS k (${given})
    ORDER BY id ON CONFLICT (id) DO UPDATE SET journal_id = EXCLUDED.journal_id, ${changedBy("EXCLUDED")}`;
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

/** Texts as the server can hold them. */
function storableRow(session: KnownSession): KnownRow {
  const { cwd, folder, agent } = session;
  return toRow({ ...session, cwd: storable(cwd), folder: storable(folder), agent: storable(agent) });
}
