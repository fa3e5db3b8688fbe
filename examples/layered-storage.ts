/** Layered storage: a small, fast store before a safe one, and what happens when either of them is not there. */
import { mkdtemp, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pass } from "node:timers/promises";
import {
  newSessionId,
  openLayers,
  openStore,
  type NewEntry,
  type NewSession,
  type SessionId,
  type Store,
} from "acp-sidecar";
import { chapter, fact, refusalOf } from "./print.ts";

function aSession(title: string): NewSession {
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
    metadata: {},
  };
}

function aMessage(text: string): NewEntry {
  return {
    kind: "message",
    atMs: Date.now(),
    data: JSON.stringify({ role: "user", content: [{ type: "text", text }] }),
  };
}

/** A session with two final entries. */
async function aConversation(store: Store, title: string): Promise<SessionId> {
  const { id } = await store.create(aSession(title));
  const holder = { host: hostname(), pid: process.pid, startedAt: "this run" };
  const { lease } = await store.acquire(id, { holder, ttlMs: 60_000, mayTake: () => true });
  await store.append(id, 0, [aMessage("Hello"), aMessage("Is anybody there?")], lease);
  await store.seal(id, { from: 3, head: 2 }, [], lease);
  await store.release(lease);
  return id;
}

async function countOf(store: Store, id: SessionId): Promise<number> {
  let count = 0;
  for await (const page of store.read(id)) count += page.length;
  return count;
}

/** A store that can be unplugged, to show what the layers make of it. */
function unpluggable(store: Store): { readonly store: Store; isPlugged: boolean } {
  const state = { store, isPlugged: true };
  state.store = new Proxy(store, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        if (state.isPlugged || key === "close")
          return (value as (...all: unknown[]) => unknown).apply(target, args);
        throw new Error("unplugged");
      };
    },
  });
  return state;
}

async function figure(store: Store, key: string): Promise<number | string | undefined> {
  return (await store.stats()).details?.[key];
}

async function copies(): Promise<void> {
  chapter("Write-through, miss and fallback, write-back (memory: before memory:)");
  const [fast, safe] = [await openStore("memory:"), await openStore("memory:")];
  const old = await aConversation(safe, "From before");
  const store = await openLayers([fast, safe]);

  const id = await aConversation(store, "Written through");
  fact("a session written through the layers is in the fast one", (await countOf(fast, id)) === 2);
  fact("and in the safe one", (await countOf(safe, id)) === 2);

  fact("an older session is not in the fast layer: a miss", (await fast.get(old)) === undefined);
  fact("it is read from the safe one", (await countOf(store, old)) === 2);
  fact("and was written back on the way", (await countOf(fast, old)) === 2);
  await store.get(old);
  console.log(
    `      hits ${await figure(store, "1.memory.hits")}, misses ${await figure(store, "1.memory.misses")}`,
  );

  await store.delete(old);
  fact(
    "deleted, it is gone everywhere",
    (await fast.get(old)) === undefined && (await safe.get(old)) === undefined,
  );
  await store.close();
}

async function expiry(): Promise<void> {
  chapter("Expiry with fallback (cache: of 2 s before memory:)");
  const [cache, safe] = [await openStore("cache:?ttlMs=2000"), await openStore("memory:")];
  const store = await openLayers([cache, safe]);
  const id = await aConversation(store, "Asked for now and then");
  fact("fresh, it is in the cache", (await cache.get(id)) !== undefined);
  await pass(2050);
  fact("later, it has expired there", (await cache.get(id)) === undefined);
  fact("reading it falls back to the safe layer", (await countOf(store, id)) === 2);
  fact("and fills the cache again", (await cache.get(id)) !== undefined);
  await store.close();
}

async function degradation(): Promise<void> {
  chapter("Degradation and healing (memory: before file:)");
  const directory = await mkdtemp(path.join(tmpdir(), "acp-sidecar-example-"));
  try {
    const fast = unpluggable(await openStore("memory:"));
    const safe = unpluggable(await openStore(`file:${directory}`));
    const store = await openLayers([fast.store, safe.store], { retryMs: 100 });
    const id = await aConversation(store, "before");

    fast.isPlugged = false;
    await store.update(id, { title: "while the fast layer was away" });
    fact("without the fast layer, writes and reads go on", (await countOf(store, id)) === 2);
    fact("stats() says so", (await figure(store, "1.memory.state")) === "down");

    fast.isPlugged = true;
    await pass(150);
    fact("back again, it has an old title", (await fast.store.get(id))?.title === "before");
    const title = (await store.get(id))?.title;
    fact(`which nobody is given: "${title}"`, title === "while the fast layer was away");
    fact("it is healed", (await fast.store.get(id))?.title === title);
    fact("and in use", (await figure(store, "1.memory.state")) === "up");

    safe.isPlugged = false;
    const refusal = await refusalOf(store.update(id, { title: "unsafe" }));
    fact("without the safe layer, a write is refused, not pretended", refusal !== "nothing");
    safe.isPlugged = true;
    fact("and has happened nowhere", (await store.get(id))?.title === title);
    await store.close();
  } finally {
    await rm(directory, { recursive: true });
  }
}

await copies();
await expiry();
await degradation();
console.log();
