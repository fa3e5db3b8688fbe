/** `sessions archive` and `unarchive`: out of the way, and back. */
import { giveBackSpace } from "../care/maintenance.ts";
import { SidecarError } from "../base/errors.ts";
import type { SessionId } from "../base/ids.ts";
import { isArchived, type Archived } from "../session/archived.ts";
import type { SessionRegistry } from "../session/registry.ts";
import type { Invocation, Io } from "./command.ts";
import { countText, print, printJson, sizeText } from "./print.ts";
import { sessionAt, withSessions } from "./sessions.ts";

type Addressed = Awaited<ReturnType<typeof sessionAt>>;

export function archiveSessions(invocation: Invocation, io: Io): Promise<number> {
  return withSessions(invocation, io, async (registry, { store }) => {
    const before = (await registry.stats()).bytes;
    // One that is archived already may have failed to be packed.
    const { done, idle, status } = await each(registry, invocation, io, async (record) => {
      await registry.archive(record.id);
      return !isArchived(record);
    });
    if (done.length + idle.length > 0) await giveBackSpace(store);
    const freedBytes = Math.max(0, before - (await registry.stats()).bytes);
    const text = [
      ...(done.length > 0
        ? [`Archived ${countText(done.length, "session")}, ${sizeText(freedBytes)} given back`]
        : []),
      ...idle.map((id) => `${id} is archived already`),
    ];
    await told(invocation, io, { archived: done, freedBytes }, text);
    return status;
  });
}

export function unarchiveSessions(invocation: Invocation, io: Io): Promise<number> {
  return withSessions(invocation, io, async (registry) => {
    const act = async (record: Addressed) => {
      await registry.unarchive(record.id);
      return isArchived(record);
    };
    const { done, idle, status } = await each(registry, invocation, io, act, "only");
    const text = [
      ...(done.length > 0 ? [`Brought back ${countText(done.length, "session")}`] : []),
      ...idle.map((id) => `${id} is not archived`),
    ];
    await told(invocation, io, { unarchived: done }, text);
    return status;
  });
}

async function told({ flags }: Invocation, io: Io, facts: object, lines: readonly string[]): Promise<void> {
  if (flags["json"]) await printJson(io, facts);
  else if (!flags["quiet"]) for (const line of lines) await print(io, `${line}\n`);
}

/** Those that were changed and those that were so already, as far as it can; of each of the others why not. */
async function each(
  registry: SessionRegistry,
  { operands }: Invocation,
  io: Io,
  act: (record: Addressed) => Promise<boolean>,
  lastIs?: Archived,
) {
  const [done, idle] = [new Set<SessionId>(), new Set<SessionId>()];
  let status = 0;
  for (const address of operands) {
    try {
      const record = await sessionAt(registry, address, io, lastIs);
      if (!done.has(record.id)) ((await act(record)) ? done : idle).add(record.id);
    } catch (error) {
      if (!(error instanceof SidecarError)) throw error;
      io.errors.write(`acp-sidecar: ${error.message}\n`);
      status = error.exitStatus;
    }
  }
  return { done: [...done], idle: [...idle], status };
}
