/** `figures`: what all processes on this machine have counted. */
import { isSidecarError } from "../base/errors.ts";
import { exposition } from "../figures/exposition.ts";
import type { Snapshot } from "../figures/snapshot.ts";
import { machineSnapshot } from "../local/machine.ts";
import type { Invocation, Io } from "./command.ts";
import { oneLine, print, printJson } from "./print.ts";
import { withSessions } from "./sessions.ts";

export async function printFigures(invocation: Invocation, io: Io): Promise<number> {
  const snapshot = await machineSnapshot({ env: io.env, found: await storedFigures(invocation, io) });
  if (invocation.flags["json"]) await printJson(io, snapshot);
  else await print(io, exposition(snapshot));
  return 0;
}

/** A store that cannot be opened has no figures; the others are told all the same. */
async function storedFigures(invocation: Invocation, io: Io): Promise<Snapshot["gauges"]> {
  try {
    return await withSessions(invocation, io, async (registry) => {
      const { sessions, entries, bytes } = await registry.stats();
      return { storedSessions: sessions, storedEntries: entries, storeSize: bytes };
    });
  } catch (error) {
    if (!isSidecarError(error) || error.code === "CONFIG_INVALID") throw error;
    io.errors.write(`acp-sidecar: ${oneLine(error.message)}\n`);
    return {};
  }
}
