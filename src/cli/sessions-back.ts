/** `sessions fork` and `sessions rewind`: going on from an earlier place. */
import { SidecarError } from "../base/errors.ts";
import type { Invocation, Io } from "./command.ts";
import { assertMeant, isMeant } from "./confirm.ts";
import { countText, print, printJson } from "./print.ts";
import { addressed, withSessions } from "./sessions.ts";

export function forkSession(invocation: Invocation, io: Io): Promise<number> {
  const [address = ""] = invocation.operands;
  return withSessions(invocation, io, async (registry) => {
    const { record, seq } = await addressed(registry, address, io);
    const fork = await registry.fork(record.id, seq);
    const atSeq = fork.lineage?.atSeq ?? 0;
    if (invocation.flags["json"]) await printJson(io, { id: fork.id, parentId: record.id, atSeq });
    else await print(io, `${fork.id} goes on from entry ${atSeq} of ${record.id}\n`);
    return 0;
  });
}

export function rewindSession(invocation: Invocation, io: Io): Promise<number> {
  const { flags, operands } = invocation;
  const [address = ""] = operands;
  assertMeant("sessions rewind changes what counts", invocation, io, "--yes");
  return withSessions(invocation, io, async (registry) => {
    // Entry 0, the place before the first entry, means something to this command only.
    const isStart = address.endsWith(":0");
    const { record, seq = isStart ? 0 : undefined } = await addressed(
      registry,
      isStart ? address.slice(0, -2) : address,
      io,
    );
    const { id } = record;
    if ((seq === undefined) !== (flags["undo"] === true))
      throw new SidecarError("USAGE", `Say where to: ${id}:SEQ, or --undo to take the last rewind back`);
    const effect = await registry.back.effect(id, seq ?? "undo");
    const { toSeq, turns, turnsBack } = effect;
    const again = turnsBack > 0 ? `, and ${countText(turnsBack, "turn")} will count again` : "";
    const question = `Go back to entry ${toSeq} of ${id}: ${countText(turns, "turn")} will not count any more${again}?`;
    if (!(await isMeant(question, invocation, io, "Nothing was changed."))) return 1;
    const { headSeq } = await registry.back.rewind(id, toSeq);
    if (flags["json"]) await printJson(io, { id, ...effect, headSeq });
    else
      await print(
        io,
        `${id} is at entry ${toSeq} again: ${countText(turns, "turn")} kept, but not counted any more\n` +
          `Back again: acp-sidecar sessions rewind ${id} --undo\n`,
      );
    return 0;
  });
}
