/** How a session comes to be: written, made as safe as was asked for, and refused by nobody. */
import type { SessionId } from "../base/ids.ts";
import type { SessionRecord, Store } from "../store/contract.ts";
import type { Events } from "./events.ts";
import type { LiveSet } from "./live.ts";
import { emptySession, type RegistryDefaults, type SessionInit } from "./registry-options.ts";

interface Parts {
  readonly store: Store;
  readonly live: LiveSet;
  readonly events: Events;
}

/** Errors: `SESSION_LIMIT`, `SESSION_NOT_FOUND` for an unknown parent, `STORE_…`. */
export async function createSession(
  { store, live, events }: Parts,
  { durability, now }: Pick<RegistryDefaults, "durability" | "now">,
  init: SessionInit,
  id: SessionId,
): Promise<SessionRecord> {
  const nowMs = now();
  const wasLive = live.has(id);
  live.add(id);
  try {
    const record = await store.create({
      ...emptySession,
      ...init,
      id,
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
    });
    if (durability === "full") await store.flush();
    await announce(store, events, record);
    return record;
  } catch (error) {
    if (!wasLive) live.remove(id);
    throw error;
  }
}

/** A session that a hook refuses is not made: nobody would ever learn its id. */
async function announce(store: Store, events: Events, record: SessionRecord): Promise<void> {
  try {
    await events.ask("create", { record });
  } catch (error) {
    await store.delete(record.id);
    throw error;
  }
  events.tell("create", () => ({ record }));
}
