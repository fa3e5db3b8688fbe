/** What alerts ask about, measured: only what is asked for, and each figure once. */
import { meaningOf } from "../acp/entries.ts";
import { roomAt } from "../base/disk-room.ts";
import { isSidecarError, reasonOf } from "../base/errors.ts";
import { within } from "../base/time.ts";
import { isUnreadable } from "../base/unreadable.ts";
import { placeOfStore } from "../care/maintenance.ts";
import type { Condition, FigureName } from "../config/condition.ts";
import type { Config } from "../config/config.ts";
import { stateFolderOf, surroundings, type Surroundings } from "../config/paths.ts";
import { syncTimeMs } from "../health/checks-store.ts";
import { health, type Health } from "../health/health.ts";
import { readWhole } from "../session/read-whole.ts";
import { SessionRegistry } from "../session/registry.ts";
import type { Store, StoreStats } from "../store/contract.ts";
import { backupAgeMs } from "./backups.ts";
import { knownOf } from "./lease.ts";

/** In the unit of its figure. Undefined: it cannot be told now. */
export interface Measured {
  readonly value: number;
  /** For people, where the value alone says little. */
  readonly words?: string;
}

export interface MeasuringParts {
  readonly config: Config;
  /** Absent: it cannot be opened. */
  readonly store: Store | undefined;
  readonly openError?: unknown;
  readonly cacheFolder?: string | undefined;
  readonly env: Surroundings["env"];
  /** Of earlier measurings, the newest last. */
  readonly syncMs: readonly number[];
}

/** Which check tells that something is so. */
const checkOf: Partial<Record<FigureName, string>> = {
  "store.down": "store",
  "store.corrupt": "sound",
  "store.readonly": "writable",
  "clock.wrong": "clock",
  "index.failed": "search index",
  "key.missing": "key",
  "audit.failed": "audit log",
  "agents.left": "left over",
};

/** A server that does not answer holds up no other alert. */
const longestMs = 10_000;
/** Small writes in a measuring, and how many of all are looked at. */
const [syncsEach, syncsKept] = [5, 100];
/** Of the sessions that were in use in the time that is asked about, and of the last entries of each. */
const [mostSessions, mostEntries] = [500, 500];

export class Measures {
  readonly #parts: MeasuringParts;
  readonly #only: readonly string[];
  #health: Promise<Health> | undefined;
  #stats: Promise<StoreStats> | undefined;
  #syncMs: Promise<readonly number[]> | undefined;

  constructor(parts: MeasuringParts, conditions: readonly Condition[]) {
    this.#parts = parts;
    const asked = conditions.flatMap(({ figure }) => checkOf[figure] ?? []);
    // Whether what is written becomes safe is tried after all else of the store is found well.
    this.#only =
      asked.length === 0 ? [] : ["store", ...(asked.includes("writable") ? ["sound"] : []), ...asked];
  }

  /** How long small writes took, with those of now: for the next measuring. */
  async syncMs(): Promise<readonly number[]> {
    return (await this.#syncMs) ?? this.#parts.syncMs;
  }

  /** Never rejects. */
  async of(condition: Condition): Promise<Measured | undefined> {
    try {
      return await within(this.#measure(condition), longestMs);
    } catch {
      // That it cannot be measured is what other figures tell of.
      return undefined;
    }
  }

  async #measure({ figure, compared }: Condition): Promise<Measured | undefined> {
    const { store } = this.#parts;
    const check = checkOf[figure];
    if (check !== undefined) return this.#byCheck(figure, check);
    if (figure === "disk.free") return this.#room();
    if (figure === "backup.age") return this.#backupAge();
    if (store === undefined) return undefined;
    switch (figure) {
      case "backup.failed":
        return { value: Number((await knownOf(store)).failed.includes("backup")) };
      case "fsync.p99":
        return { value: percentile(await this.#synced(store), 0.99) };
      case "sessions.failed":
        return { value: await failedSince(store, Date.now() - (compared?.perMs ?? 0)) };
      default:
        return { value: (await this.#counted(store))[statOf(figure)] };
    }
  }

  async #room(): Promise<Measured | undefined> {
    const { config, env } = this.#parts;
    const place = placeOfStore(config.store) ?? stateFolderOf(surroundings(env));
    return place === undefined ? undefined : { value: (await roomAt(place)).freeBytes };
  }

  async #backupAge(): Promise<Measured | undefined> {
    const { backup } = this.#parts.config;
    if (backup === undefined) return undefined;
    const ageMs = await backupAgeMs(backup);
    return ageMs === undefined ? { value: Infinity, words: "there is none" } : { value: ageMs };
  }

  async #byCheck(figure: FigureName, name: string): Promise<Measured | undefined> {
    const { store, config, openError, cacheFolder, env } = this.#parts;
    if (store === undefined)
      return figure === "store.down" ? { value: 1, words: reasonOf(openError) } : undefined;
    this.#health ??= health(store, config, { cacheFolder, env, only: this.#only });
    const found = (await this.#health).checks.find((check) => check.name === name);
    if (found === undefined || found.isUntried === true) return undefined;
    return { value: Number(!found.ok), words: found.what ?? found.words };
  }

  #counted(store: Store): Promise<StoreStats> {
    this.#stats ??= store.stats();
    return this.#stats;
  }

  #synced(store: Store): Promise<readonly number[]> {
    this.#syncMs ??= (async () => {
      const times = [...this.#parts.syncMs];
      for (let n = 0; n < syncsEach; n += 1) times.push(await syncTimeMs(store));
      return times.slice(-syncsKept);
    })();
    return this.#syncMs;
  }
}

function statOf(figure: FigureName): "bytes" | "sessions" | "entries" {
  if (figure === "store.bytes") return "bytes";
  return figure === "store.sessions" ? "sessions" : "entries";
}

function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

/** Sessions of which a turn has ended with an error, or in the middle, since then; what the client cancelled has not failed. */
async function failedSince(store: Store, sinceMs: number): Promise<number> {
  const registry = new SessionRegistry({ store });
  let [failed, looked] = [0, 0];
  let cursor: string | undefined;
  try {
    do {
      const page = await registry.list({
        updatedSinceMs: sinceMs,
        archived: "include",
        limit: 100,
        ...(cursor !== undefined && { cursor }),
      });
      for (const { id, headSeq } of page.items) {
        // Sessions of this process have their turn.
        await new Promise((resolve) => setImmediate(resolve));
        if (await hasFailed(registry, id, { from: Math.max(1, headSeq - mostEntries), sinceMs })) failed += 1;
        looked += 1;
      }
      cursor = page.nextCursor;
    } while (cursor !== undefined && looked < mostSessions);
    return failed;
  } finally {
    await registry.close();
  }
}

/** One that is deleted meanwhile, or cannot be read, keeps nobody from what is known of all others. */
async function hasFailed(...asked: Parameters<typeof endsBadly>): Promise<boolean> {
  try {
    return await readWhole(() => endsBadly(...asked));
  } catch (error) {
    if (!isUnreadable(error) && !isSidecarError(error, "SESSION_NOT_FOUND", "STORE_CONFLICT")) throw error;
    return false;
  }
}

async function endsBadly(
  registry: SessionRegistry,
  id: Parameters<SessionRegistry["read"]>[0],
  { from, sinceMs }: { readonly from: number; readonly sinceMs: number },
): Promise<boolean> {
  for await (const page of registry.read(id, { from }))
    for (const entry of page) {
      if (entry.kind !== "end" || entry.atMs < sinceMs) continue;
      const meaning = meaningOf(entry);
      if (meaning.type === "end" && (meaning.end.error !== undefined || meaning.end.interrupted)) return true;
    }
  return false;
}
