import { spawnSync } from "node:child_process";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { migrate, migrations, type Migration } from "../../../../src/store/sql/sqlite/migrations.ts";
import { aJournal, assertJournal, someEntries } from "../../../conformance/samples.ts";
import { sqliteSandbox } from "./sandbox.ts";

const { newPath, open, raw } = sqliteSandbox();

const newest = migrations.at(-1)?.version ?? 0;
const next: Migration = { version: newest + 1, sql: "CREATE TABLE extra (x) STRICT, WITHOUT ROWID;" };
const good: Migration = { ...next, sql: "CREATE TABLE extra (x INTEGER) STRICT;" };

async function filled(path: string) {
  const store = await open(path);
  const { id } = await aJournal(store, 3);
  await store.close();
  return id;
}

describe("SQLite migrations", () => {
  it("are numbered from 1 without a gap", () => {
    expect(migrations.map(({ version }) => version)).toEqual(migrations.map((_, i) => i + 1));
  });

  it("bring a new file to the newest version without a backup", async () => {
    const path = newPath();
    await (await open(path)).close();
    expect(raw(path).pragma("user_version", { simple: true })).toBe(newest);
    expect(() => statSync(`${path}.v0.bak`)).toThrow();
  });

  it("put a copy of an older database aside, for its owner's eyes only, and keep its sessions", async () => {
    const path = newPath();
    const id = await filled(path);
    const db = raw(path);
    migrate(db, path, [...migrations, good]);
    expect(db.pragma("user_version", { simple: true })).toBe(newest + 1);
    expect(db.prepare("SELECT count(*) FROM extra").pluck().get()).toBe(0);
    expect(db.prepare("SELECT id FROM sessions").pluck().all()).toEqual([id]);

    const backup = `${path}.v${newest}.bak`;
    expect(statSync(backup).mode & 0o777).toBe(0o600);
    await assertJournal(await open(backup), id, someEntries(3));
  });

  it("remove the unfinished copies of processes that are gone, and no others", async () => {
    const path = newPath();
    await filled(path);
    const { pid } = spawnSync(process.execPath, ["--version"]);
    const left = (of: string, by: number) => `${of}.v${newest}.${by}.tmp`;
    const [dead, own] = [left(path, pid), left(path, process.pid)];
    const others = [left(path, process.ppid), left(newPath(), pid), `${path}.v1.bak`];
    for (const each of [dead, own, ...others]) writeFileSync(each, "half a copy");
    migrate(raw(path), path, [...migrations, good]);
    expect([dead, own].filter((each) => existsSync(each))).toEqual([]);
    expect(others.filter((each) => !existsSync(each))).toEqual([]);
  });

  it("change nothing when one of them fails", async () => {
    const path = newPath();
    const id = await filled(path);
    // A table without a primary key cannot be WITHOUT ROWID.
    const wrong = [...migrations, good, { ...next, version: newest + 2 }];
    expect(() => migrate(raw(path), path, wrong)).toThrow();
    expect(raw(path).pragma("user_version", { simple: true })).toBe(newest);
    await assertJournal(await open(path), id, someEntries(3));
  });

  it("run once when several processes open the file at the same time", async () => {
    const path = newPath();
    const stores = await Promise.all([1, 2, 3, 4].map(() => open(path)));
    const [first, second] = stores;
    if (first === undefined || second === undefined) throw new Error("four were opened");
    const { id } = await aJournal(first, 2);
    await assertJournal(second, id, someEntries(2));
  });
});
