/** Our stores as the bench drives them: through the contract, as the built library opens them. */
import path from "node:path";
import { entry, heldSession, newSession } from "../store.mjs";

/** Every so many sessions have the same value in their metadata. */
export const sessionsPerValue = 1000;

export function metadataOf(i) {
  return { project: `project ${i % sessionsPerValue}`, ticket: i };
}

/** Pieces of an answer, as agents send them. Compression must not find them all alike. */
export function sampleEntries(count) {
  let state = 1;
  const word = () => {
    state = (state * 48_271) % 0x7fffffff;
    return state.toString(36).slice(0, 2 + (state % 7));
  };
  return Array.from({ length: count }, () => {
    const text = Array.from({ length: 12 }, word).join(" ");
    return entry("update", {
      update: { sessionUpdate: "agent_message_chunk", content: { type: "text", text } },
    });
  });
}

/** A store of ours. What acts on a session gets back what `session` gave, its `head` kept by the caller. */
export function ours(name, store, library) {
  return {
    name,
    store,
    session: async (metadata) => ({ ...(await heldSession(store, library, "/project", metadata)), head: 0 }),
    listed: (metadata) => newSession(store, library, "/project", metadata),
    /** What all of them have, by which a page can be asked for too. */
    filters: { cwd: { cwd: path.resolve("/project") }, before: { updatedBeforeMs: Date.now() + 3_600_000 } },
    get: (session) => store.get(session.id),
    append: (session, entries) => store.append(session.id, session.head, entries, session.lease),
    read: (session, from = 1) => countEntries(store.read(session.id, { from })),
    page: async (cursor, limit = 50, filter = {}) => {
      const at = cursor !== undefined && { cursor };
      const { items, nextCursor } = await store.list({ limit, ...at, ...filter });
      return { found: items.length, cursor: nextCursor };
    },
    find: async (metadata) => (await store.list({ metadata })).items.length,
    flush: () => store.flush(),
    close: () => store.close(),
  };
}

async function countEntries(pages) {
  let count = 0;
  for await (const page of pages) count += page.length;
  return count;
}
