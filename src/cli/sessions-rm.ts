/** `sessions rm`: named sessions go into the trash. */
import { formatDurationMs } from "../config/units.ts";
import type { SessionId } from "../base/ids.ts";
import type { SessionRecord } from "../session/registry-options.ts";
import type { SessionRegistry } from "../session/registry.ts";
import type { Invocation, Io } from "./command.ts";
import { assertMeant, isMeant } from "./confirm.ts";
import { Failures } from "./failures.ts";
import { freed } from "./freed.ts";
import { leaseText } from "./lease-text.ts";
import { stateOf } from "../session/state.ts";
import { countText, oneLine, print, printJson, sizeText } from "./print.ts";
import { sessionAt, withSessions } from "./sessions.ts";

/** Removes what it can and says of each of the others why not. */
export function removeSessions(invocation: Invocation, io: Io): Promise<number> {
  const { flags, operands } = invocation;
  assertMeant("sessions rm deletes", invocation, io);
  return withSessions(invocation, io, async (registry, { trashMs, store }) => {
    const failures = new Failures(io);
    const found = await sessionsNamed(registry, operands, failures, io);
    const fateOf = (ids: readonly SessionId[]) =>
      trashMs === 0 ? { trashed: [], deleted: ids } : { trashed: ids, deleted: [] };
    if (flags["dry-run"]) {
      const would = { dryRun: true, ...fateOf(found.map(({ id }) => id)), failed: failures.list };
      if (flags["json"]) await printJson(io, would);
      else if (found.length > 0) await showWhatGoes(found, trashMs, io);
      return failures.status;
    }
    if (found.length > 0 && !(await isMeant(question(found, trashMs), invocation, io))) return 1;
    const before = trashMs === 0 && found.length > 0 ? (await registry.stats()).bytes : 0;
    const removed = await removeEach(registry, found, failures, invocation, io);
    const freedBytes = trashMs === 0 && removed.length > 0 ? await freed(registry, store, before) : 0;
    if (flags["json"]) await printJson(io, { ...fateOf(removed), freedBytes, failed: failures.list });
    else if (freedBytes > 0) await print(io, `${sizeText(freedBytes)} given back\n`);
    else if (trashMs > 0 && removed.length > 0) await print(io, restoreText(trashMs));
    return failures.status;
  });
}

/** Each once, by whichever of its addresses. */
async function sessionsNamed(
  registry: SessionRegistry,
  addresses: readonly string[],
  failures: Failures,
  io: Io,
): Promise<readonly SessionRecord[]> {
  const found = new Map<SessionId, SessionRecord>();
  for (const address of addresses) {
    const record = await failures.of(address, () => sessionAt(registry, address, io));
    if (record !== undefined) found.set(record.id, record);
  }
  return [...found.values()];
}

async function removeEach(
  registry: SessionRegistry,
  found: readonly SessionRecord[],
  failures: Failures,
  { flags }: Invocation,
  io: Io,
): Promise<readonly SessionId[]> {
  const removed: SessionId[] = [];
  for (const { id } of found) {
    await failures.of(id, async () => {
      // It may have gone since it was found.
      if (!(await registry.remove(id, { force: flags["force"] === true }))) await registry.get(id);
      removed.push(id);
      if (!flags["json"]) await print(io, `Deleted ${id}\n`);
    });
  }
  return removed;
}

async function showWhatGoes(found: readonly SessionRecord[], trashMs: number, io: Io): Promise<void> {
  for (const record of found) await print(io, `${describe(record)}\n`);
  await print(io, `${countText(found.length, "session")} would go ${fateText(trashMs)}\n`);
}

function fateText(trashMs: number): string {
  return trashMs === 0 ? "for good" : "to the trash";
}

function restoreText(trashMs: number): string {
  return `acp-sidecar sessions restore brings back what is in the trash, for ${formatDurationMs(trashMs)}\n`;
}

function question(found: readonly SessionRecord[], trashMs: number): string {
  const fate = fateText(trashMs);
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
