/** `sessions rm`: named sessions go into the trash. */
import { formatDurationMs } from "../config/units.ts";
import { SidecarError } from "../base/errors.ts";
import type { SessionId } from "../base/ids.ts";
import type { SessionRecord } from "../session/registry-options.ts";
import type { SessionRegistry } from "../session/registry.ts";
import type { Invocation, Io } from "./command.ts";
import { assertMeant, isMeant } from "./confirm.ts";
import { freed } from "./freed.ts";
import { leaseText, stateOf } from "./lease-text.ts";
import { countText, oneLine, print, sizeText } from "./print.ts";
import { sessionAt, withSessions } from "./sessions.ts";

/** Removes what it can and says of each of the others why not. */
export function removeSessions(invocation: Invocation, io: Io): Promise<number> {
  assertMeant("sessions rm", invocation, io);
  return withSessions(invocation, io, async (registry, { trashMs, store }) => {
    const fate = trashMs === 0 ? "for good" : "to the trash";
    const { found, status } = await sessionsNamed(registry, invocation.operands, io);
    if (found.length === 0) return status;
    if (invocation.flags["dry-run"]) {
      for (const record of found) await print(io, `${describe(record)}\n`);
      await print(io, `${countText(found.length, "session")} would go ${fate}\n`);
      return status;
    }
    if (!(await isMeant(question(found, fate), invocation, io))) return 1;
    const before = trashMs === 0 ? (await registry.stats()).bytes : 0;
    const result = await removeEach(registry, found, invocation, io);
    if (result.removed > 0) {
      const restore = "acp-sidecar sessions restore brings back what is in the trash, for";
      if (trashMs > 0) await print(io, `${restore} ${formatDurationMs(trashMs)}\n`);
      else {
        const bytes = await freed(registry, store, before);
        if (bytes > 0) await print(io, `${sizeText(bytes)} given back\n`);
      }
    }
    return result.status || status;
  });
}

/** Each once, by whichever of its addresses. */
async function sessionsNamed(
  registry: SessionRegistry,
  addresses: readonly string[],
  io: Io,
): Promise<{ readonly found: readonly SessionRecord[]; readonly status: number }> {
  const found = new Map<SessionId, SessionRecord>();
  let status = 0;
  for (const address of addresses) {
    try {
      const record = await sessionAt(registry, address, io);
      found.set(record.id, record);
    } catch (error) {
      status = told(error, io);
    }
  }
  return { found: [...found.values()], status };
}

async function removeEach(
  registry: SessionRegistry,
  found: readonly SessionRecord[],
  { flags }: Invocation,
  io: Io,
): Promise<{ readonly removed: number; readonly status: number }> {
  let [removed, status] = [0, 0];
  for (const { id } of found) {
    try {
      // It may have gone since it was found.
      if (!(await registry.remove(id, { force: flags["force"] === true }))) await registry.get(id);
      removed += 1;
      await print(io, `Deleted ${id}\n`);
    } catch (error) {
      status = told(error, io);
    }
  }
  return { removed, status };
}

function told(error: unknown, io: Io): number {
  if (!(error instanceof SidecarError)) throw error;
  io.errors.write(`acp-sidecar: ${error.message}\n`);
  return error.exitStatus;
}

function question(found: readonly SessionRecord[], fate: string): string {
  const lines = found.map(describe);
  if (lines.length === 1) return `Delete ${lines.join()}? It goes ${fate}.`;
  const open = found.filter(({ lease }) => stateOf(lease) !== "idle").length;
  const warning = open === 0 ? "" : `, ${open} of them in use`;
  return `${lines.join("\n")}\nDelete ${countText(lines.length, "session")}${warning}? They go ${fate}.`;
}

/** Whoever has it open is named. */
function describe({ id, title, lease }: SessionRecord): string {
  const use = stateOf(lease) === "idle" ? "" : ` (open: ${leaseText(lease)})`;
  return oneLine(`${id} ${title === undefined ? "(no title)" : JSON.stringify(title)}${use}`);
}
