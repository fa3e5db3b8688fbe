/** The store itself: it answers, what stands there is sound, and what is written becomes safe. */
import { isSidecarError } from "../base/errors.ts";
import { newSessionId } from "../base/ids.ts";
import { isRepairable } from "../care/maintenance.ts";
import { verifySessions } from "../care/verify.ts";
import { buriedAtMs, hiddenAs } from "../session/hidden.ts";
import { emptySession } from "../session/registry-options.ts";
import type { SessionRecord, Store } from "../store/contract.ts";
import { repairIt } from "./fixes.ts";
import type { Finding, HealthCheck } from "./check.ts";

export const answersCheck: HealthCheck = {
  name: "store",
  isVital: true,
  look: async ({ store }) => {
    const beganMs = performance.now();
    await newestOf(store);
    return { ok: true, words: `answers in ${(performance.now() - beganMs).toFixed(1)} ms` };
  },
};

/** The session with the newest activity; undefined where there is none, or it is damaged: that is another check's to tell. */
export async function newestOf(store: Store): Promise<SessionRecord | undefined> {
  try {
    return (await store.list({ limit: 1 })).items[0];
  } catch (error) {
    if (isSidecarError(error, "STORE_CORRUPT", "DECRYPT_FAILED")) return undefined;
    throw error;
  }
}

/** The newest sessions at most, for so long at most: a big store is not read through. */
const quick = { sessions: 100, forMs: 2000 };

export const soundCheck: HealthCheck = {
  name: "sound",
  isVital: false,
  look: async ({ store, config, signal }): Promise<Finding> => {
    const { sessions, entries, damages } = await verifySessions(store, quick, { signal, onEntries: others });
    const [first] = damages;
    if (first === undefined)
      return {
        ok: true,
        words: `${counted(sessions, "newest session")} read, ${counted(entries, "entry", "entries")}`,
      };
    const { sessionId, entries: damaged, problem } = first;
    const where = [sessionId && `session ${sessionId}`, damaged && `entry ${damaged.from}`].filter(Boolean);
    const more = damages.length === 1 ? "" : ` (and ${damages.length - 1} more places)`;
    return {
      ok: false,
      words: "no",
      what: `The store is damaged: ${[...where, problem].join(", ")}${more}`,
      fix: isRepairable(config.store)
        ? repairIt
        : "acp-sidecar verify names all that is damaged; restore it from a backup",
    };
  },
};

/** Between two pages sessions of this process have their turn. */
function others(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A disk that takes longer to make a small write safe holds up every turn. */
const slowSyncMs = 1000;

/** How long a small write takes until it is safe: a hidden record of nothing, in no list, which is taken back. Errors: `STORE_…`. */
export async function syncTimeMs(store: Store): Promise<number> {
  const id = newSessionId();
  const atMs = Date.now();
  const beganMs = performance.now();
  const times = { createdAtMs: atMs, updatedAtMs: buriedAtMs };
  try {
    await store.create({ ...emptySession, id, ...times, cwd: "/", metadata: hiddenAs("deleted") });
    await store.flush();
    return performance.now() - beganMs;
  } finally {
    await store.delete(id).catch(() => false);
  }
}

export const writableCheck: HealthCheck = {
  name: "writable",
  isVital: true,
  look: async ({ store }) => {
    let tookMs: number;
    try {
      tookMs = await syncTimeMs(store);
    } catch (error) {
      if (!isSidecarError(error, "FORBIDDEN")) throw error;
      return { ok: true, words: "not tried: whoever asks may only read", isUntried: true };
    }
    if (tookMs <= slowSyncMs) return { ok: true, words: `yes, safe after ${tookMs.toFixed(1)} ms` };
    return {
      ok: false,
      words: `slow, safe only after ${tookMs.toFixed(0)} ms`,
      what: `A small write was safe only after ${tookMs.toFixed(0)} ms`,
      fix: "look what else the disk or server is busy with, or put the store on another one",
    };
  },
};

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
