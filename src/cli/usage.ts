/** `usage`: turns, tokens and cost as agents reported them, a bar a row on a terminal. */
import { SidecarError } from "../base/errors.ts";
import { cacheFolderOf, surroundings } from "../config/paths.ts";
import { dimensions, usageRows, type Dimension, type UsageRow } from "../history/usage/rows.ts";
import { usageFileOf } from "../history/usage/place.ts";
import { usageOf } from "../history/usage/usage.ts";
import type { SessionId } from "../base/ids.ts";
import type { SessionRegistry } from "../session/registry.ts";
import type { Invocation, Io } from "./command.ts";
import { homely } from "./folder-text.ts";
import { print, printJson } from "./print.ts";
import { withSessions } from "./sessions.ts";
import { styleFor } from "./style.ts";
import { printTable, type Column } from "./table.ts";
import { instantFrom } from "./when.ts";

export function printUsage(invocation: Invocation, io: Io): Promise<number> {
  const { by = "day", since, json } = invocation.flags;
  const dimension = dimensions.find((each) => each === by);
  if (dimension === undefined)
    throw new SidecarError("USAGE", `--by is ${JSON.stringify(by)}; allowed: ${dimensions.join(", ")}`);
  const sinceMs = since === undefined ? undefined : instantFrom("since", String(since), Date.now());
  return withSessions(invocation, io, async (registry, _, leftOut) => {
    const cacheFile = await usageFileOf(registry, cacheFolderOf(surroundings(io.env)));
    const usage = await usageOf(registry, { cacheFile, onUnread: leftOut.note });
    const rows = usageRows(usage, dimension, sinceMs);
    if (json) await printJson(io, { by: dimension, rows, ...leftOut.asJson });
    else await printRows(invocation, io, registry, dimension, rows);
    return 0;
  });
}

const mostSessions = 50;
const barWidth = 20;

async function printRows(
  invocation: Invocation,
  io: Io,
  registry: SessionRegistry,
  by: Dimension,
  rows: readonly UsageRow[],
): Promise<void> {
  if (rows.length === 0) return print(io, "No turns.\n");
  const shown = by === "session" ? rows.slice(0, mostSessions) : rows;
  const style = styleFor(invocation, io);
  // Where no agent reports tokens, turns are what there is to compare.
  const weight = rows.some(({ total }) => total > 0)
    ? (row: UsageRow) => row.total
    : (row: UsageRow) => row.turns;
  const most = shown.reduce((sum, row) => Math.max(sum, weight(row)), 1);
  const cells: string[][] = [];
  for (const row of shown) {
    const { turns, input, output, total, cost } = row;
    const bar = "█".repeat(Math.round((weight(row) / most) * barWidth));
    const name = await nameOf(registry, by, row, io);
    const counts = [turns, input, output, total].map((count) => count.toLocaleString("en-US"));
    cells.push([name, ...counts, costText(cost), ...(io.columns === undefined ? [] : [bar])]);
  }
  await printTable(io, columnsFor(by, io, style.cyan), cells, style.dim);
  if (shown.length < rows.length) await print(io, `${shown.length} of ${rows.length}; --json has all\n`);
}

function columnsFor(by: Dimension, io: Io, bar: (text: string) => string): Column[] {
  const right = (title: string, leaveOut?: number): Column => ({
    title,
    align: "right",
    ...(leaveOut !== undefined && { leaveOut }),
  });
  const columns = [
    { title: by.toUpperCase(), min: 10 },
    right("TURNS"),
    right("INPUT", 1),
    right("OUTPUT", 2),
    right("TOKENS"),
    right("COST", 3),
  ];
  return io.columns === undefined ? columns : [...columns, { title: "", leaveOut: 0, style: bar }];
}

async function nameOf(registry: SessionRegistry, by: Dimension, { key }: UsageRow, io: Io): Promise<string> {
  if (by === "project") return homely(key, io);
  if (by !== "session") return key === "" ? "(unknown)" : key;
  const title = (await registry.peek(key as SessionId))?.title ?? "(no title)";
  return `${key.slice(-8)} ${title}`;
}

function costText(cost: UsageRow["cost"]): string {
  return Object.entries(cost)
    .map(([currency, amount]) => `${amount.toFixed(2)} ${currency}`)
    .join(" + ");
}
