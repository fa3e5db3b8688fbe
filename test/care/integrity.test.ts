/** Somebody changes what stands in a store, and mends the store's own checksums. */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { linkIn, withoutLink } from "../../src/acp/chain-link.ts";
import type { SessionId } from "../../src/base/ids.ts";
import { repairStore } from "../../src/care/maintenance.ts";
import { verifyOne, verifySessions } from "../../src/care/verify.ts";
import { collect } from "../../src/session/pages.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { loadEngine } from "../../src/sqlite/engines.ts";
import type { Entry, NewEntry, Store } from "../../src/store/contract.ts";
import { encodeEntry, parseEntry } from "../../src/store/file/line.ts";
import { openFileStore } from "../../src/store/file/store.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { markOf } from "../../src/store/sql/sqlite/mark.ts";
import { openSqliteStore } from "../../src/store/sql/sqlite/store.ts";
import { leaseOf } from "../conformance/samples.ts";
import { scratchFolder } from "../cli/harness.ts";
import { doSteps, type Step } from "../session/chain-rig.ts";
import { onEveryStore } from "../session/every-store.ts";

const turns: readonly Step[] = [
  { do: "turn", parts: 1 },
  { do: "turn", parts: 2 },
  { do: "message" },
  { do: "turn", parts: 1 },
];
/** Of the second turn, which begins with entry 6. */
const target = 8;

const all = (store: Store, id: SessionId): Promise<Entry[]> => collect(store.read(id));
const edited = (entry: NewEntry): NewEntry => ({ ...entry, data: entry.data.replace("answer", "ANSWER") });

/** Through the store itself, which makes its checksums anew. */
async function put(store: Store, id: SessionId, from: number, entries: readonly NewEntry[]): Promise<void> {
  const lease = await leaseOf(store, id);
  await store.rewrite(id, from, entries, lease);
  await store.release(lease);
}

async function found(store: Store, id: SessionId) {
  const { damages, chain } = await verifyOne(store, id);
  expect(damages).toEqual([]);
  return chain;
}

describe("what is changed in a store behind our back [issue 11.2]", () => {
  onEveryStore((open) => {
    it("is found, and the first entry is named: edited, moved, removed, put in", async () => {
      const store = await open();
      const id = await doSteps(store, turns);
      const before = await all(store, id);
      const end = before.length;
      expect(await found(store, id)).toMatchObject({ linked: { from: 1, through: end }, events: [] });
      const tail = before.slice(target - 1);
      const [first, second] = tail as [Entry, Entry];
      const changes: Readonly<Record<string, readonly NewEntry[]>> = {
        edited: [{ ...first, data: first.data.replace(/"text":"./, '"text":"!') }],
        "of another time": [{ ...first, atMs: first.atMs + 1 }],
        moved: [second, first],
        removed: [...tail.slice(1), tail.at(-1) as Entry],
        "put in": [second, ...tail.slice(0, -1)],
      };
      for (const [what, entries] of Object.entries(changes)) {
        await put(store, id, target, entries);
        const { damage } = await found(store, id);
        expect([what, damage?.from, damage?.through]).toEqual([what, target, target]);
        await put(store, id, target, tail);
        expect((await found(store, id)).damage).toBeUndefined();
      }
      // All sessions are read, and only this one is named.
      await doSteps(store, turns);
      await put(store, id, target, changes["edited"] ?? []);
      const { integrity, damages } = await verifySessions(store);
      expect(damages).toEqual([]);
      expect(integrity).toMatchObject({ linked: 2, unlinked: 0, changed: [{ sessionId: id }] });
    });

    it("is no damage where we did it: compacted, undone, archived, forked, gone back", async () => {
      const store = await open();
      const id = await doSteps(store, [
        ...Array.from({ length: 7 }, (): Step => ({ do: "turn", parts: 1 })),
        { do: "compact" },
        { do: "archive" },
      ]);
      const registry = new SessionRegistry({ store });
      const chain = await found(store, id);
      expect(chain).toMatchObject({ linked: { from: 1 }, events: [{ what: "compacted", from: 2 }] });
      const fork = await registry.fork(id, 7);
      await registry.addMessage(fork.id, { role: "user", content: "on" });
      const links = (await all(store, fork.id)).flatMap((entry) => linkIn(entry) ?? []);
      expect(links).toMatchObject([
        { begins: true, through: 5 },
        { begins: false, from: 6, through: 8 },
      ]);
      expect((await found(store, fork.id)).damage).toBeUndefined();
      await registry.rewind(id, 5);
      await registry.compaction.undo(id);
      expect(await found(store, id)).toMatchObject({ events: [], sha256: expect.any(String) as string });
      expect((await found(store, fork.id)).damage).toBeUndefined();
    });

    it("is found where a link was taken away, and another was made of its entries alone", async () => {
      const store = await open();
      const id = await doSteps(store, turns);
      const before = await all(store, id);
      const at = before.findIndex((entry) => linkIn(entry) !== undefined);
      const entry = before[at] as Entry;
      await put(store, id, at + 1, [{ ...entry, data: withoutLink(entry) }]);
      expect((await found(store, id)).damage).toMatchObject({ from: 1, through: at + 1 });
    });
  });
});

describe("an edit with the medium's own tools", () => {
  const folder = scratchFolder();

  it("is found in a row of SQLite whose checksum was mended", async () => {
    const place = path.join(folder, "edited.db");
    const store = await openSqliteStore({ path: place });
    const id = await doSteps(store, turns);
    const { kind, atMs, data } = edited((await all(store, id))[target] as Entry);
    const db = (await loadEngine()).open(place);
    const changed = db
      .prepare("UPDATE entries SET data = ?, kind = ? WHERE (key & 0xffffffff) = ?")
      .run(data, markOf(kind, atMs, data), target + 1);
    expect(changed.changes).toBe(1);
    db.close();
    expect((await found(store, id)).damage).toMatchObject({ from: target + 1, through: target + 1 });
    await store.close();
  });

  it("is found in a line of a file whose checksum was mended", async () => {
    const directory = path.join(folder, "files");
    const store = await openFileStore({ directory });
    const id = await doSteps(store, turns);
    await store.close();
    const file = fs
      .readdirSync(directory, { recursive: true, encoding: "utf8" })
      .map((name) => path.join(directory, name))
      .find(
        (name) => fs.statSync(name).isFile() && fs.readFileSync(name, "utf8").includes("answer"),
      ) as string;
    let seq = 0;
    const lines = fs.readFileSync(file, "utf8").split("\n");
    const mended = lines.map((line) => {
      const entry = line.startsWith('{"seq":') ? parseEntry(Buffer.from(line)) : undefined;
      if (entry === undefined || !entry.data.includes("answer") || seq > 0) return line;
      seq = entry.seq;
      return encodeEntry(entry.seq, edited(entry)).trimEnd();
    });
    fs.writeFileSync(file, mended.join("\n"));
    const again = await openFileStore({ directory });
    expect(seq).toBeGreaterThan(0);
    expect((await found(again, id)).damage).toMatchObject({ from: seq, through: seq });
    await again.close();
  });

  it("that damages an entry is told as repaired after a repair, and the chain goes on", async () => {
    const url = `sqlite:${path.join(folder, "repaired.db")}`;
    const store = await openSqliteStore({ path: url.slice("sqlite:".length) });
    const id = await doSteps(store, turns);
    const links = (await all(store, id)).filter((entry) => linkIn(entry) !== undefined);
    await store.close();
    const db = (await loadEngine()).open(url.slice("sqlite:".length));
    const lost = [target, links[2]?.seq];
    for (const seq of lost) db.prepare("UPDATE entries SET data = 'x' WHERE (key & 0xffffffff) = ?").run(seq);
    db.close();
    await repairStore(url);
    const again = await openSqliteStore({ path: url.slice("sqlite:".length) });
    await new SessionRegistry({ store: again }).addMessage(id, { role: "user", content: "after" });
    const { damage, events, linked } = await found(again, id);
    expect(damage).toBeUndefined();
    expect(linked?.through).toBe((await all(again, id)).length);
    const repaired = events.filter(({ what }) => what === "repaired").map(({ from }) => from);
    expect(repaired).toEqual(lost);
    // What is known of the others still counts.
    const other = (await all(again, id))[target] as Entry;
    await put(again, id, target + 1, [{ ...other, data: other.data.replace(/"text":"./, '"text":"!') }]);
    expect((await found(again, id)).damage).toMatchObject({ from: target + 1, through: target + 1 });
    await again.close();
  });
});

describe("a session from before there were chains", () => {
  it("begins one with its next turn, and says from where it is known", async () => {
    const store = openMemoryStore();
    const id = await doSteps(store, [
      { do: "old", parts: 2 },
      { do: "old", parts: 1 },
    ]);
    const old = (await all(store, id)).length;
    expect(await found(store, id)).toEqual({ events: [] });
    expect((await verifySessions(store)).integrity).toMatchObject({ linked: 0, unlinked: 1, changed: [] });
    await new SessionRegistry({ store }).addMessage(id, { role: "user", content: "on" });
    expect(await found(store, id)).toMatchObject({ linked: { from: old + 1, through: old + 1 } });
  });
});
