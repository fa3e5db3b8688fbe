/** `sessions rm`: named sessions go into the trash. */
import { formatDurationMs } from "../config/units.ts";
import { SidecarError } from "../base/errors.ts";
import { isSessionId, type SessionId } from "../base/ids.ts";
import type { SessionRecord } from "../session/registry-options.ts";
import type { SessionRegistry } from "../session/registry.ts";
import type { Invocation, Io } from "./command.ts";
import { assertMeant, isMeant } from "./confirm.ts";
import { Failures } from "./failures.ts";
import { freed } from "./freed.ts";
import { leaseText } from "./lease-text.ts";
import { stateOf } from "../session/state.ts";
import { countText, oneLine, print, printJson } from "./print.ts";
import { sessionAt, withSessions } from "./sessions.ts";
import { isUnreadable } from "../base/unreadable.ts";
import { sizeText } from "../base/size-text.ts";

/** What is to go; without its record where that cannot be read. */
interface Named {
  readonly id: SessionId;
  readonly record?: SessionRecord;
}

/** Removes what it can and says of each of the others why not. */
export function removeSessions(invocation: Invocation, io: Io): Promise<number> {
  const { flags, operands } = invocation;
  assertMeant("sessions rm deletes", invocation, io);
  return withSessions(invocation, io, async (registry, { trashMs, store }) => {
    const failures = new Failures(io);
    const found = await sessionsNamed(registry, operands, failures, flags["force"] === true, io);
    const keeps = (id: SessionId) => trashMs > 0 && found.get(id)?.record !== undefined;
    const fateOf = (ids: readonly SessionId[]) => ({
      trashed: ids.filter(keeps),
      deleted: ids.filter((id) => !keeps(id)),
    });
    const named = [...found.values()];
    if (flags["dry-run"]) {
      const would = { dryRun: true, ...fateOf([...found.keys()]), failed: failures.list };
      if (flags["json"]) await printJson(io, would);
      else if (named.length > 0) await showWhatGoes(named, trashMs, io);
      return failures.status;
    }
    if (named.length > 0 && !(await isMeant(question(named, trashMs), invocation, io))) return 1;
    const isForGood = !named.every(({ id }) => keeps(id));
    const before = isForGood ? (await registry.stats()).bytes : 0;
    const fate = fateOf(await removeEach(registry, named, failures, invocation, io));
    const freedBytes = fate.deleted.length > 0 ? await freed(registry, store, before) : 0;
    if (flags["json"]) await printJson(io, { ...fate, freedBytes, failed: failures.list });
    else {
      if (freedBytes > 0) await print(io, `${sizeText(freedBytes)} given back\n`);
      if (fate.trashed.length > 0) await print(io, restoreText(trashMs));
    }
    return failures.status;
  });
}

/** Each once, by whichever of its addresses. */
async function sessionsNamed(
  registry: SessionRegistry,
  addresses: readonly string[],
  failures: Failures,
  isForced: boolean,
  io: Io,
): Promise<ReadonlyMap<SessionId, Named>> {
  const found = new Map<SessionId, Named>();
  for (const address of addresses) {
    const named = await failures.of(address, () => sessionNamed(registry, address, isForced, io));
    if (named !== undefined) found.set(named.id, named);
  }
  return found;
}

/** One that cannot be read is deleted as it lies there, if that is what somebody wants. */
async function sessionNamed(
  registry: SessionRegistry,
  address: string,
  isForced: boolean,
  io: Io,
): Promise<Named> {
  try {
    const record = await sessionAt(registry, address, io);
    return { id: record.id, record };
  } catch (error) {
    const id = isUnreadable(error) ? error.data["sessionId"] : undefined;
    if (!isUnreadable(error) || !isSessionId(id)) throw error;
    if (isForced) return { id };
    const message = `${error.message}; acp-sidecar sessions rm ${id} --force deletes it for good`;
    throw new SidecarError(error.code, message, { data: error.data });
  }
}

async function removeEach(
  registry: SessionRegistry,
  found: readonly Named[],
  failures: Failures,
  { flags }: Invocation,
  io: Io,
): Promise<readonly SessionId[]> {
  const removed: SessionId[] = [];
  const remove = ({ id, record }: Named) =>
    record === undefined ? registry.delete(id) : registry.remove(id, { force: flags["force"] === true });
  for (const named of found) {
    const { id } = named;
    await failures.of(id, async () => {
      // It may have gone since it was found.
      if (!(await remove(named))) await registry.get(id);
      removed.push(id);
      if (!flags["json"]) await print(io, `Deleted ${id}\n`);
    });
  }
  return removed;
}

async function showWhatGoes(found: readonly Named[], trashMs: number, io: Io): Promise<void> {
  for (const named of found) await print(io, `${describe(named)}\n`);
  await print(io, `${countText(found.length, "session")} would go ${fateText(found, trashMs)}\n`);
}

/** What cannot be read cannot be brought back either. */
function fateText(found: readonly Named[], trashMs: number): string {
  const unreadable = found.filter(({ record }) => record === undefined).length;
  if (trashMs === 0 || unreadable === found.length) return "for good";
  return unreadable === 0 ? "to the trash" : "to the trash, for good where it cannot be read";
}

function restoreText(trashMs: number): string {
  return `acp-sidecar sessions restore brings back what is in the trash, for ${formatDurationMs(trashMs)}\n`;
}

function question(found: readonly Named[], trashMs: number): string {
  const fate = fateText(found, trashMs);
  const lines = found.map(describe);
  if (lines.length === 1) return `Delete ${lines.join()}? It goes ${fate}.`;
  const open = found.filter(({ record }) => record !== undefined && stateOf(record.lease) !== "idle").length;
  const warning = open === 0 ? "" : `, ${open} of them in use`;
  return `${lines.join("\n")}\nDelete ${countText(lines.length, "session")}${warning}? They go ${fate}.`;
}

/** Whoever has it open is named. */
function describe({ id, record }: Named): string {
  if (record === undefined) return `${id} (cannot be read)`;
  const { title, lease } = record;
  const use = stateOf(lease) === "idle" ? "" : ` (open: ${leaseText(lease)})`;
  return oneLine(`${id} ${title === undefined ? "(no title)" : JSON.stringify(title)}${use}`);
}
