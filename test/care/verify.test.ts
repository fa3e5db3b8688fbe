import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { loadEngine } from "../../src/sqlite/engines.ts";
import { hiddenAs } from "../../src/session/hidden.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { verifySessions } from "../../src/care/verify.ts";
import type * as Replay from "../../src/session/replay.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { wrapStore } from "../../src/store/shell.ts";
import { openSqliteStore } from "../../src/store/sql/sqlite/store.ts";
import type { SessionRecord, Store } from "../../src/store/contract.ts";
import { anEntry, aSession, leaseOf } from "../conformance/samples.ts";

let folder: string;
let store: Store;
let sound: SessionRecord;
let damaged: SessionRecord;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "acp-sidecar-verify-"));
  const path = join(folder, "sessions.db");
  store = await openSqliteStore({ path });
  const sessions = new SessionRegistry({ store });
  sound = await sessions.create({ cwd: "/tmp" });
  damaged = await sessions.create({ cwd: "/tmp" });
  for (const { id } of [sound, damaged]) {
    for (const content of ["one", "two", "three"]) await sessions.addMessage(id, { role: "user", content });
  }
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

describe("verifying a store", () => {
  it("counts what it has read and finds nothing wrong with a sound one", async () => {
    const integrity = { linked: 2, unlinked: 0, changed: [], events: [], moreEvents: 0 };
    expect(await verifySessions(store)).toEqual({
      sessions: 2,
      trashed: 0,
      entries: 6,
      damages: [],
      integrity,
    });
  });

  it("counts as sessions what is one to somebody, and not what is kept beside them", async () => {
    const memory = openMemoryStore();
    const registry = new SessionRegistry({ store: memory });
    const { id } = await registry.create({ cwd: "/tmp" });
    await registry.addMessage(id, { role: "user", content: "one" });
    await registry.create({ cwd: "/tmp", metadata: hiddenAs("trashed") });
    for (const each of ["token", "originals", "deleted"] as const)
      await memory.create(aSession({ metadata: hiddenAs(each) }));
    expect(await verifySessions(memory)).toMatchObject({
      ...{ sessions: 2, trashed: 1, integrity: { linked: 1, unlinked: 1 } },
    });
  });

  it("names damage by session and entry and reads on", async () => {
    const db = (await loadEngine()).open(join(folder, "sessions.db"));
    const no = db.prepare("SELECT no FROM sessions WHERE id = ?").pluck().get(damaged.id) as number;
    db.prepare("DELETE FROM entries WHERE key = (? << 32) | 2").run(no);
    db.close();
    const { damages, sessions } = await verifySessions(store);
    expect(sessions).toBe(2);
    expect(damages).not.toEqual([]);
    expect(new Set(damages.map(({ sessionId }) => sessionId))).toEqual(new Set([damaged.id]));
    expect(damages[0]?.problem).toMatch(/2/);
  });

  it("holds what is kept from before a session was compacted against its hashes", async () => {
    const memory = openMemoryStore();
    const registry = new SessionRegistry({ store: memory });
    const { id } = await registry.create({ cwd: "/tmp" });
    const { journal } = await registry.open(id);
    const long = {
      sessionUpdate: "agent_thought_chunk",
      content: { type: "text", text: "why ".repeat(200) },
    };
    const prompt = { kind: "prompt" as const, atMs: 1, data: JSON.stringify({ prompt: [] }) };
    const thought = { kind: "update" as const, atMs: 1, data: JSON.stringify({ update: long }) };
    await journal.seal([], [prompt, thought, prompt]);
    await journal.release();
    await registry.compact(id, { beforeSeq: 3 });
    expect(await verifySessions(memory)).toMatchObject({ sessions: 1, trashed: 0, entries: 5, damages: [] });
    const [kept] = await registry.originals.of(id);
    const other = (change: (data: string, seq: number) => string) =>
      wrapStore(memory, {
        async *read(of, range) {
          for await (const page of memory.read(of, range))
            yield of === kept?.id
              ? page.map((each) => ({ ...each, data: change(each.data, each.seq) }))
              : page;
        },
      });
    expect((await verifySessions(other((data) => `${data} `))).damages).toEqual([
      { sessionId: id, entries: { from: 2, through: 2 }, problem: expect.stringContaining("hash") as string },
    ]);
    expect((await verifySessions(other(() => "{}"))).damages).toMatchObject([{ sessionId: kept?.id }]);
  });

  it("looks again before it says damage: another process may have been archiving the session", async () => {
    const memory = openMemoryStore({});
    const { id } = await memory.create(aSession());
    await memory.append(id, 0, [anEntry("one"), anEntry("two")], await leaseOf(memory, id));
    let looks = 0;
    const changing = wrapStore(memory, {
      async *read(...args) {
        looks += 1;
        for await (const page of memory.read(...args)) yield looks === 1 ? page.slice(1) : page;
      },
    });
    expect(await verifySessions(changing)).toMatchObject({ entries: 2, damages: [] });
    expect(looks).toBe(2);
  });

  it("names entries that hold no JSON object, and those over which a load would stumble", async () => {
    const memory = openMemoryStore({});
    const { id } = await memory.create(aSession());
    const texts = ["[1]", '{"update":{"sessionUpdate":"stumble"}}', '{"update":{}}', '{"half":'];
    const entries = texts.map((data) => ({ kind: "update", atMs: 1, data }) as const);
    await memory.append(id, 0, [anEntry("sound"), ...entries], await leaseOf(memory, id));
    const { damages } = await verifySessions(memory);
    const at = (seq: number, problem: string) => ({
      sessionId: id,
      entries: { from: seq, through: seq },
      problem,
    });
    expect(damages.toSorted((a, b) => (a.entries?.from ?? 0) - (b.entries?.from ?? 0))).toEqual([
      at(2, "holds no JSON object"),
      at(3, "cannot be folded or shown"),
      at(5, "holds no JSON object"),
    ]);
  });
});

/** Nothing is known over which it stumbles: this one does over what a later fault might. */
vi.mock("../../src/session/replay.ts", async (original) => {
  const { replay } = await original<typeof Replay>();
  return {
    replay: async function* (...args: Parameters<typeof replay>) {
      for await (const texts of replay(...args)) {
        if (texts.some((text) => text.includes("stumble"))) throw new RangeError("too deep");
        yield texts;
      }
    },
  };
});
