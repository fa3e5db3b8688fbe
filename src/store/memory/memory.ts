/** Sessions in this process's memory: the quickest store, gone with the process. */
import { SidecarError } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import type { Store } from "../contract.ts";
import { defineStore } from "../shell.ts";
import { MemoryDriver, type SessionTable } from "./driver.ts";
import type { StoredSession } from "./session.ts";

interface MemoryStoreOptions {
  /** Sessions it takes before `create` fails with `STORE_FULL`; unbounded unless told. */
  readonly capacity?: number;
}

export function openMemoryStore(options: MemoryStoreOptions = {}): Store {
  return defineStore(new MemoryDriver("memory", tableOf(options.capacity ?? Infinity)));
}

function tableOf(capacity: number): SessionTable {
  const sessions = new Map<SessionId, StoredSession>();
  return {
    has: (id) => sessions.has(id),
    get: (id) => sessions.get(id),
    add: (session) => {
      if (sessions.size >= capacity) throw capacityReached(capacity);
      sessions.set(session.facts.id, session);
    },
    delete: (id) => sessions.delete(id),
    values: () => sessions.values(),
    close: () => sessions.clear(),
  };
}

function capacityReached(capacity: number): SidecarError {
  return new SidecarError(
    "STORE_FULL",
    `The memory store holds its ${capacity} sessions; delete some or raise its capacity`,
    { data: { capacity } },
  );
}
