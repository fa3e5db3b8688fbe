/** Journals for tests, on a memory store that can be made to fail. */
import { newSessionId, type SessionId } from "../../src/base/ids.ts";
import type { Tell } from "../../src/session/events.ts";
import { thisHolder } from "../../src/session/holder.ts";
import type { Durability } from "../../src/config/config.ts";
import type { HeldRoom } from "../../src/session/held.ts";
import { Journal } from "../../src/session/journal.ts";
import { collect } from "../../src/session/pages.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import type { Holder, Store } from "../../src/store/contract.ts";
import { contentsOf, newEntry, type Item } from "./entries.ts";
import { flaky } from "./flaky-store.ts";

export const other: Holder = { host: "elsewhere", pid: 1, startedAt: "1" };

export async function session(store: Store): Promise<SessionId> {
  const id = newSessionId();
  const lists = { additionalDirectories: [], mcpServerNames: [], agentSessionIds: [] };
  await store.create({ id, createdAtMs: 1, updatedAtMs: 1, cwd: "/", settings: {}, metadata: {}, ...lists });
  return id;
}

export function open(
  store: Store,
  id: SessionId,
  more: { holder?: Holder; durability?: Durability; may?: boolean; tell?: Tell; room?: HeldRoom } = {},
) {
  const { holder = thisHolder(), durability = "turn", may = true, tell = () => undefined, room } = more;
  return Journal.open(id, {
    store,
    durability,
    holder,
    leaseTtlMs: 30_000,
    mayTake: () => may,
    tell,
    ...(room !== undefined && { room }),
  });
}

export const entries = (...items: readonly Item[]) => items.map((item) => newEntry(item, Date.now()));
export const stored = async (store: Store, id: SessionId) => collect(store.read(id));
export const contents = async (store: Store, id: SessionId) => contentsOf(await stored(store, id));

/** A journal of a new session in a memory store that can be made to fail. */
export async function journalOf(durability: Durability = "turn") {
  const flakyStore = flaky(openMemoryStore());
  const id = await session(flakyStore.store);
  const { journal } = await open(flakyStore.store, id, { durability });
  return { ...flakyStore, id, journal };
}
