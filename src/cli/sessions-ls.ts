/** `sessions ls`: sessions in a table, the newest activity first. */
import { agentNameOf } from "../session/agent-names.ts";
import type { SessionRecord } from "../session/registry-options.ts";
import type { SessionRegistry } from "../session/registry.ts";
import type { Invocation, Io } from "./command.ts";
import { assertOneForm } from "./flags.ts";
import { homely } from "./folder-text.ts";
import { stateOf, type SessionState } from "../session/state.ts";
import { agoText, Outflow, print, printJson } from "./print.ts";
import { sessionsOf, wantedBy, type Wanted } from "./sessions-filter.ts";
import { countFrom, withSessions } from "./sessions.ts";
import { listTrash } from "./sessions-restore.ts";
import { styleFor, type Style } from "./style.ts";
import { printTable, type Column } from "./table.ts";
import { turnCounter } from "./turn-count.ts";

export function listSessions(invocation: Invocation, io: Io): Promise<number> {
  const { limit, json, jsonl, trash } = invocation.flags;
  assertOneForm(invocation.flags);
  if (trash) return listTrash(invocation, io);
  const most = countFrom("limit", limit, 50);
  const wanted = wantedBy(invocation);
  const style = styleFor(invocation, io);
  return withSessions(invocation, io, async (registry, _, leftOut) => {
    const shown = await shapeFor(registry);
    if (jsonl) await printLines(io, sessionsOf(registry, wanted, most), shown, most);
    else {
      const { found, total } = await newest(registry, wanted, most);
      if (json) await printJson(io, { sessions: found.map(shown), total, ...leftOut.asJson });
      else await printSessions(io, registry, { found, total, style });
    }
    return 0;
  });
}

async function newest(registry: SessionRegistry, wanted: Wanted, most: number) {
  const found: SessionRecord[] = [];
  let total = 0;
  let isMore = false;
  for await (const record of sessionsOf(registry, wanted, most)) {
    if (found.length < most) found.push(record);
    else if (wanted.matches === undefined) isMore = true;
    if (isMore) break;
    total += 1;
  }
  // The store counts what it looks for itself without handing it out, and what cannot be read, too.
  return { found, total: isMore ? await registry.count(wanted.filter) : total };
}

async function printLines(
  io: Io,
  records: AsyncIterable<SessionRecord>,
  shown: Shape,
  most: number,
): Promise<void> {
  const flow = new Outflow(io);
  let printed = 0;
  for await (const record of records) {
    if (!(await flow.write(`${JSON.stringify(shown(record))}\n`))) return;
    printed += 1;
    if (printed === most) return;
  }
}

interface ForPrograms extends SessionRecord {
  readonly state: SessionState;
  /** Told to who has an identity; null for what is nobody's. */
  readonly owner?: string | null;
}

type Shape = (record: SessionRecord) => ForPrograms;

async function shapeFor({ sharing }: SessionRegistry): Promise<Shape> {
  const isSomebody = (await sharing.principal()) !== undefined;
  return (record) => ({
    ...record,
    state: stateOf(record.lease),
    ...(isSomebody && { owner: sharing.ownerIn(record) ?? null }),
  });
}

interface Listed {
  readonly found: readonly SessionRecord[];
  readonly total: number;
  readonly style: Style;
}

async function printSessions(
  io: Io,
  registry: SessionRegistry,
  { found, total, style }: Listed,
): Promise<void> {
  if (found.length === 0) return print(io, "No sessions.\n");
  const nowMs = Date.now();
  const turns = turnCounter(registry);
  const self = await registry.sharing.principal();
  const rows: string[][] = [];
  for (const session of found) {
    rows.push([
      session.title ?? "(no title)",
      agoText(session.updatedAtMs, nowMs),
      homely(session.cwd, io),
      agentNameOf(session),
      await turns(session),
      stateOf(session.lease),
      ...(self === undefined ? [] : [whose(registry.sharing.ownerIn(session), self)]),
      // Elsewhere than on a terminal nothing is cut.
      io.columns === undefined ? session.id : session.id.slice(-shortId),
    ]);
  }
  await printTable(io, columnsIn(style, self !== undefined), rows, style.dim);
  if (found.length < total) await print(io, `${found.length} of ${total}; --limit ${total} lists all\n`);
}

function whose(owner: string | undefined, self: string): string {
  return owner === undefined ? "everybody's" : owner === self ? "yours" : `${owner}'s`;
}

/** The end of an id tells more than its beginning, which is the time. */
const shortId = 8;

function columnsIn(style: Style, saysWhose: boolean): Column[] {
  const states: Readonly<Record<string, (cell: string) => string>> = {
    running: style.green,
    open: style.yellow,
    idle: style.dim,
  };
  return [
    {
      title: "TITLE",
      min: 24,
      style: (cell, title) => (title === "(no title)" ? style.dim(cell) : style.bold(cell)),
    },
    { title: "ACTIVE", leaveOut: 4 },
    { title: "FOLDER", min: 10, keep: "end", leaveOut: 2 },
    { title: "AGENT", min: 6, leaveOut: 1 },
    { title: "TURNS", align: "right", leaveOut: 0 },
    { title: "STATE", leaveOut: 3, style: (cell, state) => states[state]?.(cell) ?? cell },
    ...(saysWhose ? [{ title: "WHOSE", min: 8, leaveOut: 3 }] : []),
    { title: "ID", style: style.cyan },
  ];
}
