/** Usage in rows: by time, agent, project or session. */
import type { SessionId } from "../../base/ids.ts";
import { addSums, dayOf, noSums, type Sums } from "./sums.ts";
import type { SessionUsage, UsageById } from "./usage.ts";

export const dimensions = ["day", "week", "month", "agent", "project", "session"] as const;
export type Dimension = (typeof dimensions)[number];

export interface UsageRow extends Sums {
  readonly key: string;
}

/** Times in their order, all else the most used first. @param sinceMs from this day on */
export function usageRows(usage: UsageById, by: Dimension, sinceMs?: number): UsageRow[] {
  const since = sinceMs === undefined ? "" : dayOf(sinceMs);
  const rows = new Map<string, UsageRow>();
  for (const [id, session] of usage) {
    for (const [day, sums] of Object.entries(session.days)) {
      if (day < since) continue;
      const key = keyOf(by, id, session, day);
      const row = rows.get(key) ?? { key, ...noSums() };
      rows.set(key, row);
      addSums(row, sums);
    }
  }
  const isTime = by === "day" || by === "week" || by === "month";
  const order = (a: UsageRow, b: UsageRow) =>
    isTime ? (a.key < b.key ? -1 : 1) : b.total - a.total || b.turns - a.turns;
  return [...rows.values()].sort(order);
}

function keyOf(by: Dimension, id: SessionId, { agent, cwd }: SessionUsage, day: string): string {
  switch (by) {
    case "day":
      return day;
    case "week":
      return mondayOf(day);
    case "month":
      return day.slice(0, 7);
    case "agent":
      return agent;
    case "project":
      return cwd;
    case "session":
      return id;
  }
}

/** The first day of its week. */
function mondayOf(day: string): string {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7));
  return date.toISOString().slice(0, 10);
}
