import { copyFileSync, readdirSync, readFileSync, renameSync, statSync, truncateSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import type { SessionId } from "../../../src/base/ids.ts";
import { inspectSqliteStore } from "../../../src/care/sqlite/repair.ts";
import { repairSqliteStore } from "../../../src/care/sqlite/repair.ts";
import { SessionRegistry } from "../../../src/session/registry.ts";
import type { Repair } from "../../../src/care/damage.ts";
import type { Entry, SessionRecord } from "../../../src/store/contract.ts";
import {
  aJournal,
  anEntry,
  aSession,
  entriesOf,
  leaseOf,
  listAll,
  rejectsWith,
  someEntries,
} from "../../conformance/samples.ts";
import { overwrite, pagesOf, replaceBytes } from "../../store/sql/sqlite/damage.ts";
import { sqliteSandbox } from "../../store/sql/sqlite/sandbox.ts";

const { directory, newPath, open, raw } = sqliteSandbox();

type Content = ReadonlyMap<SessionId, { readonly record: SessionRecord; readonly entries: readonly Entry[] }>;

async function contentOf(path: string): Promise<Content> {
  const store = await open(path);
  const content = new Map<SessionId, { record: SessionRecord; entries: Entry[] }>();
  for (const record of await listAll(store)) {
    content.set(record.id, { record, entries: await entriesOf(store, record.id) });
  }
  await store.close();
  return content;
}

const original = join(directory, "original.db");
let content: Content;

/** Every kind of thing that a store holds: long texts, forks, a fork of what was deleted, pages given back. */
beforeAll(async () => {
  const store = await open(original);
  for (let i = 0; i < 30; i += 1) {
    const metadata = { number: i, "a=b": "c" };
    const { id, lease } = await aJournal(store, 40, {
      title: `Session ${i}`,
      cwd: `/home/ada/${i}`,
      metadata,
    });
    if (i % 10 === 0)
      await store.append(id, 40, [anEntry("long ".repeat(4000)), ...someEntries(5, 42)], lease);
    if (i === 7 || i === 8) await store.create(aSession({ lineage: { parentId: id, atSeq: 20 } }));
    if (i === 8) await store.delete(id);
    else await store.release(lease);
  }
  const deleted = [await aJournal(store, 300), await aJournal(store, 300)];
  for (const { id } of deleted) await store.delete(id);
  await leaseOf(store, (await listAll(store))[0]?.id ?? ("" as SessionId));
  await store.close();
  content = await contentOf(original);
  expect(await inspectSqliteStore(original)).toEqual([]);
});

function aCopy(): string {
  const path = newPath();
  copyFileSync(original, path);
  return path;
}

const isHole = ({ kind, data }: Entry): boolean => kind === "message" && data.includes("damaged");

/** That all is there but what the repair says it lost, that the store is sound, and that it can be written to. */
async function assertMended(path: string, { damage }: Repair): Promise<Content> {
  expect(await inspectSqliteStore(path)).toEqual([]);
  const mended = await contentOf(path);
  const named = new Set(damage.map(({ sessionId }) => sessionId));
  for (const [id, { record, entries }] of content) {
    const found = mended.get(id);
    if (found === undefined) expect(named, `${id} is gone`).toContain(id);
    if (found === undefined) continue;
    if (!named.has(id)) expect(found.record).toEqual(record);
    expect(found.entries.length).toBe(entries.length);
    const own = record.lineage === undefined;
    for (const [i, entry] of found.entries.entries()) {
      if (!isHole(entry)) expect(entry).toEqual(entries[i]);
      else if (own)
        expect(
          damage.some((lost) => covers(lost, id, entry.seq)),
          `${id} ${entry.seq}`,
        ).toBe(true);
    }
  }
  for (const id of mended.keys()) expect(content.has(id), `${id} was deleted`).toBe(true);
  return mended;
}

function covers({ sessionId, entries }: Repair["damage"][number], id: SessionId, seq: number): boolean {
  return sessionId === id && entries !== undefined && entries.from <= seq && seq <= entries.through;
}

const holesIn = (mended: Content): number =>
  [...mended.values()].reduce((sum, { entries }) => sum + entries.filter(isHole).length, 0);

/** Damages a copy, repairs it, and sees that verifying had told the same. */
async function repaired(
  damage: (path: string) => void,
): Promise<{ path: string; repair: Repair; mended: Content }> {
  const path = aCopy();
  damage(path);
  const inspected = await inspectSqliteStore(path);
  const repair = await repairSqliteStore(path);
  expect(repair.damage).toEqual(inspected);
  expect(repair.damage).not.toEqual([]);
  return { path, repair, mended: await assertMended(path, repair) };
}

const firstOf = (pages: readonly number[]): number => pages[0] ?? 0;
const middleOf = (pages: readonly number[]): number => pages[pages.length >> 1] ?? 0;

describe("repairing a SQLite store", () => {
  it("leaves a sound one alone", async () => {
    const path = aCopy();
    const before = statSync(path);
    const { damage, setAside, entries } = await repairSqliteStore(path);
    expect([damage, setAside]).toEqual([[], []]);
    expect(entries).toBeGreaterThan(1000);
    expect(statSync(path).ino).toBe(before.ino);
  });

  it.each([
    // The top of a tree: all that hangs below it is sound and nothing leads there.
    ["entries", "internal", 0],
    ["records", "internal", 0],
    ["entries", "leaf", 110],
    ["sessions", "leaf", 0],
    ["records", "leaf", 0],
    ["journals", "leaf", 0],
    ["terms", "leaf", 0],
    ["sessions_by_activity", "leaf", 0],
  ] as const)("keeps every session when a page of %s is damaged (%s)", async (table, kind, most) => {
    const { path, repair, mended } = await repaired((copy) =>
      overwrite(copy, middleOf(pagesOf(copy, table, kind))),
    );
    expect(mended.size).toBe(content.size);
    const lost = holesIn(mended);
    expect(most === 0 ? lost === 0 : lost > 0 && lost <= most, `${lost} lost`).toBe(true);
    const store = await open(path);
    const [{ id, headSeq } = mustHave()] = await listAll(store);
    await store.append(id, headSeq, [anEntry("more")], await leaseOf(store, id));
    expect(repair.setAside.length).toBe(1);
  });

  it("keeps the damaged file as it was found, with a report, for its owner's eyes only", async () => {
    const path = aCopy();
    overwrite(path, middleOf(pagesOf(path, "entries", "overflow")));
    const before = readFileSync(path);
    const { damage, setAside } = await repairSqliteStore(path);
    const [aside = ""] = setAside;
    expect(basename(aside)).toMatch(new RegExp(`^${basename(path)}\\.damaged-`));
    // But for two bytes, which tell that no write-ahead log goes with it, and what counts its writes.
    const kept = readFileSync(join(aside, basename(path)));
    expect(kept.subarray(100).equals(before.subarray(100))).toBe(true);
    expect(JSON.parse(readFileSync(join(aside, "report.json"), "utf8"))).toMatchObject({ damage });
    expect(statSync(aside).mode & 0o777).toBe(0o700);
    expect(statSync(join(aside, "report.json")).mode & 0o777).toBe(0o600);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const own = readdirSync(dirname(path)).filter((name) => name.startsWith(`${basename(path)}.`));
    expect(own).toEqual([basename(aside)]);
    expect(damage[0]).toMatchObject({ entries: { from: 41, through: 41 }, problem: "entry 41 is damaged" });
  });

  it.each([0.9, 0.5])("keeps what is left of a file that was cut to %f of its length", async (part) => {
    const { mended, repair } = await repaired((copy) =>
      truncateSync(copy, Math.floor(statSync(copy).size * part)),
    );
    // Sessions that are gone are named; of the others no entry is lost untold: see assertMended.
    expect(mended.size).toBeGreaterThan(0);
    expect(repair.entries).toBeGreaterThan(100);
  });

  it("does not bring deleted sessions back from pages that were given back", async () => {
    const { mended, repair } = await repaired((copy) => {
      const db = raw(copy);
      expect(db.pragma("freelist_count", { simple: true })).toBeGreaterThan(2);
      db.close();
      for (const table of ["sessions", "records", "entries"]) {
        for (const page of pagesOf(copy, table, table === "sessions" ? "leaf" : "internal"))
          overwrite(copy, page);
      }
      overwrite(copy, readFileSync(copy).readUInt32BE(32));
    });
    expect(mended.size).toBe(content.size);
    // Nor as text.
    expect(readdirSync(repair.setAside[0] ?? "").filter((name) => name.endsWith(".jsonl"))).toEqual([]);
  });

  it("mends what SQLite takes for sound: a garbled text, an entry gone, a row that contradicts others", async () => {
    const { repair, mended } = await repaired((copy) => {
      expect(replaceBytes(copy, '{"text":"entry 44"}', '{"text"?"entry 44"}')).toBeGreaterThan(2);
      const db = raw(copy);
      db.exec("DELETE FROM entries WHERE key = (2 << 32) | 7");
      db.exec("UPDATE sessions SET sealed_seq = head_seq + 9 WHERE no = 3");
      db.exec("INSERT INTO entries VALUES ((999 << 32) | 1, 0, 0, '{}')");
      db.exec("DELETE FROM terms WHERE no = 5");
      db.close();
    });
    expect(mended.size).toBe(content.size);
    expect(holesIn(mended)).toBe(4);
    const problems = repair.damage.map(({ problem }) => problem);
    expect(problems.filter((problem) => /^entry (44|7) is damaged$/.test(problem)).length).toBe(4);
    expect(problems).toContain("is found by other terms than its own");
    const [aside = ""] = repair.setAside;
    expect(readFileSync(join(aside, "journal-999.jsonl"), "utf8")).toBe(
      '{"seq":1,"at":"1970-01-01T00:00:00.000Z","kind":"prompt","data":{}}\n',
    );
  });

  it("recalls from the entries what a rewind took back when the record is lost, in a fork, too", async () => {
    const path = newPath();
    const store = await open(path);
    const sessions = new SessionRegistry({ store });
    const { id } = await sessions.create({ cwd: "/home/ada/project" });
    for (const content of ["one", "two", "three"]) await sessions.addMessage(id, { role: "user", content });
    await sessions.rewind(id, 1);
    await sessions.archive(id);
    const { id: fork } = await sessions.fork(id);
    const superseded = await Promise.all([id, fork].map((each) => sessions.superseded(each)));
    expect(superseded[1]).toHaveLength(1);
    await store.close();
    const db = raw(path);
    db.exec("DELETE FROM records");
    db.close();
    expect((await repairSqliteStore(path)).damage).toHaveLength(2);
    const again = await open(path);
    const mended = new SessionRegistry({ store: again });
    expect(await Promise.all([id, fork].map((each) => mended.superseded(each)))).toEqual(superseded);
    await again.close();
    expect(await inspectSqliteStore(path)).toEqual([]);
  });

  it("refuses while another process uses the store", async () => {
    const path = aCopy();
    overwrite(path, firstOf(pagesOf(path, "entries", "internal")));
    const user = await open(path);
    await rejectsWith("STORE_LOCKED", repairSqliteStore(path));
    expect(await user.count()).toBe(content.size);
  });

  it("hands the new file to who waited for the old one", async () => {
    const path = aCopy();
    const repairer = raw(path);
    repairer.pragma("locking_mode = EXCLUSIVE");
    repairer.pragma("journal_mode = DELETE");
    repairer.exec("BEGIN EXCLUSIVE");
    const waiting = open(path, { lockWaitMs: 20_000 });
    // As long as it takes to open the file and to find it locked.
    for (let turn = 0; turn < 50; turn += 1) await nextTurn();
    const fresh = newPath();
    await (await open(fresh)).close();
    renameSync(fresh, path);
    repairer.close();
    expect(await (await waiting).count()).toBe(0);
  });
});

function mustHave(): never {
  throw new Error("There is no session");
}
