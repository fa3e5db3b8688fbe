/** `sessions rm` and `sessions gc`: what deletes. */
import { parseDurationMs } from "../config/units.ts";
import { SidecarError } from "../base/errors.ts";
import { deleteUnused } from "../session/brief-hold.ts";
import { mayTake, thisHolder } from "../session/holder.ts";
import { SessionRegistry } from "../session/registry.ts";
import { sessionNotFound } from "../store/refusals.ts";
import type { Store } from "../store/contract.ts";
import type { Invocation, Io } from "./command.ts";
import { print, printJson } from "./print.ts";
import { idOf, withStore } from "./store.ts";

/** For how long a session stays held if we die while it is being deleted. */
const leaseTtlMs = 30_000;

/** Deletes what it can and says of each of the others why not. */
export function removeSessions(invocation: Invocation, io: Io): Promise<number> {
  return withStore(invocation, io, async (store) => {
    let status = 0;
    for (const id of invocation.operands) {
      try {
        await remove(store, id, invocation.flags["force"] === true);
        await print(io, `Deleted ${idOf(id)}\n`);
      } catch (error) {
        if (!(error instanceof SidecarError)) throw error;
        io.errors.write(`acp-sidecar: ${error.message}\n`);
        status = error.exitStatus;
      }
    }
    return status;
  });
}

async function remove(store: Store, text: string, force: boolean): Promise<void> {
  const id = idOf(text);
  // Taken first, so that no turn begins between a look and the deletion.
  const taking = { leaseTtlMs, mayTake: mayTake("idle", thisHolder()) };
  const wasThere = await (force ? store.delete(id) : deleteUnused(store, id, taking));
  if (!wasThere) throw sessionNotFound(id);
  await store.flush();
}

export function collectSessions(invocation: Invocation, io: Io): Promise<number> {
  const given = invocation.flags["older-than"];
  return withStore(invocation, io, async (store, { retentionMs }) => {
    const idleForMs = given === undefined ? retentionMs : parseDurationMs(String(given));
    if (idleForMs === undefined || !(idleForMs >= 0)) throw ageWanted(given);
    const registry = new SessionRegistry({ store });
    const deleted = await registry.expire({ idleForMs });
    await registry.close();
    if (invocation.flags["json"]) await printJson(io, { deleted });
    else await print(io, `Deleted ${deleted} session${deleted === 1 ? "" : "s"}\n`);
    return 0;
  });
}

function ageWanted(given: string | true | undefined): SidecarError {
  const problem =
    given === undefined
      ? "sessions gc needs --older-than, for no retention is configured"
      : `--older-than is ${JSON.stringify(given)}`;
  return new SidecarError("USAGE", `${problem}; allowed: milliseconds, or a time like 12h or 30d`);
}
