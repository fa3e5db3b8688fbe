/** `sessions restore`, and what `sessions ls --trash` shows: the trash. */
import { SidecarError } from "../base/errors.ts";
import type { SessionId } from "../base/ids.ts";
import type { SessionRegistry } from "../session/registry.ts";
import type { Trashed } from "../session/trash.ts";
import type { Invocation, Io } from "./command.ts";
import { Failures } from "./failures.ts";
import { homely } from "./folder-text.ts";
import { agoText, countText, print, printJson } from "./print.ts";
import { countFrom, withSessions } from "./sessions.ts";
import { printTable } from "./table.ts";
import { instantFrom } from "./when.ts";

export function restoreSessions(invocation: Invocation, io: Io): Promise<number> {
  const { operands, flags } = invocation;
  const wantsAll = flags["all"] === true || flags["since"] !== undefined;
  if (wantsAll === operands.length > 0) {
    const allowed = "allowed: ID…, --all, or --since WHEN for what was deleted since then";
    throw new SidecarError("USAGE", `sessions restore needs to know which sessions; ${allowed}`);
  }
  const sinceMs = flags["since"] === undefined ? 0 : instantFrom("since", String(flags["since"]), Date.now());
  return withSessions(invocation, io, async (registry) => {
    const ids = wantsAll ? await idsSince(registry, sinceMs) : operands;
    const failures = new Failures(io);
    const restored: SessionId[] = [];
    for (const address of ids) {
      const id = await failures.of(address, () => restore(registry, address));
      if (id === undefined) continue;
      restored.push(id);
      if (!wantsAll && !flags["json"]) await print(io, `Restored ${id}\n`);
    }
    if (flags["json"]) await printJson(io, { restored, failed: failures.list });
    else if (wantsAll) await print(io, `Restored ${countText(restored.length, "session")}\n`);
    return failures.status;
  });
}

/** Errors: as `resolve`; `SESSION_NOT_FOUND` when it has left the trash meanwhile. */
async function restore(registry: SessionRegistry, address: string): Promise<SessionId> {
  const { record } = await registry.trash.resolve(address);
  if ((await registry.trash.restore(record.id)) === undefined) await registry.trash.resolve(record.id);
  return record.id;
}

async function idsSince(registry: SessionRegistry, sinceMs: number): Promise<SessionId[]> {
  const ids: SessionId[] = [];
  for await (const { record, trashedAtMs } of registry.trash.older(0))
    if (trashedAtMs >= sinceMs) ids.push(record.id);
  return ids;
}

/** Errors: `USAGE` for a filter: the trash has none. */
export function listTrash(invocation: Invocation, io: Io): Promise<number> {
  const { trash: _, limit, json, jsonl, color: _color, ...others } = invocation.flags;
  const [other] = Object.keys(others);
  if (other !== undefined) throw new SidecarError("USAGE", `--${other} does not go with --trash`);
  return withSessions(invocation, io, async (registry, _, leftOut) => {
    const found = await registry.trash.list(countFrom("limit", limit, 50));
    const shown = found.map(({ record, trashedAtMs }) => ({ ...record, trashedAtMs }));
    const total = async () => (await registry.trash.count()) - leftOut.count;
    if (jsonl) for (const each of shown) await print(io, `${JSON.stringify(each)}\n`);
    else if (json) await printJson(io, { sessions: shown, total: await total(), ...leftOut.asJson });
    else await printTrash(found, await total(), io);
    return 0;
  });
}

async function printTrash(found: readonly Trashed[], total: number, io: Io): Promise<void> {
  if (found.length === 0) return print(io, "The trash is empty.\n");
  const nowMs = Date.now();
  const rows = found.map(({ record: { id, title = "(no title)", cwd, updatedAtMs }, trashedAtMs }) => [
    title,
    agoText(trashedAtMs, nowMs),
    agoText(updatedAtMs, nowMs),
    homely(cwd, io),
    io.columns === undefined ? id : id.slice(-8),
  ]);
  const columns = [
    { title: "TITLE", min: 24 },
    { title: "DELETED" },
    { title: "ACTIVE", leaveOut: 1 },
    { title: "FOLDER", min: 10, keep: "end" as const, leaveOut: 0 },
    { title: "ID" },
  ];
  await printTable(io, columns, rows);
  if (found.length < total) await print(io, `${found.length} of ${total}; --limit ${total} lists all\n`);
}
