/** Stores as the built library opens them, and sessions that were there before. */
import path from "node:path";
import { pathToFileURL } from "node:url";

export const libraryOf = (file) => import(pathToFileURL(file).href);

/** The store of a contender. */
export async function openStoreOf({ library, store: url, encryption }) {
  const { openStore } = await libraryOf(library);
  return openStore(url, encryption);
}

const holder = { host: "bench", pid: 1, startedAt: "0" };

/** A new session that this process holds, and the means to fill it. */
export async function heldSession(store, library, cwd, metadata, atMs) {
  const id = await newSession(store, library, cwd, metadata, atMs);
  const { lease } = await store.acquire(id, { holder, ttlMs: 3_600_000, mayTake: () => true });
  return { id, lease };
}

export async function newSession(store, { newSessionId }, cwd, metadata = {}, atMs = Date.now()) {
  const id = newSessionId();
  await store.create({
    id,
    createdAtMs: atMs,
    updatedAtMs: atMs,
    cwd: path.resolve(cwd),
    additionalDirectories: [],
    agent: { info: { name: "bench-agent", version: "1.0.0" } },
    mcpServerNames: [],
    agentSessionIds: ["00000000-0000-4000-8000-000000000000"],
    settings: {},
    metadata,
  });
  return id;
}

/**
 * Stores a session of sealed turns, as its last run left it, until it has `entries` entries or `bytes` bytes of
 * data. Returns its id and how many of its entries are replayed as updates.
 */
export async function storeSession(store, library, { cwd, entries = Infinity, bytes = Infinity, turnOf }) {
  const { id, lease } = await heldSession(store, library, cwd);
  let [head, size, updates] = [0, 0, 0];
  for (let turn = 0; head < entries && size < bytes; turn++) {
    const all = turnOf(turn).slice(0, entries - head);
    head = await store.seal(id, { from: head + 1, head }, all, lease);
    for (const { kind, data } of all) {
      size += data.length;
      if (kind !== "end") updates += 1;
    }
  }
  await store.release(lease);
  return { id, entries: head, bytes: size, updates };
}

/** An entry of the journal, its JSON as the sidecar writes it. */
export function entry(kind, value) {
  return { kind, atMs: Date.now(), data: JSON.stringify(value) };
}
