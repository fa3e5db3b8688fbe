import { describe, expect, it } from "vitest";
import { compactedFrom } from "../../src/acp/compacted.ts";
import { sha256Of } from "../../src/base/sha256.ts";
import type { SessionId } from "../../src/base/ids.ts";
import { SidecarError } from "../../src/base/errors.ts";
import { newestTurns } from "../../src/session/old-turns.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { replay } from "../../src/session/replay.ts";
import type { Entry, NewEntry, Store } from "../../src/store/contract.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { wrapStore } from "../../src/store/shell.ts";
import { entriesOf } from "../conformance/samples.ts";
import { chunk, end, newEntry, prompt, thought, tool, type Item } from "./entries.ts";
import { onStores } from "./every-store.ts";

const day = 86_400_000;
const output = (turn: number) => `${turn} a line of output\n`.repeat(100);

/** Its own tool call is the third of its five entries. */
function turn(at: number): Item[] {
  const content = [{ type: "content", content: { type: "text", text: output(at) } }];
  return [
    prompt(`ask ${at}`),
    thought(`think ${at} `.repeat(80)),
    tool({ title: `Read ${at}`, kind: "read", status: "completed", content }, "tool_call", `t${at}`),
    chunk(`answer ${at}`),
    end,
  ];
}

const turns = (from: number, through: number): NewEntry[] =>
  Array.from({ length: through - from + 1 }, (_, at) => turn(from + at))
    .flat()
    .map((item, at) => newEntry(item, 1000 + at));

async function rigOn(store: Store, count = newestTurns + 3) {
  let nowMs = Date.now();
  const registry = new SessionRegistry({ store, now: () => nowMs });
  const made = async (entries: readonly NewEntry[]) => {
    const { id } = await registry.create({ cwd: "/tmp" });
    const { journal } = await registry.open(id);
    await journal.seal([], entries);
    await journal.release();
    return id;
  };
  const id = await made(turns(1, count));
  const pass = (ms: number) => (nowMs += ms);
  const compactedIn = async (of: SessionId) =>
    (await entriesOf(store, of)).filter((entry) => compactedFrom(entry) !== undefined).map(({ seq }) => seq);
  return { registry, made, id, pass, compactedIn };
}

describe("a session that is compacted", () => {
  onStores({ long: ["file", "layered"] }, (open) => {
    it("has notes in the place of what tools gave and agents thought, before its newest turns", async () => {
      const store = await open();
      const { registry, id } = await rigOn(store);
      const before = await entriesOf(store, id);
      const { updatedAtMs } = await registry.get(id);
      const effect = await registry.compaction.effect(id);
      expect(await entriesOf(store, id)).toEqual(before);
      expect(await registry.compact(id)).toEqual(effect);
      expect(effect).toMatchObject({ beforeSeq: 16, entries: 6 });
      expect(effect.bytesAfter).toBeLessThan(effect.bytesBefore / 3);
      const after = await entriesOf(store, id);
      for (const [at, entry] of after.entries()) {
        const old = before[at] as Entry;
        expect([entry.seq, entry.kind, entry.atMs]).toEqual([old.seq, old.kind, old.atMs]);
        const isOld = entry.seq < 16 && [2, 3].includes(entry.seq % 5);
        if (isOld) expect(compactedFrom(entry)?.sha256).toBe(sha256Of(old.data));
        else expect(entry.data).toBe(old.data);
      }
      expect((await registry.get(id)).updatedAtMs).toBe(updatedAtMs);
      expect((await registry.get(id)).lease).toBeUndefined();
      expect(await registry.count()).toBe(1);
      expect(await registry.count({ archived: "include" })).toBe(1);
      expect((await registry.list()).items).toHaveLength(1);
      expect(await registry.compact(id)).toMatchObject({ entries: 0, bytesBefore: 0 });
    });

    it("is to the letter as it was when that is undone, once or in parts, and can go on", async () => {
      const store = await open();
      const { registry, id, compactedIn } = await rigOn(store);
      const before = await entriesOf(store, id);
      const parts = [
        await registry.compact(id, { beforeSeq: 4 }),
        await registry.compact(id),
        await registry.compact(id, { beforeSeq: 36 }),
      ];
      expect(parts.map(({ entries }) => entries)).toEqual([2, 4, 8]);
      const bytes = parts.reduce((sum, { bytesBefore }) => sum + bytesBefore, 0);
      expect(await registry.compaction.undo(id)).toMatchObject({ entries: 14, bytesAfter: bytes, left: 0 });
      expect(await entriesOf(store, id)).toEqual(before);
      expect(await compactedIn(id)).toEqual([]);
      await expect(registry.compaction.undo(id)).rejects.toMatchObject({ code: "INVALID_PARAMS" });
      await registry.addMessage(id, { role: "user", content: "more" });
      expect(await registry.compact(id)).toMatchObject({ beforeSeq: 21, entries: 8 });
    });

    it("keeps its notes when the originals have gone in their time, or with gc", async () => {
      const { registry, id, pass, compactedIn } = await rigOn(await open());
      await registry.compact(id, { beforeSeq: 4 });
      pass(20 * day);
      await registry.compact(id);
      pass(15 * day);
      await registry.sweep();
      expect(await registry.compaction.undo(id)).toMatchObject({ entries: 4, left: 2 });
      expect(await compactedIn(id)).toEqual([2, 3]);
      await expect(registry.compaction.undo(id)).rejects.toMatchObject({
        code: "INVALID_PARAMS",
        message: expect.stringContaining("gone for good") as string,
      });
    });

    it("takes its originals along when it is deleted for good, and not into the trash", async () => {
      const store = await open();
      const { registry, id, made, pass } = await rigOn(store);
      const other = await made(turns(1, 9));
      await registry.compact(id);
      await registry.compact(other);
      expect(await store.count()).toBe(4);
      await registry.remove(id);
      await registry.trash.restore(id);
      expect(await registry.compaction.undo(id)).toMatchObject({ entries: 6 });
      await registry.compact(id);
      await registry.remove(id);
      pass(1);
      await registry.trash.empty({ forMs: 0 });
      expect(await store.count()).toBe(2);
      await registry.delete(other);
      expect(await store.count()).toBe(0);
    });

    it("is what its forks read of it, and a fork compacts what is its own", async () => {
      const store = await open();
      const { registry, id, compactedIn } = await rigOn(store);
      const early = await registry.fork(id, 10);
      const { journal } = await registry.open(early.id);
      await journal.seal([], turns(11, 11 + newestTurns));
      await journal.release();
      expect(await registry.compact(early.id)).toMatchObject({ beforeSeq: 16, entries: 2 });
      expect(await compactedIn(early.id)).toEqual([12, 13]);
      await registry.compact(id);
      const late = await registry.fork(id);
      expect(await compactedIn(early.id)).toEqual([2, 3, 7, 8, 12, 13]);
      expect(await compactedIn(late.id)).toEqual([2, 3, 7, 8, 12, 13]);
      await expect(registry.compaction.undo(late.id)).rejects.toMatchObject({ code: "INVALID_PARAMS" });
      await registry.compaction.undo(id);
      expect(await compactedIn(early.id)).toEqual([12, 13]);
      await registry.compact(id);
      await registry.delete(id);
      expect(await compactedIn(late.id)).toEqual([2, 3, 7, 8, 12, 13]);
      expect(await registry.compaction.undo(early.id)).toMatchObject({ entries: 2, left: 0 });
    });

    it("may be archived before and after", async () => {
      const store = await open();
      const { registry, id, compactedIn } = await rigOn(store, 40);
      const before = await entriesOf(store, id);
      await registry.archive(id);
      await registry.compact(id, { beforeSeq: 50 });
      expect(await registry.count({ archived: "only" })).toBe(1);
      expect(await compactedIn(id)).toHaveLength(20);
      await registry.unarchive(id);
      await registry.compact(id);
      await registry.archive(id);
      expect(await compactedIn(id)).toHaveLength(70);
      await registry.compaction.undo(id);
      expect(await entriesOf(store, id)).toEqual(before);
    });

    it("compacts what a rewind left behind, and counts turns that count", async () => {
      const { registry, id, compactedIn } = await rigOn(await open(), newestTurns + 1);
      await registry.rewind(id, 5);
      expect(await registry.compact(id)).toMatchObject({ beforeSeq: 1, entries: 0 });
      for (let at = 0; at < newestTurns; at += 1)
        await registry.addMessage(id, { role: "user", content: `again ${at}` });
      await registry.compact(id);
      expect(await compactedIn(id)).toHaveLength(2 * (newestTurns + 1));
    });
  });

  it("shows its notes when it is replayed", async () => {
    const store = openMemoryStore();
    const { registry, id } = await rigOn(store);
    await registry.compact(id);
    const record = await registry.get(id);
    const texts: string[] = [];
    for await (const page of replay(store, id, record, new Map())) texts.push(...page);
    const [, thinking = "", call = ""] = texts;
    expect(JSON.parse(thinking)).toMatchObject({
      update: { content: { text: expect.stringMatching(/^\[compacted: \d+ bytes\]$/) as string } },
    });
    expect(JSON.parse(call)).toMatchObject({
      update: {
        title: "Read 1",
        kind: "read",
        status: "completed",
        content: [{ content: { text: expect.stringMatching(/^\[compacted: \d+ bytes\]$/) as string } }],
      },
    });
  });

  it("never loses its newest turn, and says what may be named", async () => {
    const { registry, id, compactedIn } = await rigOn(openMemoryStore(), 2);
    expect(await registry.compact(id)).toMatchObject({ entries: 0 });
    for (const beforeSeq of [7, 0, 11, 1.5])
      await expect(registry.compact(id, { beforeSeq })).rejects.toMatchObject({ code: "INVALID_PARAMS" });
    expect(await compactedIn(id)).toEqual([]);
    await registry.compact(id, { beforeSeq: 6 });
    expect(await compactedIn(id)).toEqual([2, 3]);
  });

  it("counts the turns that an agent told, and hears its echo of a prompt as no turn", async () => {
    const { registry, made } = await rigOn(openMemoryStore());
    const told = (at: number) => [
      chunk(`ask ${at}`, undefined, "user_message_chunk"),
      ...turn(at).slice(1, -1),
    ];
    const echoed = (at: number) => [prompt(`ask ${at}`), ...told(at)];
    const count = newestTurns + 1;
    const id = await made(
      Array.from({ length: count }, (_, at) => told(at))
        .flat()
        .map((item) => newEntry(item)),
    );
    expect(await registry.compact(id)).toMatchObject({ beforeSeq: 5 });
    const other = await made(
      Array.from({ length: count }, (_, at) => echoed(at))
        .flat()
        .map((item) => newEntry(item)),
    );
    expect(await registry.compact(other)).toMatchObject({ beforeSeq: 6 });
  });

  it("is nobody's meanwhile: whoever holds it keeps it", async () => {
    const store = openMemoryStore();
    const { registry, id, compactedIn } = await rigOn(store);
    const { journal } = await registry.open(id);
    await expect(registry.compact(id)).rejects.toMatchObject({ code: "SESSION_BUSY" });
    await journal.renew({ ...journal.lease.holder, host: "elsewhere" });
    await expect(registry.compact(id)).rejects.toMatchObject({ code: "SESSION_BUSY" });
    await expect(registry.compaction.undo(id)).rejects.toMatchObject({ code: "SESSION_BUSY" });
    expect(await registry.compaction.effect(id)).toMatchObject({ entries: 6 });
    await journal.seal([]);
    await journal.release();
    await registry.compact(id);
    expect(await compactedIn(id)).toHaveLength(6);
  });

  it("is whole, one way or the other, when a write fails or the process ends at any of them", async () => {
    for (const isUndone of [false, true])
      for (let failing = 0; ; failing += 1) {
        let writes = 0;
        let armed = false;
        const memory = openMemoryStore();
        const act = <T>(write: () => T): T => {
          if (armed && (writes += 1) > failing) throw new SidecarError("STORE_FULL", "full");
          return write();
        };
        const store = wrapStore(memory, {
          create: (...args) => act(() => memory.create(...args)),
          seal: (...args) => act(() => memory.seal(...args)),
          rewrite: (...args) => act(() => memory.rewrite(...args)),
          compress: (...args) => act(() => memory.compress(...args)),
          update: (...args) => act(() => memory.update(...args)),
          delete: (...args) => act(() => memory.delete(...args)),
        });
        const { registry, id } = await rigOn(store);
        const before = await entriesOf(store, id);
        if (isUndone) await registry.compact(id);
        armed = true;
        const done = isUndone ? registry.compaction.undo(id) : registry.compact(id);
        const error: unknown = await done.then(
          () => undefined,
          (reason: unknown) => reason,
        );
        armed = false;
        const changed = (await entriesOf(store, id)).filter(({ data }, at) => data !== before[at]?.data);
        expect([0, 6]).toContain(changed.length);
        if (error !== undefined) expect(error).toMatchObject({ code: "STORE_FULL" });
        if (changed.length > 0) await registry.compaction.undo(id);
        expect(await entriesOf(store, id)).toEqual(before);
        if (error === undefined) break;
      }
  });

  it("stays compacted where what was kept of it is not what it was, and that stays, too", async () => {
    const memory = openMemoryStore();
    const { registry, id } = await rigOn(memory);
    await registry.compact(id);
    const [kept] = await registry.originals.of(id);
    if (kept === undefined) throw new Error("nothing is kept");
    const damaging = (from: number) =>
      wrapStore(memory, {
        read: async function* (of, range) {
          const damage = (entry: Entry) => (entry.seq < from ? entry : { ...entry, data: `${entry.data} ` });
          for await (const page of memory.read(of, range)) yield of === kept.id ? page.map(damage) : page;
        },
      });
    const undo = (from: number) => new SessionRegistry({ store: damaging(from) }).compaction.undo(id);
    const after = await entriesOf(memory, id);
    await expect(undo(2)).rejects.toMatchObject({ code: "STORE_CORRUPT" });
    expect(await entriesOf(memory, id)).toEqual(after);
    expect(await undo(7)).toMatchObject({ entries: 5, left: 1 });
    expect(await registry.compaction.undo(id)).toMatchObject({ entries: 1, left: 0 });
  });
});
