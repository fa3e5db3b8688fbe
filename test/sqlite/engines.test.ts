/** What a SQLite engine must do for us beyond what the store's own tests see, and which one is used. */
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { nodeEngine } from "../../src/sqlite/engine-node.ts";
import { transact, type Database } from "../../src/sqlite/engine.ts";
import { loadEngine } from "../../src/sqlite/engines.ts";
import { resultCodeName } from "../../src/sqlite/result-codes.ts";
import { overwrite, pagesOf } from "../store/sql/sqlite/damage.ts";
import { sqliteSandbox } from "../store/sql/sqlite/sandbox.ts";

const { newPath, raw } = sqliteSandbox();
const engine = await loadEngine();

function filled(): Database {
  const db = raw(newPath());
  db.exec("CREATE TABLE t (no INTEGER PRIMARY KEY, text TEXT) STRICT");
  const insert = db.prepare("INSERT INTO t VALUES (?, ?)");
  for (let no = 1; no <= 3; no += 1) insert.run(no, `text ${no}`);
  return db;
}

const codeOf = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return (error as { code: unknown }).code;
  }
};

describe(`the SQLite engine (${engine.name})`, () => {
  it("gives rows, arrays and first columns", () => {
    const db = filled();
    const sql = "SELECT no, text FROM t WHERE no > ? ORDER BY no";
    const [rows, arrays, values] = [db.prepare(sql), db.prepare(sql).raw(), db.prepare(sql).pluck()];
    expect({ ...(rows.get(1) as object) }).toEqual({ no: 2, text: "text 2" });
    expect(arrays.get(1)).toEqual([2, "text 2"]);
    expect(arrays.all(1)).toEqual([
      [2, "text 2"],
      [3, "text 3"],
    ]);
    expect([values.get(1), values.all(0), [...values.iterate(0)]]).toEqual([2, [1, 2, 3], [1, 2, 3]]);
    expect([rows.get(9), arrays.get(9), values.get(9), values.all(9)]).toEqual([
      undefined,
      undefined,
      undefined,
      [],
    ]);
  });

  it("tells what a write has done", () => {
    const db = filled();
    expect(db.prepare("INSERT INTO t VALUES (?, ?)").run(7, null)).toMatchObject({
      changes: 1,
      lastInsertRowid: 7,
    });
    expect(db.prepare("UPDATE t SET text = NULL").run().changes).toBe(4);
  });

  it("gives keys beyond 2^31 exactly, and larger ones than JavaScript can tell apart as the nearest number", () => {
    const db = filled();
    const key = db.prepare<[number, number], number>("SELECT (? << 32) | ?").pluck();
    expect(key.get(1_000_000, 5)).toBe(1_000_000 * 2 ** 32 + 5);
    const large = db.prepare<[], number>("SELECT no * 4611686018427387904 - 1 FROM t WHERE no < 3").pluck();
    const [near, far] = [2 ** 62, 2 ** 63];
    expect([large.get(), large.all(), [...large.iterate()]]).toEqual([near, [near, far], [near, far]]);
    const mixed = db.prepare<[], unknown>("SELECT no, 9223372036854775807, text FROM t").raw();
    expect(mixed.all()[1]).toEqual([2, far, "text 2"]);
    expect(key.get(1, 1)).toBe(2 ** 32 + 1);
  });

  it("keeps texts to the letter, and shows what is no text as U+FFFD", () => {
    const db = filled();
    const echo = db.prepare<[string], string>("SELECT ?").pluck();
    for (const text of ["", "a\0b", "«№ 1» 🚂", "\ufeffx"]) expect(echo.get(text)).toBe(text);
    expect(echo.get("a\ud800b")).toMatch(/^a\ufffd+b$/);
    expect(db.prepare("SELECT CAST(x'61ff62' AS TEXT)").pluck().get()).toBe("a\ufffdb");
    const bytes = db.prepare<[string], Uint8Array>("SELECT CAST(? AS BLOB)").pluck();
    expect(Buffer.from(bytes.get("ü\0") ?? [])).toEqual(Buffer.from("ü\0"));
  });

  it("calls errors by their extended code", () => {
    const db = filled();
    const insert = db.prepare("INSERT INTO t VALUES (?, ?)");
    expect(codeOf(() => insert.run(1, ""))).toBe("SQLITE_CONSTRAINT_PRIMARYKEY");
    expect(codeOf(() => db.prepare("SELEC"))).toBe("SQLITE_ERROR");
    expect(codeOf(() => db.exec("SELEC"))).toBe("SQLITE_ERROR");
    expect(codeOf(() => engine.open(newPath()))).toBe("SQLITE_CANTOPEN");
    expect(insert.run(4, "").changes).toBe(1);
  });

  it("waits for a lock as long as it is told and no longer", () => {
    const path = newPath();
    raw(path).exec("CREATE TABLE t (no); BEGIN IMMEDIATE");
    for (const [waitMs, atLeastMs] of [
      [undefined, 0],
      [60, 55],
    ] as const) {
      const other = engine.open(path, waitMs);
      const beganMs = performance.now();
      expect(codeOf(() => other.prepare("BEGIN IMMEDIATE").run())).toBe("SQLITE_BUSY");
      expect(performance.now() - beganMs).toBeGreaterThanOrEqual(atLeastMs);
      other.close();
    }
  });

  it("rolls back what throws", () => {
    const db = filled();
    const count = db.prepare("SELECT count(*) FROM t").pluck();
    expect(transact(db, "BEGIN", () => (db.exec("DELETE FROM t WHERE no = 1"), count.get()))).toBe(2);
    const fail = () => {
      db.exec("DELETE FROM t");
      throw new Error("no");
    };
    expect(() => transact(db, "BEGIN EXCLUSIVE", fail)).toThrow("no");
    expect([count.get(), db.inTransaction]).toEqual([2, false]);
  });

  it("leaves nothing open of an iteration that was broken off, by its reader or by damage", () => {
    const path = newPath();
    const db = raw(path);
    db.exec("PRAGMA journal_mode = WAL; CREATE TABLE t (no INTEGER PRIMARY KEY, text TEXT)");
    const insert = db.prepare("INSERT INTO t VALUES (?, ?)");
    for (let no = 1; no <= 200; no += 1) insert.run(no, "x".repeat(200));
    const numbers = db.prepare<[number], number>("SELECT no FROM t WHERE no > ? AND text <> ''").pluck();
    for (const no of numbers.iterate(0)) if (no === 2) break;
    expect(db.pragma("wal_checkpoint(TRUNCATE)", { simple: true })).toBe(0);
    const [, second = 0] = pagesOf(path, "t", "leaf");
    overwrite(path, second);
    db.pragma("cache_size = 0");
    expect(codeOf(() => [...numbers.iterate(0)])).toMatch(/^SQLITE_CORRUPT/);
    expect([...numbers.iterate(190)]).toHaveLength(10);
    expect(db.pragma("wal_checkpoint(TRUNCATE)", { simple: true })).toBe(0);
  });

  it("copies a database that is read into an empty file", async () => {
    const db = filled();
    const target = newPath();
    writeFileSync(target, "");
    await db.backup(target, { progress: () => 10 });
    expect(raw(target).prepare("SELECT count(*) FROM t").pluck().get()).toBe(3);
    await expect(db.backup("/nowhere/copy.db", { progress: () => 10 })).rejects.toThrow();
  });

  it("makes no file, and minds no special characters in a path", () => {
    const path = `${newPath()} 100% #1?mode=ro&é`;
    expect(codeOf(() => engine.open(path))).toBe("SQLITE_CANTOPEN");
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
    writeFileSync(path, "");
    const db = engine.open(path);
    db.exec("CREATE TABLE t (no)");
    db.close();
    db.close();
    expect(statSync(path).size).toBeGreaterThan(0);
  });

  it("can search texts", () => {
    const db = raw(newPath());
    db.exec(
      "CREATE VIRTUAL TABLE found USING fts5 (text); INSERT INTO found VALUES ('an analytical engine')",
    );
    expect(db.prepare("SELECT count(*) FROM found WHERE found MATCH ?").pluck().get("engine")).toBe(1);
  });

  it("is Node's own where that is sound, and better-sqlite3 elsewhere", () => {
    const forced = process.env["SIDECAR_SQLITE_ENGINE"]?.replace(/^.*\.node$/, "better-sqlite3");
    expect(engine.name).toBe(forced ?? nodeEngine(false)?.name ?? "better-sqlite3");
    if (/^2[02]\./.test(process.versions.node)) expect(nodeEngine(false)).toBeUndefined();
  });
});

describe("names of result codes", () => {
  const header = join("node_modules", "better-sqlite3", "deps", "sqlite3", "sqlite3.h");

  // Where the optional package is not installed, there is nothing to compare with.
  it.runIf(existsSync(header))("are SQLite's own", () => {
    const text = readFileSync(header, "utf8");
    const primaries = [...text.matchAll(/^#define (SQLITE_[A-Z]+) +(\d+) +\/\*/gm)].slice(0, 29);
    const codes = new Map(primaries.map(([, name = "", no]) => [name, Number(no)]));
    const extended = text.matchAll(/^#define (SQLITE_\w+) +\((SQLITE_[A-Z]+) *\| *\((\d+)<<8\)\)/gm);
    for (const [, name = "", of = "", no] of extended) {
      const primary = codes.get(of);
      if (primary !== undefined) codes.set(name, primary | (Number(no) << 8));
    }
    expect(codes.size).toBeGreaterThan(90);
    expect([...codes.values()].map(resultCodeName)).toEqual([...codes.keys()]);
    expect(resultCodeName(10 | (200 << 8))).toBe("SQLITE_IOERR");
  });
});
