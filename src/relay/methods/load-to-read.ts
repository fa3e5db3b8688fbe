/**
 * `session/load` of a session that is shared for reading: it is shown as far as it goes, and followed. Nothing is taken or
 * changed, no agent is asked, and whatever would change it afterwards is refused.
 */
import { metaKey } from "../../acp/meta.ts";
import type { ReplayWindow } from "../../acp/place-schema.ts";
import { isHeld } from "../../session/holder.ts";
import type { ReplayedState } from "../../session/replay-options.ts";
import type { SessionRecord } from "../../store/contract.ts";
import { commandsUpdate } from "../commands/offered.ts";
import type { RelayContext } from "../context.ts";
import { Attachments } from "../live/attachments.ts";
import { sendReplay } from "./load-window.ts";

export async function loadToRead(
  ctx: RelayContext,
  record: SessionRecord,
  clientId: string,
  asked: ReplayWindow | undefined,
): Promise<unknown> {
  const { id, sealedSeq } = record;
  await ctx.readers.end(id);
  const attachment = new Attachments(id).attach(ctx.client, clientId);
  const state: ReplayedState = new Map();
  // What is final stays as it is while it is shown; what is not may be sealed at any time.
  const shown = {
    id,
    record: { ...record, headSeq: sealedSeq },
    journal: { sealedSeq, headSeq: sealedSeq, renew: async () => undefined },
  };
  const isRunning = isHeld(record.lease) || record.headSeq > sealedSeq;
  const replay = await sendReplay(ctx, shown, { attachment, asked, state, isAtRest: !isRunning });
  // There is no agent whose commands they are.
  state.delete(commandsUpdate);
  await attachment.sendStored([...state.values()]);
  const [{ Following }, { Reader }] = await Promise.all([
    import("../../session/following.ts"),
    import("../live/reader.ts"),
  ]);
  const following = new Following(ctx.registry, id, sealedSeq);
  const reader = new Reader(ctx, id, attachment, following);
  const now = await ctx.registry.get(id);
  // Who wants nothing shown has it.
  if (asked === "none") await following.take(now);
  else await reader.show(now);
  // Whoever wrote its end was killed.
  if (isRunning && !isHeld(now.lease)) await reader.showEnd();
  reader.follow();
  await ctx.readers.put(id, reader);
  return { _meta: { [metaKey]: { readOnly: true, ...(replay && { replay }) } } };
}
