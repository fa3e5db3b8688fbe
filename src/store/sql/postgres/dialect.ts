/** How PostgreSQL keeps sessions: what of it no other database does. */
import type { NewSession } from "../../contract.ts";
import { encodeFacts } from "../../facts.ts";
import { termsOf, termsOfFilter, termsWithout } from "../../server/terms.ts";
import { writeIds } from "../../server/write-ids.ts";
import type { Dialect } from "../dialect.ts";
import { hasTerm, where } from "../lists.ts";
import { rows, write, type Operation } from "../operation.ts";
import { trim } from "../records.ts";
import { listedColumns } from "../statements.ts";
import type { Database } from "./database.ts";
import { appending, readPage, replacing, rewriting } from "./journal.ts";
import { postgresStatements, wordsOf, type Statements } from "./statements.ts";

export function dialectOn(database: Database, schema: string): Dialect {
  const words = wordsOf(schema);
  const sql = postgresStatements(schema, words);
  const dialect: Dialect = {
    words,
    sql,
    nextWrite: writeIds(),
    wayOut: "restore it from a backup",
    termsOf,
    termsOfFilter,
    termsWithout,
    addTerms: ({ id }, terms) => write(sql.addTerms, id, terms),
    dropTerms: ({ id }, terms) => write(sql.dropTerms, id, terms),
    factsOf: encodeFacts,
    insert: (given, parentNo, writeId) => insert(sql, given, parentNo, writeId),
    drop: ({ id }) => write(sql.drop, id),
    *discard(no) {
      for (let next: number | undefined = no; next !== undefined;) next = yield* trim(dialect, next);
    },
    *cut(no, from) {
      yield* write(sql.cut, no, from);
      return false;
    },
    appending: (given, after, seals) => appending(sql, given, after, seals),
    replacing: (range, entries) => replacing(sql, range, entries),
    rewriting: (from, entries) => rewriting(sql, from, entries),
    page: (of, stretch) => readPage(database, sql, of, stretch),
    *wayTo(terms, times) {
      return where(`FROM ${words.heads} h`, [...times, ...terms.map((term) => hasTerm(words, term))]);
    },
    listed: (way, order, limit) => {
      const facts = `(SELECT f.facts FROM ${words.facts} f WHERE f.id = h.id)`;
      return `SELECT ${listedColumns(facts)} ${way} ${order} LIMIT ${limit}`;
    },
  };
  return dialect;
}

function* insert(
  sql: Statements,
  given: NewSession,
  parentNo: number | null,
  writeId: string,
): Operation<boolean> {
  const { id, updatedAtMs, lineage } = given;
  const baseSeq = lineage?.atSeq ?? 0;
  const values = [id, encodeFacts(given), updatedAtMs, baseSeq, writeId, termsOf(given)];
  const [made] = yield* rows<{ no: number }>(sql.create, ...values);
  if (made === undefined) return false;
  if (parentNo !== null) yield* write(sql.addFork, made.no, parentNo, baseSeq);
  return true;
}
