import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, it } from "vitest";
import { compactSqliteStore } from "../../../src/care/sqlite/compact.ts";
import { giveBackSpace } from "../../../src/care/maintenance.ts";
import { verifySessions } from "../../../src/care/verify.ts";
import type { SessionId } from "../../../src/base/ids.ts";
import type { Store } from "../../../src/store/contract.ts";
import { loadEngine } from "../../../src/sqlite/engines.ts";
import { migrate } from "../../../src/store/sql/sqlite/migrations.ts";
import { openSqliteStore } from "../../../src/store/sql/sqlite/store.ts";
import { anEntry, aSession, leaseOf } from "../../conformance/samples.ts";

const folder = mkdtempSync(join(tmpdir(), "acp-sidecar-compact-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
let file: string;
beforeEach(() => {
  file = join(folder, `${(files += 1)}.db`);
});

const big = "x".repeat(20_000);

/** 4 MB in 200 sessions, of which every fourth stays. */
async function mostlyDeleted(store: Store): Promise<SessionId[]> {
  const ids: SessionId[] = [];
  for (let n = 0; n < 200; n += 1) {
    const { id } = await store.create(aSession());
    await store.append(id, 0, [anEntry(`${n} ${big}`)], await leaseOf(store, id));
    ids.push(id);
  }
  const gone = ids.filter((_, n) => n % 4 !== 0);
  for (const id of gone) await store.delete(id);
  return ids.filter((id) => !gone.includes(id));
}

async function pragma(name: string): Promise<unknown> {
  const db = (await loadEngine()).open(file);
  try {
    return db.pragma(name, { simple: true });
  } finally {
    db.close();
  }
}

/** As files were made before. */
async function oldFile(): Promise<void> {
  writeFileSync(file, "");
  const db = (await loadEngine()).open(file);
  db.pragma("auto_vacuum = NONE");
  migrate(db, file);
  db.close();
}

async function expectWhole(store: Store, ids: readonly SessionId[]): Promise<void> {
  expect(await verifySessions(store)).toMatchObject({ sessions: ids.length, damages: [] });
  expect(await pragma("integrity_check")).toBe("ok");
}

it("a new file gives back what was deleted in steps, while others write to it", async () => {
  const store = await openSqliteStore({ path: file });
  const ids = await mostlyDeleted(store);
  expect(await pragma("auto_vacuum")).toBe(2);
  const before = (await store.stats()).bytes;
  const [id] = ids;
  if (id === undefined) throw new Error("nothing left");
  const lease = await leaseOf(store, id);
  let isDone = false;
  const compaction = giveBackSpace(`sqlite:${file}`).then(() => (isDone = true));
  let head = 1;
  while (!isDone) {
    head = await store.append(id, head, [anEntry("meanwhile")], lease);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await compaction;
  expect(head).toBeGreaterThan(1);
  expect((await store.stats()).bytes).toBeLessThan(before / 2);
  await expectWhole(store, ids);
  await store.close();
  expect(statSync(file).size).toBeLessThan(2 << 20);
});

it("a file from before is written anew once, and gives back in steps from then on", async () => {
  await oldFile();
  const store = await openSqliteStore({ path: file });
  const ids = await mostlyDeleted(store);
  expect(await pragma("auto_vacuum")).toBe(0);
  await compactSqliteStore(file);
  expect(await pragma("auto_vacuum")).toBe(2);
  expect((await store.stats()).bytes).toBeLessThan(2 << 20);
  await expectWhole(store, ids);
  await store.close();
});

it("what would take long, or is held up by others, is left", async () => {
  await oldFile();
  const store = await openSqliteStore({ path: file });
  const ids = await mostlyDeleted(store);
  await compactSqliteStore(file, { mostAtOnce: 1 << 10 });
  expect(await pragma("auto_vacuum")).toBe(0);
  const db = (await loadEngine()).open(file);
  db.exec("BEGIN IMMEDIATE");
  await compactSqliteStore(file, { lockWaitMs: 50 });
  db.exec("ROLLBACK");
  db.close();
  expect(Number(await pragma("freelist_count"))).toBeGreaterThan(300);
  await expectWhole(store, ids);
  await store.close();
});
