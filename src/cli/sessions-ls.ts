import path from "node:path";
import type { SessionFilter, SessionRecord } from "../session/registry-options.ts";
import type { SessionRegistry } from "../session/registry.ts";
import type { Invocation, Io } from "./command.ts";
import { leaseWord } from "./lease-text.ts";
import { print, printJson, printTable, timeText } from "./print.ts";
import { countFrom, withSessions } from "./sessions.ts";

/** `sessions ls` */
export function listSessions(invocation: Invocation, io: Io): Promise<number> {
  const { cwd, limit, json } = invocation.flags;
  const most = countFrom("limit", limit, 50);
  const filter: SessionFilter = cwd === undefined ? {} : { cwd: path.resolve(String(cwd)) };
  return withSessions(invocation, io, async (registry) => {
    const found = await newest(registry, filter, most);
    const total = await registry.count(filter);
    if (json) await printJson(io, { sessions: found, total });
    else await printSessions(io, found, total);
    return 0;
  });
}

async function newest(
  registry: SessionRegistry,
  filter: SessionFilter,
  most: number,
): Promise<SessionRecord[]> {
  const found: SessionRecord[] = [];
  let cursor: string | undefined;
  do {
    const limit = Math.min(most - found.length, 1000);
    const page = await registry.list({ ...filter, limit, ...(cursor !== undefined && { cursor }) });
    found.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== undefined && found.length < most);
  return found;
}

async function printSessions(io: Io, found: readonly SessionRecord[], total: number): Promise<void> {
  if (found.length === 0) return print(io, "No sessions.\n");
  await printTable(
    io,
    ["ID", "LAST ACTIVITY", "ENTRIES", "STATE", "FOLDER", "TITLE"],
    found.map((session) => [
      session.id,
      timeText(session.updatedAtMs),
      String(session.headSeq),
      leaseWord(session.lease),
      session.cwd,
      session.title ?? "",
    ]),
  );
  if (found.length < total) await print(io, `${found.length} of ${total}; --limit ${total} lists all\n`);
}
