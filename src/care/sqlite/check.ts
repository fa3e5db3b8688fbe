/** Looks for all that is wrong with a database: what SQLite knows, and what our tables must agree on. */
import type { Database } from "../../sqlite/engine.ts";
import { reasonOf, systemCodeOf } from "../../base/errors.ts";
import { isJsonObjectText } from "../../base/json.ts";
import type { SessionId } from "../../base/ids.ts";
import type { Damage } from "../damage.ts";
import type { NewSession } from "../../store/contract.ts";
import { isEntry, isSummed } from "../../store/sql/sqlite/mark.ts";
import { SoundText } from "../../store/sql/sqlite/sound-text.ts";
import { termsOf } from "../../store/sql/sqlite/terms.ts";
import { areFacts } from "./facts.ts";

/** Of SQLite's own findings; one damaged page may have many. */
const findings = 20;

/** Ten years: nobody holds a session for so long. */
const longestLeaseMs = 10 * 365 * 86_400_000;

/** Each finds rows `id` (of a session, or null), in words. What is true of a sound database is in store/sql/sqlite/schema.ts. */
const rules: readonly (readonly [sql: string, problem: string])[] = [
  ["SELECT id FROM sessions WHERE no NOT IN (SELECT no FROM journals)", "has no journal"],
  ["SELECT id FROM sessions WHERE no NOT IN (SELECT no FROM records)", "has no record"],
  [
    "SELECT NULL AS id FROM records WHERE no NOT IN (SELECT no FROM sessions)",
    "a record belongs to no session",
  ],
  [
    "SELECT id FROM sessions s JOIN journals j USING (no) WHERE s.base_seq <> j.base_seq",
    "says two things of where it was forked",
  ],
  [
    "SELECT id FROM sessions WHERE NOT (base_seq <= sealed_seq AND sealed_seq <= head_seq)",
    "is final beyond its end, or ends before it begins",
  ],
  [
    `SELECT id FROM sessions s WHERE head_seq - base_seq <> (
       SELECT count(*) FROM entries WHERE key > s.no << 32 AND key < (s.no + 1) << 32
         AND key & 0xffffffff BETWEEN s.base_seq + 1 AND s.head_seq)`,
    "lacks entries",
  ],
  [
    `SELECT id FROM sessions s WHERE EXISTS (
       SELECT 1 FROM entries WHERE key > (s.no << 32) | s.head_seq AND key < (s.no + 1) << 32)`,
    "has entries beyond its end",
  ],
  [
    "SELECT s.id FROM journals j LEFT JOIN sessions s USING (no) WHERE parent_no NOT IN (SELECT no FROM journals)",
    "inherits from what is not there",
  ],
  [
    `SELECT s.id FROM journals f JOIN sessions s USING (no) JOIN journals p ON p.no = f.parent_no
     WHERE p.no NOT IN (SELECT no FROM sessions) AND f.base_seq - p.base_seq <> (
       SELECT count(*) FROM entries WHERE key > (p.no << 32) | p.base_seq AND key <= (p.no << 32) | f.base_seq)`,
    "inherits entries that are not there",
  ],
  [
    `SELECT NULL AS id FROM journals j WHERE no NOT IN (SELECT no FROM sessions) AND no NOT IN (SELECT no FROM doomed)
       AND NOT EXISTS (SELECT 1 FROM journals f WHERE f.parent_no = j.no)`,
    "a journal belongs to no session",
  ],
  [
    "SELECT DISTINCT NULL AS id FROM entries WHERE key >> 32 NOT IN (SELECT no FROM journals)",
    "entries belong to no journal",
  ],
  [
    "SELECT NULL AS id FROM terms WHERE no NOT IN (SELECT no FROM sessions) LIMIT 1",
    "a term finds no session",
  ],
  [
    `SELECT id FROM sessions WHERE turn_running NOT IN (0, 1) OR (holder IS NULL AND turn_running = 1)
       OR (holder IS NOT NULL AND (since_ms > expires_at_ms OR expires_at_ms - since_ms > ${longestLeaseMs}))`,
    "has a lease that makes no sense",
  ],
];

/** @param file how the database is called in what is told */
export function findDamage(db: Database, file: string): Damage[] {
  const damage: Damage[] = [];
  const report = (id: string | null, problem: string) =>
    damage.push({ ...(id !== null && { sessionId: id as SessionId }), file, problem });
  /** SQLite gives up where it meets damage; what lies beyond is found by what reads pages. */
  const guarded = (look: () => void) => {
    try {
      look();
    } catch (error) {
      if (!isCorruption(error)) throw error;
      report(null, reasonOf(error));
    }
  };
  guarded(() => {
    for (const found of integrity(db)) report(null, found);
  });
  for (const [sql, problem] of rules) {
    guarded(() => {
      for (const { id } of db.prepare<[], { id: string | null }>(sql).all()) report(id, problem);
    });
  }
  guarded(() => checkRecords(db, report));
  guarded(() => checkEntries(db, report));
  return withoutRepeats(damage);
}

function integrity(db: Database): string[] {
  const found = db.pragma(`integrity_check(${findings})`) as { readonly integrity_check: string }[];
  return found
    .flatMap(({ integrity_check: text }) => text.split("\n"))
    .filter((line) => line !== "ok" && !/^\*\*\* in database main \*\*\*$/.test(line));
}

type Report = (id: string | null, problem: string) => unknown;

function checkRecords(db: Database, report: Report): void {
  const terms = db.prepare<[number], string>("SELECT term FROM terms WHERE no = ? ORDER BY term").pluck();
  const rows = db.prepare<[], { no: number; id: string; holder: string | null; facts: string }>(
    "SELECT no, id, holder, facts FROM sessions JOIN records USING (no)",
  );
  for (const { no, id, holder, facts } of rows.all()) {
    if (holder !== null && !isJsonObjectText(holder)) report(id, "has a lease that makes no sense");
    if (!areFacts(facts)) report(id, "its record is damaged");
    else {
      const expected = [...termsOf({ ...(JSON.parse(facts) as NewSession), id: id as SessionId })].sort();
      const found = terms.all(no).sort();
      if (expected.join("\n") !== found.join("\n")) report(id, "is found by other terms than its own");
    }
  }
}

function checkEntries(db: Database, report: Report): void {
  const ids = db.prepare<[number], string>("SELECT id FROM sessions WHERE no = ?").pluck();
  const rows = db
    .prepare<[], [number, number, number, number, string]>(
      "SELECT key >> 32, key & 0xffffffff, at_ms, kind, data FROM entries",
    )
    .raw();
  const texts = new SoundText(db);
  const damaged: [number, number][] = [];
  for (const [no, seq, atMs, mark, data] of rows.iterate()) {
    const isSound = isEntry(mark, atMs, data) && (isSummed(mark) || !texts.isDamaged(no, seq, data));
    if (!isSound) damaged.push([no, seq]);
  }
  for (const [no, seq] of damaged) report(ids.get(no) ?? null, `entry ${seq} is damaged`);
}

function isCorruption(error: unknown): boolean {
  return systemCodeOf(error)?.startsWith("SQLITE_CORRUPT") === true;
}

function withoutRepeats(damage: readonly Damage[]): Damage[] {
  return [...new Map(damage.map((each) => [`${each.sessionId ?? ""} ${each.problem}`, each])).values()];
}
