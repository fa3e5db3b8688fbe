/** `sessions rm` and `sessions gc`: what deletes. */
import { options } from "../config/options.ts";
import { SidecarError } from "../base/errors.ts";
import type { SessionId } from "../base/ids.ts";
import type { SessionRegistry } from "../session/registry.ts";
import type { Invocation, Io } from "./command.ts";
import { print, printJson } from "./print.ts";
import { sessionAt, timeFrom, withSessions } from "./sessions.ts";

/** Deletes what it can and says of each of the others why not. */
export function removeSessions(invocation: Invocation, io: Io): Promise<number> {
  return withSessions(invocation, io, async (registry) => {
    let status = 0;
    for (const id of invocation.operands) {
      try {
        const record = await sessionAt(registry, id, io);
        await remove(registry, record.id, invocation.flags["force"] === true);
        await print(io, `Deleted ${record.id}\n`);
      } catch (error) {
        if (!(error instanceof SidecarError)) throw error;
        io.errors.write(`acp-sidecar: ${error.message}\n`);
        status = error.exitStatus;
      }
    }
    return status;
  });
}

async function remove(registry: SessionRegistry, id: SessionId, force: boolean): Promise<void> {
  const wasThere = await (force ? registry.delete(id) : registry.remove(id));
  // It went in between.
  if (!wasThere) await registry.get(id);
}

export function collectSessions(invocation: Invocation, io: Io): Promise<number> {
  const given = invocation.flags["older-than"];
  return withSessions(invocation, io, async (registry, { retentionMs }) => {
    const idleForMs =
      given === undefined ? retentionMs : timeFrom("older-than", given, options.retention.kind);
    if (idleForMs === undefined) throw ageWanted();
    const deleted = await registry.expire({ idleForMs });
    if (invocation.flags["json"]) await printJson(io, { deleted });
    else await print(io, `Deleted ${deleted} session${deleted === 1 ? "" : "s"}\n`);
    return 0;
  });
}

function ageWanted(): SidecarError {
  return new SidecarError(
    "USAGE",
    "sessions gc needs --older-than, because no retention is configured; allowed: a time like 12h or 30d",
  );
}
