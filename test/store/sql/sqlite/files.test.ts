import { readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { asStoreError } from "../../../../src/store/sql/sqlite/errors.ts";
import { openSqliteStore } from "../../../../src/store/sql/sqlite/store.ts";
import {
  aJournal,
  anEntry,
  aSession,
  assertJournal,
  leaseOf,
  rejectsWith,
  someEntries,
} from "../../../conformance/samples.ts";
import { sqliteSandbox } from "./sandbox.ts";

const { directory, newPath, open, raw } = sqliteSandbox();
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe("the SQLite store's files", () => {
  it("are readable by their owner only, whatever the umask", async () => {
    const old = process.umask(0);
    try {
      const path = join(directory, "made", "for it", "a.db");
      const store = await open(path);
      await aJournal(store, 1);
      expect([path, `${path}-wal`, `${path}-shm`].map(modeOf)).toEqual(["600", "600", "600"]);
      expect([join(directory, "made"), join(directory, "made", "for it")].map(modeOf)).toEqual([
        "700",
        "700",
      ]);
    } finally {
      process.umask(old);
    }
  });

  it("lie beside the real one when the path is a symbolic link, and are synced there", async () => {
    const path = newPath();
    await (await open(path)).close();
    symlinkSync(path, join(directory, "link.db"));
    const store = await open(join(directory, "link.db"));
    const { id } = await aJournal(store, 3);
    await store.flush();
    expect(statSync(`${path}-wal`).size).toBeGreaterThan(0);
    await assertJournal(await open(path), id, someEntries(3));
  });

  it("hold everything after a process died without closing them", async () => {
    const path = newPath();
    const store = await open(path);
    const { id } = await aJournal(store, 3);
    const copy = newPath();
    for (const suffix of ["", "-wal"]) writeFileSync(copy + suffix, readFileSync(path + suffix));
    await assertJournal(await open(copy), id, someEntries(3));
  });

  it("hold nothing any more of what was deleted, folded or rewritten", async () => {
    const path = newPath();
    const store = await open(path);
    const { id: stays } = await aJournal(store, 3);
    const words = (what: string) => [anEntry(`${what}-folded `.repeat(900)), anEntry(`${what}-kept`)];
    for (const what of ["zebra", "quagga"]) {
      const { id } = await store.create(aSession());
      const lease = await leaseOf(store, id);
      await store.append(id, 0, words(what), lease);
      await store.seal(id, { from: 1, head: 2 }, words(what).slice(1), lease);
      if (what === "quagga") await store.rewrite(id, 1, [anEntry("a note")], lease);
      await store.release(lease);
      if (what === "zebra") await store.delete(id);
    }
    await store.close();
    expect(readFileSync(path, "latin1")).not.toMatch(/zebra|quagga/);
    await assertJournal(await open(path), stays, someEntries(3));
  });

  it("tell how much they take, and what reads them", async () => {
    const path = newPath();
    const store = await open(path);
    await aJournal(store, 1000);
    const { bytes, details } = await store.stats();
    expect(bytes).toBe(statSync(path).size + statSync(`${path}-wal`).size);
    const engine = expect.stringMatching(/^(node:sqlite|better-sqlite3) with SQLite 3\./) as string;
    expect(details).toEqual({ path, walBytes: statSync(`${path}-wal`).size, engine });
  });
});

describe("opening a SQLite store", () => {
  const refused = (path: string) => openSqliteStore({ path });

  it("refuses a directory, and a path below a file", async () => {
    await rejectsWith("STORE_UNAVAILABLE", refused(directory));
    const file = newPath();
    writeFileSync(file, "");
    await rejectsWith("STORE_UNAVAILABLE", refused(join(file, "a.db")));
  });

  it("refuses a file that is no database, and leaves it as it is", async () => {
    const path = newPath();
    writeFileSync(path, "Dear diary, ".repeat(1000));
    await rejectsWith("STORE_CORRUPT", refused(path));
    expect(readFileSync(path, "utf8")).toBe("Dear diary, ".repeat(1000));
  });

  it("refuses another program's database, and leaves it as it is", async () => {
    const path = newPath();
    const db = raw(path);
    db.exec("CREATE TABLE bookmarks (url)");
    await rejectsWith("STORE_UNAVAILABLE", refused(path));
    expect(db.pragma("journal_mode", { simple: true })).toBe("delete");
    expect(db.prepare("SELECT name FROM sqlite_schema").pluck().all()).toEqual(["bookmarks"]);
  });

  it("refuses a schema of a newer version, and leaves it as it is", async () => {
    const path = newPath();
    await (await open(path)).close();
    raw(path).pragma("user_version = 99");
    await rejectsWith("STORE_SCHEMA_NEWER", refused(path));
    expect(raw(path).pragma("user_version", { simple: true })).toBe(99);
  });

  it("opens a damaged database, and says so when the damage is read", async () => {
    const path = newPath();
    const store = await open(path);
    const { id } = await aJournal(store, 20_000);
    await store.close();
    const bytes = readFileSync(path);
    bytes.fill(0xff, bytes.length >> 2, bytes.length - (bytes.length >> 2));
    writeFileSync(path, bytes);
    await rejectsWith(
      "STORE_CORRUPT",
      open(path).then((damaged) => assertJournal(damaged, id, [])),
    );
  });
});

describe("SQLite's errors", () => {
  it("mean what the contract says, in one line that names the file", () => {
    const codes = {
      SQLITE_FULL: "STORE_FULL",
      ENOSPC: "STORE_FULL",
      SQLITE_READONLY_DBMOVED: "STORE_READONLY",
      EROFS: "STORE_READONLY",
      SQLITE_CORRUPT_VTAB: "STORE_CORRUPT",
      SQLITE_NOTADB: "STORE_CORRUPT",
      SQLITE_CANTOPEN: "STORE_UNAVAILABLE",
      SQLITE_BUSY_TIMEOUT: "STORE_LOCKED",
      SQLITE_IOERR_READ: "STORE_FAILED",
      SQLITE_IOERR_SHORT_READ: "STORE_CORRUPT",
      EIO: "STORE_FAILED",
      SQLITE_TOOBIG: "STORE_FAILED",
    };
    for (const [code, expected] of Object.entries(codes)) {
      const cause = Object.assign(new Error("first line\nsecond"), { code });
      const error = asStoreError(cause, "/data/sessions.db");
      expect(error).toMatchObject({ code: expected, cause });
      expect((error as Error).message).toMatch(/^[^\n]*\/data\/sessions\.db[^\n]*$/);
    }
  });

  it("are told from our own mistakes, which stay what they are", () => {
    for (const code of ["ERR_INVALID_ARG_TYPE", undefined]) {
      const error = Object.assign(new TypeError("x"), { code });
      expect(asStoreError(error, "/p")).toBe(error);
    }
  });

  it("are met for real: a database that may not grow is full, and goes on when it may", async () => {
    const path = newPath();
    await (await open(path)).close();
    const db = raw(path);
    db.pragma(`max_page_count = ${Number(db.pragma("page_count", { simple: true }))}`);
    const fill = () => db.exec("INSERT INTO entries SELECT 1, 0, 0, hex(zeroblob(100000))");
    let caught: unknown;
    try {
      fill();
    } catch (error) {
      caught = asStoreError(error, path);
    }
    expect(caught).toMatchObject({ code: "STORE_FULL" });
    db.pragma("max_page_count = 1000000");
    fill();
  });
});
