import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { backupSqliteStore } from "../../../src/care/sqlite/backup.ts";
import {
  aJournal,
  anEntry,
  aRequest,
  assertJournal,
  entriesOf,
  listAll,
  mustGet,
  rejectsWith,
  someEntries,
} from "../../conformance/samples.ts";
import { overwrite, pagesOf } from "../../store/sql/sqlite/damage.ts";
import { sqliteSandbox } from "../../store/sql/sqlite/sandbox.ts";

const { directory, newPath, open, raw } = sqliteSandbox();

describe("the backup of a SQLite store", () => {
  it("is the store at one instant, whoever writes meanwhile, whole and for its owner's eyes only", async () => {
    const path = newPath();
    const store = await open(path);
    const { id, lease } = await aJournal(store, 0);
    const long = anEntry("x".repeat(8000));
    await store.append(id, 0, new Array<typeof long>(1000).fill(long), lease);
    const other = await aJournal(store, 1);
    const target = join(directory, "made", "for it", "backup.db");
    let head = 1000;
    let isDone = false;
    const backup = backupSqliteStore(path, target).finally(() => (isDone = true));
    // Both sessions grow by one entry at a time, the first one first.
    while (!isDone) {
      await nextTurn();
      await store.append(id, head, [anEntry("more")], lease);
      await store.append(other.id, head - 999, [anEntry("more")], other.lease);
      head += 1;
    }
    const { sessions, bytes } = await backup;
    expect([sessions, bytes]).toEqual([2, statSync(target).size]);
    expect(head).toBeGreaterThan(1003);
    expect(statSync(target).mode & 0o777).toBe(0o600);
    expect(readdirSync(dirname(target))).toEqual(["backup.db"]);

    const copy = await open(target);
    const [first, second] = [await mustGet(copy, id), await mustGet(copy, other.id)];
    expect(first.headSeq - 999 - second.headSeq).toBeGreaterThanOrEqual(0);
    expect(first.headSeq - 999 - second.headSeq).toBeLessThanOrEqual(1);
    expect((await entriesOf(copy, id)).map(({ seq }) => seq)).toEqual(
      Array.from({ length: first.headSeq }, (_, i) => i + 1),
    );
    // Nobody holds a copy; and whoever held the original cannot write to it.
    expect((await listAll(copy)).map((record) => record.lease)).toEqual([undefined, undefined]);
    await rejectsWith("LEASE_LOST", copy.append(id, first.headSeq, [anEntry("late")], lease));
    await copy.acquire(id, aRequest());
  });

  it("is restored by the same way, into a store that goes on", async () => {
    const [path, backup, restored] = [newPath(), newPath(), newPath()];
    const { id } = await aJournal(await open(path), 3);
    await backupSqliteStore(path, backup);
    await backupSqliteStore(backup, restored);
    await assertJournal(await open(restored), id, someEntries(3));
    // Reading it has made no files beside it.
    expect(readdirSync(directory).filter((name) => name.startsWith(`${backup.split("/").pop()}-`))).toEqual(
      [],
    );
  });

  it("replaces nothing, and leaves nothing when it fails", async () => {
    const [path, target] = [newPath(), newPath()];
    await (await open(path)).close();
    await (await open(target)).close();
    await rejectsWith("STORE_CONFLICT", backupSqliteStore(path, target));
    await rejectsWith("STORE_UNAVAILABLE", backupSqliteStore(newPath(), newPath()));
    const foreign = newPath();
    raw(foreign).exec("CREATE TABLE bookmarks (url)");
    await rejectsWith("STORE_UNAVAILABLE", backupSqliteStore(foreign, newPath()));
    expect(readdirSync(directory).filter((name) => name.includes("partial"))).toEqual([]);
  });

  it("is refused when the store is damaged, with the way to mend it", async () => {
    const [path, target] = [newPath(), newPath()];
    const store = await open(path);
    await aJournal(store, 500);
    await store.close();
    overwrite(path, pagesOf(path, "entries", "leaf")[1] ?? 0);
    const backup = backupSqliteStore(path, target);
    await rejectsWith("STORE_CORRUPT", backup);
    await expect(backup).rejects.toThrow(/verify --repair/);
    expect(existsSync(target)).toBe(false);
  });
});
