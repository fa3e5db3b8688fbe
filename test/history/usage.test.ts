import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { usageRows } from "../../src/history/usage/rows.ts";
import { UsageReader } from "../../src/history/usage/sums.ts";
import { usageOf } from "../../src/history/usage/usage.ts";
import type { SessionId } from "../../src/base/ids.ts";
import type { NewEntry, Store } from "../../src/store/contract.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { openStore } from "../../src/store/open.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { sealedWhileRead } from "../../src/store/refusals.ts";
import { wrapStore } from "../../src/store/shell.ts";
import { aSession, leaseOf } from "../conformance/samples.ts";
import { cli, scratchFolder } from "../cli/harness.ts";
import { onEveryStore } from "../session/every-store.ts";

const noonOf = (day: number) => new Date(2026, 0, day, 12).getTime();
const prompt = (day: number): NewEntry => ({ kind: "prompt", atMs: noonOf(day), data: '{"prompt":[]}' });
const end = (day: number, usage?: unknown): NewEntry => {
  const result = { stopReason: "end_turn", ...(usage !== undefined && { usage }) };
  const data = JSON.stringify({ result });
  return { kind: "end", atMs: noonOf(day), data };
};
const tokens = (inputTokens: number, outputTokens: number) => ({
  inputTokens,
  outputTokens,
  totalTokens: inputTokens + outputTokens,
});
const cost = (day: number, amount: unknown, currency: unknown = "USD"): NewEntry => {
  const update = { sessionUpdate: "usage_update", used: 5, size: 10, cost: { amount, currency } };
  return { kind: "update", atMs: noonOf(day), data: JSON.stringify({ update }) };
};

function read(entries: readonly NewEntry[], inherited = 0) {
  const reader = new UsageReader(inherited);
  for (const [at, entry] of entries.entries()) reader.take({ seq: at + 1, ...entry });
  return Object.fromEntries(reader.byDay());
}

it("a currency may be called as every object calls something of its own", () => {
  const [day] = Object.values(
    read([cost(1, 1, "constructor"), cost(1, 2, "__proto__"), cost(1, 3, "constructor")]),
  );
  expect(Object.entries(day?.cost ?? {})).toEqual([
    ["constructor", 3],
    ["__proto__", 2],
  ]);
});

async function stored(store: Store, entries: readonly NewEntry[], facts = {}) {
  const { id } = await store.create(aSession(facts));
  const lease = await leaseOf(store, id);
  await store.seal(id, { from: 1, head: 0 }, entries, lease);
  await store.release(lease);
  return id;
}

describe("what a session has used", () => {
  it("adds up figures of a turn's own", () => {
    const entries = [10, 4, 20].flatMap((input) => [prompt(1), end(1, tokens(input, 3))]);
    expect(read(entries)["2026-01-01"]).toMatchObject({ turns: 3, input: 34, output: 9, total: 43 });
  });

  it("takes sums of all turns so far for what they are", () => {
    const entries = [10, 30, 60].flatMap((input, at) => [
      prompt(at + 1),
      end(at + 1, tokens(input, input / 10)),
    ]);
    const days = read(entries);
    expect(Object.values(days).map(({ input }) => input)).toEqual([10, 20, 30]);
    expect(Object.values(days).map(({ output }) => output)).toEqual([1, 2, 3]);
  });

  it("counts by how much a cumulative cost has grown, anew after a fall, each currency for itself", () => {
    const entries = [cost(1, 0.5), cost(1, 0.75), cost(2, 0.75), cost(2, 0.1), cost(2, 3, "credits")];
    const days = read(entries);
    expect(days["2026-01-01"]?.cost).toEqual({ USD: 0.75 });
    expect(days["2026-01-02"]?.cost["USD"]).toBeCloseTo(0.1);
    expect(days["2026-01-02"]?.cost["credits"]).toBe(3);
  });

  it("leaves a fork's inherited turns to its parent", () => {
    const parent = [prompt(1), cost(1, 2), end(1, tokens(10, 1))];
    expect(read([...parent, prompt(2), cost(2, 2.5), end(2, tokens(7, 1))], 3)).toEqual({
      "2026-01-02": { turns: 1, input: 7, output: 1, total: 8, cost: { USD: 0.5 } },
    });
  });

  it("makes nothing of what is no figure", () => {
    const odd = [null, "x", [], { inputTokens: -5, outputTokens: "9", totalTokens: Infinity }];
    const entries = [...odd.map((usage) => end(1, usage)), cost(1, "3"), cost(1, -1), cost(1, 1, 7)];
    expect(read([...entries, { kind: "end", atMs: Number.MAX_VALUE, data: "{broken" }])).toEqual({});
  });
});

describe("what all have used", () => {
  onEveryStore((open) => {
    it("stands in rows by day, week, month, agent, project and session", async () => {
      const store = await open();
      const agent = (name: string) => ({ agent: { info: { name } } });
      const one = await stored(
        store,
        [prompt(1), end(1, tokens(10, 1)), prompt(5), end(5, tokens(4, 1))],
        agent("a"),
      );
      await stored(store, [prompt(6), end(6, tokens(100, 1))], { ...agent("b"), cwd: "/elsewhere" });
      const registry = new SessionRegistry({ store });
      await registry.archive(one);
      const usage = await usageOf(registry);
      const keys = (by: Parameters<typeof usageRows>[1], since?: number) =>
        usageRows(usage, by, since).map(({ key, total }) => [key, total]);
      expect(keys("day")).toEqual([
        ["2026-01-01", 11],
        ["2026-01-05", 5],
        ["2026-01-06", 101],
      ]);
      expect(keys("day", noonOf(5))).toEqual([
        ["2026-01-05", 5],
        ["2026-01-06", 101],
      ]);
      expect(keys("week")).toEqual([
        ["2025-12-29", 11],
        ["2026-01-05", 106],
      ]);
      expect(keys("month")).toEqual([["2026-01", 117]]);
      expect(keys("agent")).toEqual([
        ["b", 101],
        ["a", 16],
      ]);
      expect(keys("project")).toEqual([
        ["/elsewhere", 101],
        ["/home/ada/engine", 16],
      ]);
      expect(keys("session").at(-1)).toEqual([one, 16]);
    });
  });

  it("is read from each journal once, again when it has grown, and forgotten when it was deleted", async () => {
    const cacheFile = join(mkdtempSync(join(tmpdir(), "acp-sidecar-usage-")), "new", "usage.json");
    const reads: string[] = [];
    const inner = openMemoryStore();
    const store = wrapStore(inner, {
      read: (id, range) => {
        reads.push(id);
        return inner.read(id, range);
      },
    });
    const a = await stored(store, [prompt(1), end(1, tokens(10, 1))]);
    const b = await stored(store, [prompt(2), end(2, tokens(20, 1))]);
    const registry = new SessionRegistry({ store });
    await usageOf(registry, { cacheFile });
    expect(new Set(reads.splice(0))).toEqual(new Set([a, b]));
    expect((await usageOf(registry, { cacheFile })).size).toBe(2);
    const written = readFileSync(cacheFile, "utf8");
    await usageOf(registry, { cacheFile });
    // Nothing is new: it is not written again, which takes longer than all the rest where there are many.
    expect(readFileSync(cacheFile, "utf8")).toBe(written);
    expect(reads).toEqual([]);
    await registry.addMessage(b, { role: "user", content: [{ type: "text", text: "more" }] });
    await usageOf(registry, { cacheFile });
    expect(reads.splice(0)).toContain(b);
    await registry.delete(a);
    expect([...(await usageOf(registry, { cacheFile })).keys()]).toEqual([b]);
    expect(readFileSync(cacheFile, "utf8")).not.toContain(a);
    writeFileSync(cacheFile, '{"version":1,"sess');
    expect((await usageOf(registry, { cacheFile })).size).toBe(1);
  });

  describe("while others write", () => {
    /** What is done before the next read goes on, once. */
    let meanwhile: (() => Promise<unknown>) | undefined;
    const inner = openMemoryStore();
    const store = wrapStore(inner, {
      read: async function* (id, range) {
        const doing = meanwhile;
        meanwhile = undefined;
        await doing?.();
        yield* inner.read(id, range);
      },
    });
    const registry = new SessionRegistry({ store });
    const cacheFile = join(mkdtempSync(join(tmpdir(), "acp-sidecar-usage-")), "usage.json");
    const total = async (id: SessionId) =>
      Object.values((await usageOf(registry, { cacheFile })).get(id)?.days ?? {})[0]?.total;
    const now = (entry: NewEntry) => ({ ...entry, atMs: Date.now() });

    it("counts a turn that ends meanwhile", async () => {
      const { id } = await store.create(aSession());
      const lease = await leaseOf(store, id);
      await store.append(id, 0, [prompt(1), cost(1, 1)], lease);
      meanwhile = async () => {
        await store.seal(id, { from: 1, head: 2 }, [prompt(1), end(1, tokens(10, 1))], lease);
        throw sealedWhileRead(id);
      };
      expect(await total(id)).toBe(11);
    });

    it("counts anew what has as many entries as when a turn of it ran", async () => {
      const { id } = await store.create(aSession());
      const lease = await leaseOf(store, id);
      await store.append(id, 0, [prompt(1), cost(1, 1), cost(1, 2), cost(1, 3)].map(now), lease);
      expect(await total(id)).toBe(0);
      const turn = [prompt(1), end(1, tokens(10, 1))].map(now);
      await store.seal(id, { from: 1, head: 4 }, [...turn, ...turn], lease);
      expect(await total(id)).toBe(22);
    });

    it("counts the others where one is deleted meanwhile", async () => {
      const kept = await stored(store, [prompt(1), end(1, tokens(10, 1))]);
      const gone = await stored(store, [prompt(1)]);
      meanwhile = () => store.delete(gone);
      expect(await total(kept)).toBe(11);
      expect(meanwhile).toBe(undefined);
    });
  });

  it("is printed, with a bar on a terminal; JSON for programs; a wrong --by is told", async () => {
    const folder = scratchFolder();
    const url = `file:${join(folder, "store")}`;
    const store = await openStore(url);
    await stored(store, [prompt(1), cost(1, 1.5), end(1, tokens(1000, 200))], { title: "Long\u001b[2J one" });
    await store.close();
    const env = { XDG_CACHE_HOME: join(folder, "cache"), HOME: folder };
    const at = ["--store", url];
    const shown = await cli(["usage", ...at], { env: { ...env, NO_COLOR: "1" }, columns: 100 });
    expect(shown).toMatchObject({ status: 0, err: "" });
    expect(shown.out).toMatch(/2026-01-01 +1 +1,000 +200 +1,200 +1\.50 USD +█{20}/);
    expect(existsSync(join(folder, "cache", "acp-sidecar"))).toBe(true);
    const bySession = await cli(["usage", "--by", "session", ...at], { env });
    expect(bySession.out).toContain("one");
    expect(bySession.out).not.toMatch(/\u001b|█/);
    const json = JSON.parse((await cli(["usage", "--json", "--by", "month", ...at], { env })).out) as object;
    expect(json).toMatchObject({ by: "month", rows: [{ key: "2026-01", total: 1200, cost: { USD: 1.5 } }] });
    expect((await cli(["usage", "--by", "hour", ...at], { env })).err).toContain("allowed: day, week");
  });
});
