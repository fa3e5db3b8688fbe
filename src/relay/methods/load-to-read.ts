/**
 * `session/load` of a session that is shared for reading: it is shown as far as it is final. Nothing is taken or changed, no agent is
 * asked, and whatever would change it afterwards is refused.
 */
import { metaKey } from "../../acp/meta.ts";
import type { ReplayWindow } from "../../acp/place-schema.ts";
import type { ReplayedState } from "../../session/replay-options.ts";
import type { SessionRecord } from "../../store/contract.ts";
import { commandsUpdate } from "../commands/offered.ts";
import type { RelayContext } from "../context.ts";
import { Attachments } from "../live/attachments.ts";
import { sendReplay } from "./load-window.ts";

export async function loadToRead(
  ctx: RelayContext,
  { sealedSeq, ...record }: SessionRecord,
  clientId: string,
  asked: ReplayWindow | undefined,
): Promise<unknown> {
  const { id } = record;
  const attachment = new Attachments(id).attach(ctx.client, clientId);
  const state: ReplayedState = new Map();
  const shown = {
    id,
    record: { ...record, sealedSeq, headSeq: sealedSeq },
    journal: { sealedSeq, headSeq: sealedSeq, renew: async () => undefined },
  };
  const replay = await sendReplay(ctx, shown, { attachment, asked, state, isAtRest: true });
  // There is no agent whose commands they are.
  state.delete(commandsUpdate);
  await attachment.sendStored([...state.values()]);
  return { _meta: { [metaKey]: { readOnly: true, ...(replay && { replay }) } } };
}
