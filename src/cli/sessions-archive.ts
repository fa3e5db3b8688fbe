/** `sessions archive` and `unarchive`: out of the way, and back. */
import { giveBackSpace } from "../care/maintenance.ts";
import { SidecarError } from "../base/errors.ts";
import type { SessionId } from "../base/ids.ts";
import type { Archived } from "../session/archived.ts";
import type { SessionRegistry } from "../session/registry.ts";
import type { Invocation, Io } from "./command.ts";
import { countText, print, printJson, sizeText } from "./print.ts";
import { sessionAt, withSessions } from "./sessions.ts";

export function archiveSessions(invocation: Invocation, io: Io): Promise<number> {
  return withSessions(invocation, io, async (registry, { store }) => {
    const before = (await registry.stats()).bytes;
    const { done, status } = await each(registry, invocation, io, (id) => registry.archive(id));
    if (done.length > 0) await giveBackSpace(store);
    const freedBytes = Math.max(0, before - (await registry.stats()).bytes);
    const text = `Archived ${countText(done.length, "session")}, ${sizeText(freedBytes)} given back`;
    await told(invocation, io, { archived: done, freedBytes }, done.length > 0 ? text : "");
    return status;
  });
}

export function unarchiveSessions(invocation: Invocation, io: Io): Promise<number> {
  return withSessions(invocation, io, async (registry) => {
    const { done, status } = await each(registry, invocation, io, (id) => registry.unarchive(id), "only");
    const text = `Brought back ${countText(done.length, "session")}`;
    await told(invocation, io, { unarchived: done }, done.length > 0 ? text : "");
    return status;
  });
}

async function told({ flags }: Invocation, io: Io, facts: object, text: string): Promise<void> {
  if (flags["json"]) await printJson(io, facts);
  else if (text !== "" && !flags["quiet"]) await print(io, `${text}\n`);
}

/** What it can, and of each of the others why not. */
async function each(
  registry: SessionRegistry,
  { operands }: Invocation,
  io: Io,
  act: (id: SessionId) => Promise<unknown>,
  lastIs?: Archived,
): Promise<{ readonly done: readonly SessionId[]; readonly status: number }> {
  const done = new Set<SessionId>();
  let status = 0;
  for (const address of operands) {
    try {
      const { id } = await sessionAt(registry, address, io, lastIs);
      if (!done.has(id)) await act(id);
      done.add(id);
    } catch (error) {
      if (!(error instanceof SidecarError)) throw error;
      io.errors.write(`acp-sidecar: ${error.message}\n`);
      status = error.exitStatus;
    }
  }
  return { done: [...done], status };
}
