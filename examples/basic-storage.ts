/** Basic storage: create, read, update, delete; expiry; capacity; and the life of a store. */
import { mkdtemp, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pass } from "node:timers/promises";
import {
  newSessionId,
  openStore,
  type NewEntry,
  type NewSession,
  type SessionId,
  type Store,
} from "acp-sidecar";
import { chapter, fact, refusalOf } from "./print.ts";

function aSession(title: string, metadata: NewSession["metadata"] = {}): NewSession {
  const nowMs = Date.now();
  return {
    id: newSessionId(),
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    cwd: "/home/ada/engine",
    additionalDirectories: [],
    title,
    mcpServerNames: [],
    agentSessionIds: [],
    settings: {},
    metadata,
  };
}

function aMessage(text: string): NewEntry {
  return {
    kind: "message",
    atMs: Date.now(),
    data: JSON.stringify({ role: "user", content: [{ type: "text", text }] }),
  };
}

/** The right to write to a session. Who holds it is told to anybody who asks for it meanwhile. */
async function hold(store: Store, id: SessionId) {
  const holder = { host: hostname(), pid: process.pid, startedAt: "this run" };
  const { lease } = await store.acquire(id, { holder, ttlMs: 60_000, mayTake: () => false });
  return lease;
}

async function entriesOf(store: Store, id: SessionId): Promise<string[]> {
  const found: string[] = [];
  for await (const page of store.read(id)) found.push(...page.map(({ seq, data }) => `${seq} ${data}`));
  return found;
}

async function crud(): Promise<void> {
  chapter("Create, read, update, delete (memory:)");
  const store = await openStore("memory:");
  const { id } = await store.create(aSession("Difference engine", { team: "blue" }));
  await store.create(aSession("Loom", { team: "red" }));
  fact(`created ${await store.count()} sessions`, (await store.count()) === 2);

  const lease = await hold(store, id);
  await store.append(id, 0, [aMessage("Hello"), aMessage("Is anybody there?")], lease);
  for (const line of await entriesOf(store, id)) console.log(`      ${line}`);
  fact("read two entries back", (await entriesOf(store, id)).length === 2);

  const updated = await store.update(id, { title: "Analytical engine" });
  fact(`renamed it to "${updated.title}"`, (await store.get(id))?.title === "Analytical engine");
  const { items } = await store.list({ metadata: { team: "blue" } });
  fact("found it by its metadata", items.length === 1 && items[0]?.id === id);

  fact("deleted it", await store.delete(id));
  fact("it is gone", (await store.get(id)) === undefined);
  const refusal = await refusalOf(store.append(id, 2, [aMessage("too late")], lease));
  fact(`a late write is refused: ${refusal}`, refusal === "SESSION_NOT_FOUND");
  await store.close();
}

async function expiry(): Promise<void> {
  chapter("Expiry (cache: with a time to live of 600 ms)");
  const store = await openStore("cache:?ttlMs=600");
  const { id } = await store.create(aSession("Short-lived"));
  await pass(350);
  await store.update(id, { title: "Renewed" });
  await pass(350);
  fact("700 ms on, it is there: a write renewed it halfway", (await store.get(id)) !== undefined);
  await pass(650);
  fact("600 ms after its last write, it has expired", (await store.get(id)) === undefined);
  await store.close();
}

async function capacity(): Promise<void> {
  chapter("Capacity");
  const cache = await openStore("cache:?maxSessions=2");
  const [first, second] = [await cache.create(aSession("first")), await cache.create(aSession("second"))];
  await cache.get(first.id);
  await cache.create(aSession("third"));
  fact("a full cache keeps what was used lately", (await cache.get(first.id)) !== undefined);
  fact("and lets go of what was not", (await cache.get(second.id)) === undefined);
  const { hits, misses, evictions } = (await cache.stats()).details ?? {};
  console.log(`      hits ${hits}, misses ${misses}, evictions ${evictions}`);
  await cache.close();

  const memory = await openStore("memory:?capacity=2");
  await memory.create(aSession("first"));
  await memory.create(aSession("second"));
  const refusal = await refusalOf(memory.create(aSession("third")));
  fact(`a full memory store loses nothing and refuses: ${refusal}`, refusal === "STORE_FULL");
  await memory.close();
}

async function lifecycle(): Promise<void> {
  chapter("The life of a store (file:)");
  const directory = await mkdtemp(path.join(tmpdir(), "acp-sidecar-example-"));
  try {
    const store = await openStore(`file:${directory}`);
    const { id } = await store.create(aSession("Kept"));
    const lease = await hold(store, id);
    await store.append(id, 0, [aMessage("one"), aMessage("two")], lease);
    // A turn's end: what was streamed becomes whole messages, which are final.
    await store.seal(id, { from: 1, head: 2 }, [aMessage("one and two")], lease);
    await store.flush();
    fact("flushed: from here on it survives a power cut", store.capabilities.survivesPowerLoss);
    await store.release(lease);
    await store.close();
    const refusal = await refusalOf(store.get(id));
    fact(`closed: ${refusal}`, refusal === "STORE_CLOSED");

    const again = await openStore(`file:${directory}`);
    fact("opened again, the session is there", (await again.get(id))?.title === "Kept");
    fact("with its one final entry", (await entriesOf(again, id)).length === 1);
    const { sessions, entries, bytes } = await again.stats();
    console.log(`      ${sessions} session, ${entries} entry, ${bytes} bytes`);
    await again.close();
  } finally {
    await rm(directory, { recursive: true });
  }
}

await crud();
await expiry();
await capacity();
await lifecycle();
console.log();
