import type { StoreStats } from "../store.ts";
import { scan } from "./activity.ts";
import type { Medium } from "./medium.ts";

/** Goes through all sessions: Redis keeps no totals of its own that would hold across servers. */
export async function readStats(medium: Medium): Promise<StoreStats> {
  const { server, keys } = medium;
  let [sessions, entries, bytes] = [0, 0, 0];
  for await (const { record, baseSeq } of scan(medium, {}, undefined, 250)) {
    const sizes = [keys.record(record.id), keys.entries(record.id)].map((key) =>
      server.command("memory", "usage", key),
    );
    for (const size of await Promise.all(sizes)) bytes += Number(size ?? 0);
    entries += record.headSeq - baseSeq;
    sessions += 1;
  }
  return { sessions, entries, bytes };
}
