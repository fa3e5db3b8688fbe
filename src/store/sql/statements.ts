/** Statements that are the same in every dialect, except for names, and those that each dialect adds to them. */
import type { Statement } from "./operation.ts";

/** Tables, columns and words of a dialect. */
export interface Words {
  /** The table of what changes with every write. */
  readonly heads: string;
  /** The table of what seldom does. */
  readonly facts: string;
  /** The table of journals, and in it the columns of a journal's number and of the one that it inherits from. */
  readonly journals: string;
  readonly no: string;
  readonly parentNo: string;
  readonly terms: string;
  /** The column that rows of one session have in common. */
  readonly key: string;
  /** The time by the clock that leases go by. */
  readonly nowMs: string;
  readonly greatest: string;
  /** Behind a SELECT: keeps others from writing these rows. */
  readonly forUpdate: string;
  /** Sets the id of a write, with a comma before it; and the column to read it. */
  readonly marked: (value: string) => string;
  readonly mark: string;
}

/** By name, as the values of each are given. */
type Texts = ReturnType<typeof sharedTexts> & Record<DialectText, string>;

/**
 * `release` [id, fence]; `forks` [no] gives `base_seq` of those who inherit from a journal; `totals` gives `sessions`
 * and `entries`.
 */
type DialectText = "release" | "forks" | "totals";

export type Statements = { readonly [Name in keyof Texts]: Statement };

export function statementsFor(words: Words, own: Record<DialectText, string>): Statements {
  return named({ ...sharedTexts(words), ...own });
}

/** Statements whose names are those of the texts. */
export function named<Name extends string>(texts: Record<Name, string>): Record<Name, Statement> {
  const entries = Object.entries<string>(texts).map(([name, text]) => [name, { name, text }]);
  return Object.freeze(Object.fromEntries(entries)) as Record<Name, Statement>;
}

/** The columns of a `SessionRow`: of `heads` as h, of `facts` as f. */
export function sessionColumns(words: Words): string {
  return `${headColumns(words)}, f.facts`;
}

export function headColumns({ no, mark }: Words): string {
  return `h.${no} AS no, h.id, h.updated_at_ms, h.head_seq, h.sealed_seq, h.fence, h.holder, h.since_ms,
    h.expires_at_ms, h.turn_running${mark}`;
}

/** Of a list, in the order of a `ListedRow`. @param facts where they are */
export function listedColumns(facts: string): string {
  return `h.id, h.updated_at_ms, h.head_seq, h.sealed_seq, h.fence, h.holder, h.since_ms, h.expires_at_ms,
    h.turn_running, ${facts}`;
}

/** What every write under a lease sets; its first values are [id, fence, turnRunning, ttlMs]. */
export function extended({ nowMs }: Words): string {
  return `turn_running = $3, expires_at_ms = ${nowMs} + CAST($4 AS bigint)`;
}

export const held = "id = $1 AND fence = $2 AND holder IS NOT NULL";

function sharedTexts(words: Words) {
  const { heads, facts, journals, no, parentNo, key, nowMs, greatest, forUpdate, marked } = words;
  const joined = `FROM ${heads} h JOIN ${facts} f ON f.${key} = h.${key} WHERE h.id = $1`;
  const extending = extended(words);
  return {
    get: `SELECT ${sessionColumns(words)} ${joined}`,
    /** Keeps others from writing to the session, as all of these do; with its facts or without. */
    lock: `SELECT ${headColumns(words)}, ${nowMs} AS now_ms FROM ${heads} h WHERE h.id = $1 ${forUpdate}`,
    lockRecord: `SELECT ${sessionColumns(words)} ${joined} ${forUpdate}`,
    setFacts: `UPDATE ${facts} SET facts = $2 WHERE ${key} = (SELECT ${key} FROM ${heads} WHERE id = $1)`,
    touch: `UPDATE ${heads} SET updated_at_ms = $2 WHERE id = $1`,
    extend: `UPDATE ${heads} SET ${extending} WHERE ${held} RETURNING expires_at_ms, since_ms`,
    renew: `UPDATE ${heads} SET ${extending}, holder = $5 WHERE ${held} RETURNING expires_at_ms, since_ms`,
    acquire: `UPDATE ${heads} SET fence = $2, holder = $3, since_ms = $4, expires_at_ms = $5,
      turn_running = $6${marked("$7")} WHERE id = $1`,
    seal: `UPDATE ${heads} SET ${extending}, head_seq = $5, sealed_seq = $5${marked("$6")},
      updated_at_ms = ${greatest}(updated_at_ms, CAST($7 AS bigint)) WHERE ${held}`,
    /** The journals that hold a session's entries from $2 on, its own first, each with what it inherits. */
    chain: `WITH RECURSIVE chain (no, base_seq, parent_no, depth) AS (
        SELECT h.${no}, j.base_seq, j.${parentNo}, 0
        FROM ${heads} h LEFT JOIN ${journals} j ON j.${no} = h.${no} WHERE h.id = $1
        UNION ALL
        SELECT c.parent_no, j.base_seq, j.${parentNo}, c.depth + 1
        FROM chain c LEFT JOIN ${journals} j ON j.${no} = c.parent_no
        WHERE c.parent_no IS NOT NULL AND c.base_seq >= CAST($2 AS bigint)
      ) SELECT c.no, COALESCE(c.base_seq, 0) AS base_seq, h.head_seq, h.sealed_seq
        FROM chain c CROSS JOIN ${heads} h WHERE h.id = $1 ORDER BY c.depth`,
    dropJournal: `DELETE FROM ${journals} WHERE ${no} = $1 RETURNING ${parentNo} AS parent_no`,
    owner: `SELECT 1 FROM ${facts} WHERE ${no} = $1`,
  };
}
