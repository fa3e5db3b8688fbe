/** What a write is worth on this server when the power fails. */
import { SidecarError } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import { Queue } from "../../base/queue.ts";
import type { Connection } from "./connection.ts";

/**
 * `onWrite` — every write is on disk before it is answered; `onFlush` — WAITAOF tells when earlier ones are;
 * `none` — the server keeps them in memory, or does not let us know.
 */
export type SyncPolicy = "onWrite" | "onFlush" | "none";

/** Well below the silence after which a connection is given up. */
const syncTimeoutMs = 20_000;

export async function readSyncPolicy(redis: Connection): Promise<SyncPolicy> {
  const info = String(await redis.command("info", ["persistence"]));
  if (!/^aof_enabled:1/m.test(info)) return "none";
  const policy = await appendFsyncOf(redis);
  if (policy === "always") return "onWrite";
  if (policy === "no") return "none";
  const [waitAof] = (await redis.command("command", ["info", "waitaof"])) as unknown[];
  return Array.isArray(waitAof) ? "onFlush" : "none";
}

/** How often the server syncs its log; undefined where CONFIG is not for us. */
async function appendFsyncOf(redis: Connection): Promise<string | undefined> {
  try {
    const [, policy] = (await redis.command("config", ["get", "appendfsync"])) as (string | undefined)[];
    return policy;
  } catch {
    // Managed servers forbid CONFIG in many ways. Not knowing is an answer, and a cautious one.
    return undefined;
  }
}

/** Knows which writes a flush must wait for, where WAITAOF tells of them. */
export class Flusher {
  readonly syncPolicy: SyncPolicy;
  readonly #redis: Connection;
  readonly #queue = new Queue();
  /** Sessions written to since the last flush. */
  #unflushed = new Set<SessionId>();

  constructor(redis: Connection, syncPolicy: SyncPolicy) {
    this.#redis = redis;
    this.syncPolicy = syncPolicy;
  }

  /** After a write to a session. */
  note(id: SessionId): void {
    if (this.syncPolicy === "onFlush") this.#unflushed.add(id);
  }

  /** One at a time: what an earlier one is still waiting for is part of what this one promises. */
  flush(): Promise<void> {
    return this.#queue.run(() => this.#flush());
  }

  async #flush(): Promise<void> {
    const written = this.#unflushed;
    this.#unflushed = new Set();
    try {
      if (written.size > 0) await syncWrites(this.#redis, [...written]);
    } catch (error) {
      // A flush that failed leaves them to the next one.
      for (const id of written) this.#unflushed.add(id);
      throw error;
    }
  }
}

/**
 * Waits until everything written so far is on disk. WAITAOF knows of writes on its own connection only, so a
 * write goes out with it: the log is written in order, and where that write is, all before it are. On a
 * cluster that is to be done on the server of the list, and of every session written to since the last time.
 */
async function syncWrites(redis: Connection, written: readonly SessionId[]): Promise<void> {
  const { listMark, mark } = redis.keys;
  const marks = redis.clustered ? [listMark, ...written.map(mark)] : [listMark];
  const syncing = marks.map(async (key) => {
    const [, synced] = await redis.together([
      ["set", key, "1", "px", 1],
      ["waitaof", 1, 0, syncTimeoutMs],
    ]);
    if (Number((synced as readonly unknown[])[0]) < 1) throw notSynced(redis.location.place);
  });
  await Promise.all(syncing);
}

function notSynced(place: string): SidecarError {
  return new SidecarError(
    "STORE_UNAVAILABLE",
    `Redis at ${place} has not written to its disk for ${syncTimeoutMs / 1000} s; see its log, then try again`,
  );
}
