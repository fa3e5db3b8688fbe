/** How SQLite keeps sessions: what of it no other database does. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { NewSession } from "../../contract.ts";
import { repairIt } from "../../reading.ts";
import type { Dialect, SessionKey } from "../dialect.ts";
import { rows, write, type Operation } from "../operation.ts";
import { trim } from "../records.ts";
import { recordIn, type SessionRow } from "../rows.ts";
import { named } from "../statements.ts";
import type { Connection } from "./connection.ts";
import type { Journal } from "./journal.ts";
import { listed, wayTo } from "./lists.ts";
import { factsOf } from "./schema.ts";
import { statements, words } from "./statements.ts";
import { termsOf, termsOfFilter, termsWithout } from "./terms.ts";

export function dialectOn(connection: Connection, journal: Journal): Dialect {
  const dialect: Dialect = {
    words,
    sql: statements,
    nextWrite: () => "",
    wayOut: repairIt,
    termsOf,
    termsOfFilter,
    termsWithout,
    addTerms,
    dropTerms,
    factsOf,
    insert,
    drop,
    *discard(no) {
      yield* write(own.doom, no);
      yield* step(dialect);
    },
    cut: (no, from) => journal.cut(no, from),
    appending: (given, after, seals) => () => journal.append(given, after, seals),
    replacing: (range, entries) => (no) => journal.replace(no, range, entries),
    rewriting: (from, entries) => (no) =>
      journal.replace(no, { from, head: from + entries.length - 1 }, entries),
    page: async (of, stretch, isFirst) => {
      // Entries come as fast as the disk allows: let others have their turn between pages.
      if (!isFirst) await nextTurn();
      return connection.look(() => journal.page(of, stretch));
    },
    wayTo,
    listed,
  };
  return dialect;
}

const own = named({
  addTerm: "INSERT INTO terms (no, term) VALUES ($1, $2)",
  dropTerm: "DELETE FROM terms WHERE no = $1 AND term = $2",
  insertJournal: "INSERT INTO journals (parent_no, base_seq) VALUES ($1, $2) RETURNING no",
  insertSession: `INSERT INTO sessions (no, id, updated_at_ms, base_seq, head_seq, sealed_seq)
    VALUES ($1, $2, $3, $4, $4, $4) ON CONFLICT (id) DO NOTHING`,
  insertFacts: "INSERT INTO records (no, facts) VALUES ($1, $2)",
  dropFacts: "DELETE FROM records WHERE no = $1",
  dropSession: "DELETE FROM sessions WHERE no = $1",
  doom: "INSERT OR IGNORE INTO doomed (no) VALUES ($1)",
  spare: "DELETE FROM doomed WHERE no = $1",
  nextDoomed: "SELECT no FROM doomed LIMIT 1",
});

function* addTerms({ no }: SessionKey, terms: readonly string[]): Operation<void> {
  for (const term of terms) yield* write(own.addTerm, no, term);
}

function* dropTerms({ no }: SessionKey, terms: readonly string[]): Operation<void> {
  for (const term of terms) yield* write(own.dropTerm, no, term);
}

function* insert(given: NewSession, parentNo: number | null): Operation<boolean> {
  const { id, updatedAtMs, lineage } = given;
  const baseSeq = lineage?.atSeq ?? 0;
  const [journal] = yield* rows<{ no: number }>(own.insertJournal, parentNo, baseSeq);
  const no = journal?.no ?? 0;
  if ((yield* write(own.insertSession, no, id, updatedAtMs, baseSeq)) === 0) return false;
  yield* write(own.insertFacts, no, factsOf(given));
  yield* addTerms({ id, no }, termsOf(given));
  return true;
}

function* drop(row: SessionRow): Operation<void> {
  yield* dropTerms(row, termsOf(recordIn(row)));
  yield* write(own.dropFacts, row.no);
  yield* write(own.dropSession, row.no);
}

/**
 * Removes some of what is doomed; false when nothing was left to remove. Entries go in small steps, because a long
 * journal must not hold up the event loop or other processes; what remains stands in `doomed`, so a crash forgets
 * nothing.
 */
export function* step(dialect: Dialect): Operation<boolean> {
  const [doomed] = yield* rows<{ no: number }>(own.nextDoomed);
  if (doomed === undefined) return false;
  const next = yield* trim(dialect, doomed.no);
  if (next === doomed.no) return true;
  yield* write(own.spare, doomed.no);
  if (next !== undefined) yield* write(own.doom, next);
  return true;
}
