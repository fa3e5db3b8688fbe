import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { build } from "esbuild";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { SessionId } from "../../src/session-id.ts";
import {
  aJournal,
  aSession,
  assertJournal,
  entriesOf,
  rejectsWith,
  someEntries,
} from "../conformance/samples.ts";
import type { Order, Report } from "./contender.ts";
import { sqliteSandbox } from "./sqlite-sandbox.ts";

const { directory, newPath, open, raw } = sqliteSandbox();

describe("a SQLite store whose file is locked by another process", () => {
  it("waits without freezing the event loop, and carries out writes in the order of the calls", async () => {
    const path = newPath();
    const store = await open(path);
    const { id, lease } = await aJournal(store, 0);
    const other = raw(path);
    other.exec("BEGIN IMMEDIATE");
    let written = 0;
    const calls = Array.from({ length: 10 }, (_, i) =>
      store.append(id, i, someEntries(1, i + 1), lease).finally(() => (written += 1)),
    );
    await delay(100);
    expect(written).toBe(0);
    expect((await entriesOf(store, id)).length).toBe(0);
    other.exec("COMMIT");
    // A call made when the lock is free again does not overtake those that wait.
    calls.push(store.append(id, 10, someEntries(1, 11), lease));
    await Promise.all(calls);
    await assertJournal(store, id, someEntries(11));
  });

  it("gives up after the time it was told, having changed nothing, and works when the lock is gone", async () => {
    const path = newPath();
    const store = await open(path, { lockWaitMs: 60 });
    const { id, lease } = await aJournal(store, 1);
    const other = raw(path);
    other.exec("BEGIN IMMEDIATE");
    await rejectsWith("STORE_LOCKED", store.append(id, 1, someEntries(2, 2), lease));
    await rejectsWith("STORE_LOCKED", store.create(aSession()));
    other.exec("COMMIT");
    expect(await store.append(id, 1, someEntries(2, 2), lease)).toBe(3);
    await assertJournal(store, id, someEntries(3));
  });

  it("finishes what waits before it closes", async () => {
    const path = newPath();
    const store = await open(path);
    const { id, lease } = await aJournal(store, 0);
    const other = raw(path);
    other.exec("BEGIN IMMEDIATE");
    const appending = store.append(id, 0, someEntries(1), lease);
    const closing = store.close();
    await rejectsWith("STORE_CLOSED", store.append(id, 1, someEntries(1, 2), lease));
    other.exec("COMMIT");
    expect(await appending).toBe(1);
    await closing;
    await assertJournal(await open(path), id, someEntries(1));
  });
});

describe("processes that share a SQLite file", () => {
  const bundle = join(directory, "contender.mjs");
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    const entry = { entryPoints: [resolve("test/store/contender.ts")], outfile: bundle };
    await build({ ...entry, bundle: true, platform: "node", format: "esm", external: ["better-sqlite3"] });
    symlinkSync(resolve("node_modules"), join(directory, "node_modules"));
  });
  afterEach(async () => {
    for (const child of children.splice(0)) {
      const exited = once(child, "exit");
      if (child.kill("SIGKILL")) await exited;
    }
  });

  async function contender(path: string, name: string) {
    const child = fork(bundle, [path, name], { execArgv: [] });
    children.push(child);
    await once(child, "message");
    const ask = async (order: Order): Promise<Report> => {
      const answer = once(child, "message");
      child.send(order);
      return ((await answer) as [Report])[0];
    };
    return { child, ask };
  }

  async function setUp() {
    const path = newPath();
    const store = await open(path);
    const { id } = await store.create(aSession());
    return { path, store, id, contenders: [await contender(path, "a"), await contender(path, "b")] as const };
  }

  it("race for a free lease 25 times: one gets it, and who had it before can write nothing", async () => {
    const { store, id, contenders } = await setUp();
    const acquire: Order = { do: "acquire", id, ttlMs: 60_000, take: false };
    let lastWinner: number | undefined;
    for (let round = 0; round < 25; round += 1) {
      const reports = await Promise.all(contenders.map(({ ask }) => ask(acquire)));
      const winner = reports.findIndex((report) => "head" in report);
      expect(reports[1 - winner]).toEqual({ error: "SESSION_BUSY" });
      const append: Order = { do: "append", head: round, data: `round ${round}` };
      const loser = contenders[1 - winner];
      // The loser has at most a lease of an earlier round.
      if (lastWinner === 1 - winner) expect(await loser?.ask(append)).toEqual({ error: "LEASE_LOST" });
      expect(await contenders[winner]?.ask(append)).toEqual({ head: round + 1 });
      await contenders[winner]?.ask({ do: "release" });
      lastWinner = winner;
    }
    const rounds = Array.from({ length: 25 }, (_, i) => `round ${i}`);
    expect((await entriesOf(store, id)).map(({ data }) => data)).toEqual(rounds);
  });

  it("take the lease from each other 25 times, and never does a fenced one's entry get in", async () => {
    const { store, id, contenders } = await setUp();
    await contenders[0].ask({ do: "acquire", id, ttlMs: 60_000, take: true });
    const acknowledged: string[] = [];
    for (let round = 0; round < 25; round += 1) {
      const [holder, taker] = round % 2 === 0 ? contenders : ([contenders[1], contenders[0]] as const);
      const data = `round ${round}`;
      const append: Order = { do: "append", head: acknowledged.length, data };
      const take: Order = { do: "acquire", id, ttlMs: 60_000, take: true };
      const [written, taken] = await Promise.all([holder.ask(append), taker.ask(take)]);
      expect(taken).toEqual({ head: 0 });
      if ("head" in written) acknowledged.push(data);
      else expect(written.error).toBe("LEASE_LOST");
      const late: Order = { do: "append", head: acknowledged.length, data: "too late" };
      expect(await holder.ask(late)).toEqual({ error: "LEASE_LOST" });
    }
    expect((await entriesOf(store, id)).map(({ data }) => data)).toEqual(acknowledged);
  });

  it("shut out a frozen holder that wakes up after its lease has run out", async () => {
    const { store, id, contenders } = await setUp();
    const [frozen, next] = contenders;
    await frozen.ask({ do: "acquire", id, ttlMs: 100, take: false });
    expect(await frozen.ask({ do: "append", head: 0, data: "before" })).toEqual({ head: 1 });
    frozen.child.kill("SIGSTOP");
    const waking = frozen.ask({ do: "append", head: 1, data: "asleep" });
    const acquire: Order = { do: "acquire", id, ttlMs: 60_000, take: false };
    while ("error" in (await next.ask(acquire))) await delay(20);
    expect(await next.ask({ do: "append", head: 1, data: "after" })).toEqual({ head: 2 });
    frozen.child.kill("SIGCONT");
    expect(await waking).toEqual({ error: "LEASE_LOST" });
    expect((await entriesOf(store, id)).map(({ data }) => data)).toEqual(["before", "after"]);
  });

  it("write to sessions of their own at full speed while a third lists", async () => {
    const { store, contenders } = await setUp();
    const ids: SessionId[] = [];
    const writing = contenders.map(async ({ ask }) => {
      const { id } = await store.create(aSession());
      ids.push(id);
      await ask({ do: "acquire", id, ttlMs: 60_000, take: false });
      return ask({ do: "appendMany", head: 0, count: 1000 });
    });
    let done = false;
    const all = Promise.all(writing).finally(() => (done = true));
    while (!done) {
      expect((await store.list()).items.length).toBeGreaterThan(0);
      await delay(1);
    }
    expect(await all).toEqual([{ head: 1000 }, { head: 1000 }]);
    for (const id of ids) expect(await entriesOf(store, id)).toHaveLength(1000);
  });
});
