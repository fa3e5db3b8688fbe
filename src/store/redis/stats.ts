import type { StoreStats } from "../contract.ts";
import { scan } from "./activity.ts";
import type { Medium } from "./medium.ts";

/**
 * Redis keeps no totals of its own that would hold across servers. The first `most` sessions are looked at,
 * and where there are more, they stand for the rest: a large store answers as soon as a middling one.
 */
export async function readStats(medium: Medium, most: number): Promise<StoreStats> {
  const { server, keys } = medium;
  let [sessions, entries, bytes] = [0, 0, 0];
  for await (const found of scan(medium, {}, undefined, Math.min(most, 250))) {
    const records = found.slice(0, most - sessions).map(({ record }) => record);
    const asked = records.flatMap(({ id }): [string, ...string[]][] => [
      ["memory", "usage", keys.record(id)],
      ["memory", "usage", keys.entries(id)],
      ["hget", keys.record(id), "base"],
    ]);
    const answers = (await server.all(asked)).map(Number);
    for (const [at, { headSeq }] of records.entries()) {
      const [ofRecord = 0, ofEntries = 0, baseSeq = 0] = answers.slice(at * 3);
      bytes += ofRecord + ofEntries;
      entries += headSeq - baseSeq;
    }
    sessions += records.length;
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
