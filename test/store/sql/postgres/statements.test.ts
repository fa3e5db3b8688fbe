/** The SQL that the store sends must be such as CockroachDB and YugabyteDB take too; they are not run here. */
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, it } from "vitest";
import { migrations } from "../../../../src/store/sql/postgres/schema.ts";
import { postgresStatements } from "../../../../src/store/sql/postgres/statements.ts";

/** What one of them refuses or only pretends to do, and an example of it. */
const refused: readonly [RegExp, string][] = [
  [/\bpg_(try_)?advisory_/i, "SELECT pg_advisory_xact_lock(1)"],
  [/\bTRIGGER\b/i, "CREATE TRIGGER t AFTER INSERT ON x EXECUTE FUNCTION f()"],
  [/\b(UN)?LISTEN\b|\bNOTIFY\b|pg_notify/i, "LISTEN changes"],
  [/plpgsql|\bDO \$|\bCREATE (OR REPLACE )?(FUNCTION|PROCEDURE)\b/i, "DO $$ BEGIN END $$"],
  [/\bLOCK TABLE\b/i, "LOCK TABLE x IN EXCLUSIVE MODE"],
  [/\bUSING (gin|gist|brin|spgist)\b|\btsvector\b/i, "CREATE INDEX i ON x USING gin (data)"],
  [/\bCREATE EXTENSION\b/i, "CREATE EXTENSION pgcrypto"],
  [/\bEXCLUDE USING\b|\bDEFERRABLE\b/i, "UNIQUE (a) DEFERRABLE INITIALLY DEFERRED"],
  [/\bMERGE INTO\b/i, "MERGE INTO x USING y ON x.a = y.a"],
  [/\b(ctid|xmin|txid_current|pg_snapshot)\b/i, "SELECT ctid FROM x"],
  [/\bDECLARE \w+ (SCROLL )?CURSOR\b|\bCREATE (TEMP|UNLOGGED)\b/i, "CREATE UNLOGGED TABLE x ()"],
];

const folders = ["src/store/sql", "src/store/sql/postgres"];
const files = folders.flatMap((folder) =>
  readdirSync(folder)
    // The index of words is made on PostgreSQL itself only, and kept by whoever searches elsewhere.
    .filter((name) => name.endsWith(".ts") && !name.startsWith("text-index"))
    .map((name) => resolve(folder, name)),
);
/** The sources without their comments, which may say what is not used. */
const sources = files.map((name) => {
  const text = readFileSync(name, "utf8");
  return [name, text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "")] as const;
});
const statements = Object.entries(postgresStatements("s")).map(
  ([name, made]) => [name, (typeof made === "function" ? made(2) : made).text] as const,
);
const tables = migrations.flatMap(({ version, statements }) =>
  statements("s").map((text) => [`migration ${version}`, text] as const),
);

it("no statement of the PostgreSQL store needs what CockroachDB or YugabyteDB refuse", () => {
  expect([statements.length > 20, tables.length > 8, sources.length > 15]).toEqual([true, true, true]);
  const found = [...statements, ...tables, ...sources].flatMap(([name, text]) =>
    refused.filter(([what]) => what.test(text)).map(([what]) => `${name}: ${String(what)}`),
  );
  expect(found).toEqual([]);
});

it.each(refused)("%s would be noticed", (what, example) => {
  expect(example).toMatch(what);
});
