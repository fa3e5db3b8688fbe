/** `sessions archive` and `unarchive`: out of the way, and back. */
import type { SessionId } from "../base/ids.ts";
import { sizeText } from "../base/size-text.ts";
import { isArchived, type Archived } from "../session/archived.ts";
import type { SessionRecord } from "../session/registry-options.ts";
import type { SessionRegistry } from "../session/registry.ts";
import type { Invocation, Io } from "./command.ts";
import { Failures } from "./failures.ts";
import { freed } from "./freed.ts";
import { countText, print, printJson } from "./print.ts";
import { sessionAt, withSessions } from "./sessions.ts";

export function archiveSessions(invocation: Invocation, io: Io): Promise<number> {
  return withSessions(invocation, io, async (registry, { store }) => {
    const failures = new Failures(io);
    const before = (await registry.stats()).bytes;
    // One that is archived already may have failed to be packed.
    const { done, idle } = await each(registry, invocation, io, failures, async (record) => {
      await registry.archive(record.id);
      return !isArchived(record);
    });
    const freedBytes = done.length + idle.length > 0 ? await freed(registry, store, before) : 0;
    const text = [
      ...(done.length > 0
        ? [`Archived ${countText(done.length, "session")}, ${sizeText(freedBytes)} given back`]
        : []),
      ...idle.map((id) => `${id} is archived already`),
    ];
    await told(invocation, io, { archived: done, freedBytes, failed: failures.list }, text);
    return failures.status;
  });
}

export function unarchiveSessions(invocation: Invocation, io: Io): Promise<number> {
  return withSessions(invocation, io, async (registry) => {
    const failures = new Failures(io);
    const act = async (record: SessionRecord) => {
      await registry.unarchive(record.id);
      return isArchived(record);
    };
    const { done, idle } = await each(registry, invocation, io, failures, act, "only");
    const text = [
      ...(done.length > 0 ? [`Brought back ${countText(done.length, "session")}`] : []),
      ...idle.map((id) => `${id} is not archived`),
    ];
    await told(invocation, io, { unarchived: done, failed: failures.list }, text);
    return failures.status;
  });
}

async function told({ flags }: Invocation, io: Io, facts: object, lines: readonly string[]): Promise<void> {
  if (flags["json"]) await printJson(io, facts);
  else if (!flags["quiet"]) for (const line of lines) await print(io, `${line}\n`);
}

/** Those that were changed and those that were so already, as far as it can; of the others the failures say why not. */
async function each(
  registry: SessionRegistry,
  { operands }: Invocation,
  io: Io,
  failures: Failures,
  act: (record: SessionRecord) => Promise<boolean>,
  lastIs?: Archived,
) {
  const [done, idle] = [new Set<SessionId>(), new Set<SessionId>()];
  for (const address of operands) {
    await failures.of(address, async () => {
      const record = await sessionAt(registry, address, io, lastIs);
      if (!done.has(record.id)) ((await act(record)) ? done : idle).add(record.id);
    });
  }
  return { done: [...done], idle: [...idle] };
}
