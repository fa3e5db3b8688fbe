/** How a store grows, and when its disk is full at this rate; undefined where it cannot be said honestly. */
import { roomAt, type DiskRoom } from "../base/disk-room.ts";
import { placeOfStore } from "../care/maintenance.ts";
import type { SessionRegistry } from "../session/registry.ts";
import type { Store } from "../store/contract.ts";
import { guardOf } from "../store/guarded/guard.ts";
import { knownOf, type Sample } from "./lease.ts";

export interface Growth {
  /**
   * `measured`: by what upkeep has measured in rounds, against now; `estimated`: by the sessions that were begun lately and
   * the room that an entry takes on average; `unknown`: the store is younger than a day.
   */
  readonly by: "measured" | "estimated" | "unknown";
  /** Over how many days. */
  readonly days: number;
  readonly perDay?: { readonly sessions: number; readonly entries: number; readonly bytes: number };
  /** Of the disk that it is on; a server's is not known here. */
  readonly room?: DiskRoom;
  /** Absent where it does not grow, or where the disk or the growth is not known. */
  readonly fullInDays?: number;
}

const dayMs = 86_400_000;
/** What was longer ago says little of tomorrow. */
const windowMs = 30 * dayMs;
/** Sessions that are looked at for an estimate. */
const mostSessions = 20_000;

export async function growthOf(
  registry: Pick<SessionRegistry, "list">,
  store: Store,
  url: string,
  nowMs = Date.now(),
): Promise<Growth> {
  const inner = guardOf(store)?.inner ?? store;
  const { sessions, entries, bytes } = await inner.stats();
  const now = { atMs: nowMs, sessions, entries, bytes };
  const place = placeOfStore(url);
  const room = place === undefined ? undefined : await roomAt(place);
  const { samples } = await knownOf(inner);
  const growth = measured(samples, now) ?? (await estimated(registry, now));
  const { bytes: perDay = 0 } = growth.perDay ?? {};
  return {
    ...growth,
    ...(room && { room }),
    ...(room && perDay > 0 && { fullInDays: room.freeBytes / perDay }),
  };
}

export function measured(samples: readonly Sample[], now: Sample): Growth | undefined {
  const first = samples.find(({ atMs }) => atMs >= now.atMs - windowMs);
  const days = first === undefined ? 0 : (now.atMs - first.atMs) / dayMs;
  if (first === undefined || days < 1) return undefined;
  const each = (name: "sessions" | "entries" | "bytes") => (now[name] - first[name]) / days;
  return {
    by: "measured",
    days,
    perDay: { sessions: each("sessions"), entries: each("entries"), bytes: each("bytes") },
  };
}

async function estimated(registry: Pick<SessionRegistry, "list">, now: Sample): Promise<Growth> {
  let [begun, entries, oldestMs] = [0, 0, now.atMs];
  let cursor: string | undefined;
  let looked = 0;
  do {
    const page = await registry.list({
      updatedSinceMs: now.atMs - windowMs,
      archived: "include",
      limit: 1000,
      ...(cursor !== undefined && { cursor }),
    });
    for (const { createdAtMs, headSeq, lineage } of page.items) {
      looked += 1;
      oldestMs = Math.min(oldestMs, Math.max(createdAtMs, now.atMs - windowMs));
      if (createdAtMs < now.atMs - windowMs) continue;
      begun += 1;
      entries += headSeq - (lineage?.atSeq ?? 0);
    }
    cursor = page.nextCursor;
  } while (cursor !== undefined && looked < mostSessions);
  const days = (now.atMs - oldestMs) / dayMs;
  if (days < 1) return { by: "unknown", days };
  const bytes = now.entries === 0 ? 0 : (entries / days) * (now.bytes / now.entries);
  return { by: "estimated", days, perDay: { sessions: begun / days, entries: entries / days, bytes } };
}
