import type { StoreStats } from "../store.ts";
import { scan } from "./activity.ts";
import type { Medium } from "./medium.ts";

/**
 * Redis keeps no totals of its own that would hold across servers. The first `most` sessions are looked at,
 * and where there are more, they stand for the rest: a large store answers as soon as a middling one.
 */
export async function readStats(medium: Medium, most: number): Promise<StoreStats> {
  const { server, keys } = medium;
  let [sessions, entries, bytes] = [0, 0, 0];
  for await (const { record, baseSeq } of scan(medium, {}, undefined, Math.min(most, 250))) {
    const sizes = [keys.record(record.id), keys.entries(record.id)].map((key) =>
      server.command("memory", "usage", key),
    );
    for (const size of await Promise.all(sizes)) bytes += Number(size ?? 0);
    entries += record.headSeq - baseSeq;
    sessions += 1;
    if (sessions === most) break;
  }
  const all = sessions < most ? sessions : Number(await server.command("zcard", keys.activity));
  if (all <= sessions) return { sessions, entries, bytes };
  const share = all / sessions;
  return {
    sessions: all,
    entries: Math.round(entries * share),
    bytes: Math.round(bytes * share),
    details: { estimatedFromSessions: sessions },
  };
}
