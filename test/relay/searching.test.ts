import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, expect, it } from "vitest";
import type { SessionId } from "../../src/base/ids.ts";
import { indexPath } from "../../src/history/search/index-file.ts";
import { openSqliteIndex } from "../../src/history/search/sqlite-index.ts";
import { Searcher } from "../../src/history/search/search.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { openSqliteStore } from "../../src/store/sql/sqlite/store.ts";
import { wrapStore } from "../../src/store/shell.ts";
import { gate, rig } from "./rig.ts";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-searching-"));
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));
let stores = 0;

async function onDisk() {
  const place = path.join(folder, String((stores += 1)));
  fs.mkdirSync(place);
  const store = await openSqliteStore({ path: path.join(place, "sessions.db") });
  const cacheFolder = path.join(place, "cache");
  return { store, cacheFolder, index: indexPath(cacheFolder, (await store.identity())!) };
}

/** A store whose first read of entries waits until it may. */
function slow(inner = openMemoryStore()) {
  const [asked, mayRead] = [gate(), gate()];
  const store = wrapStore(inner, {
    async *read(id, range) {
      asked.open();
      await mayRead.passed;
      yield* inner.read(id, range);
    },
  });
  return { store, asked, mayRead };
}

async function filled(inner = openMemoryStore()) {
  const registry = new SessionRegistry({ store: inner });
  const { id } = await registry.create({ cwd: "/project" });
  await registry.addMessage(id, { role: "user", content: "a lantern" });
  return inner;
}

it("opens the index once for many searches", async () => {
  const { store, cacheFolder, index } = await onDisk();
  await filled(store);
  const relay = await rig({ store, relay: { cacheFolder } });
  const search = () => relay.client.request("_acp-sidecar/search", { query: "lantern" });
  expect(await search()).toMatchObject({ sessions: [{ cwd: "/project" }] });
  // Whoever opened it anew would find no index there, and make one.
  fs.rmSync(index);
  expect(await search()).toMatchObject({ sessions: [{ cwd: "/project" }] });
  expect(fs.existsSync(index)).toBe(false);
  await relay.close();
  await store.close();
});

it("goes on with a session's prompts while one of them searches, and ends that when it is cancelled", async () => {
  const { store, asked, mayRead } = slow(await filled());
  const relay = await rig({ store, relay: { commands: "on" } });
  const sessionId = await relay.newSession();
  const searching = relay.prompt(sessionId, "/sidecar search lantern");
  await asked.passed;
  expect(await relay.prompt(sessionId, "hello")).toMatchObject({ stopReason: "end_turn" });
  await relay.client.notify("session/cancel", { sessionId });
  // A request comes behind the cancellation.
  await relay.client.request("session/list", {});
  mayRead.open();
  expect(await searching).toMatchObject({ stopReason: "cancelled" });
  expect(relay.shown()).toBe("");
  await relay.prompt(sessionId, "/sidecar search lantern");
  expect(relay.shown()).toContain("a lantern");
  await relay.close();
});

it("ends a search that its client gives up, and what it was asked last is answered before it closes", async () => {
  const { store, asked, mayRead } = slow(await filled());
  const relay = await rig({ store });
  const search = (signal?: AbortSignal) =>
    relay.client.request("_acp-sidecar/search", { query: "lantern" }, signal && { signal });
  const givenUp = new AbortController();
  const ended = expect(search(givenUp.signal)).rejects.toMatchObject({ code: -32800 });
  await asked.passed;
  givenUp.abort();
  // A request comes behind that.
  await relay.client.request("session/list", {});
  mayRead.open();
  await ended;
  const last = search();
  await relay.client.request("session/list", {});
  const closed = relay.close();
  expect(await last).toMatchObject({ sessions: [{ cwd: "/project" }] });
  await closed;
  await store.close();
});

it("answers a search whose index cannot be written with a line, and the session is well", async () => {
  const { store, cacheFolder, index } = await onDisk();
  await filled(store);
  fs.mkdirSync(index, { recursive: true });
  const relay = await rig({ store, relay: { cacheFolder, commands: "on" } });
  const sessionId = await relay.newSession();
  expect(await relay.prompt(sessionId, "/sidecar search lantern")).toMatchObject({ stopReason: "end_turn" });
  expect(await relay.prompt(sessionId, "hello")).toMatchObject({ stopReason: "end_turn" });
  await relay.close();
  await store.close();
});

it("brings an index that is there up to date when nothing has been asked for a while", async () => {
  const { store, cacheFolder, index } = await onDisk();
  const relay = await rig({ store, relay: { cacheFolder, indexAfterMs: 5 } });
  const sessionId = await relay.newSession();
  await relay.client.request("_acp-sidecar/search", { query: "lantern" });
  await relay.prompt(sessionId, "light the lantern");
  const shared = await openSqliteIndex(index);
  const through = async () =>
    (await shared.known([sessionId as SessionId])).values().next().value?.throughSeq;
  while ((await through()) !== 2) await new Promise((resolve) => setImmediate(resolve));
  await shared.close();
  await relay.close();
  await store.close();
});

it("makes none for who has never searched", async () => {
  const { store, cacheFolder, index } = await onDisk();
  await filled(store);
  const searcher = new Searcher(new SessionRegistry({ store }), { cacheFolder });
  await searcher.catchUpIdly(new AbortController().signal, 0);
  expect(fs.existsSync(index)).toBe(false);
  await searcher.search("lantern");
  expect(fs.existsSync(index)).toBe(true);
  await searcher.close();
  await store.close();
});

it("leaves that to another process which does it", async () => {
  const { store, cacheFolder, index } = await onDisk();
  await filled(store);
  const registry = new SessionRegistry({ store });
  const searcher = new Searcher(registry, { cacheFolder });
  const other = await openSqliteIndex(index);
  expect([await other.claim?.(60_000), await other.claim?.(60_000)]).toEqual([true, true]);
  await searcher.catchUpIdly(new AbortController().signal, 0);
  expect((await other.state()).sessions).toBe(0);
  await other.claim?.(0);
  await searcher.catchUpIdly(new AbortController().signal, 0);
  expect((await other.state()).sessions).toBe(1);
  await other.close();
  await searcher.close();
  await store.close();
});

it("goes on where it was ended, at the next quiet moment", async () => {
  const { store, cacheFolder, index } = await onDisk();
  for (let n = 0; n < 3; n += 1) await filled(store);
  await (await openSqliteIndex(index)).close();
  const ending = new AbortController();
  const stopping = wrapStore(store, {
    async *read(id, range) {
      yield* store.read(id, range);
      ending.abort();
    },
  });
  const searcher = new Searcher(new SessionRegistry({ store: stopping }), { cacheFolder });
  const idle = (signal: AbortSignal) => searcher.catchUpIdly(signal, 0);
  await expect(idle(ending.signal)).rejects.toMatchObject({ code: "REQUEST_CANCELLED" });
  await idle(new AbortController().signal);
  const shared = await openSqliteIndex(index);
  expect((await shared.state()).sessions).toBe(3);
  await shared.close();
  await searcher.close();
  await store.close();
});

it("is in memory for sessions that are, and then nothing is done in quiet moments", async () => {
  let reads = 0;
  const inner = await filled();
  const store = wrapStore(inner, {
    read: (id, range) => {
      reads += 1;
      return inner.read(id, range);
    },
  });
  const searcher = new Searcher(new SessionRegistry({ store }), { cacheFolder: folder });
  await searcher.catchUpIdly(new AbortController().signal, 0);
  expect(reads).toBe(0);
  await searcher.close();
});
