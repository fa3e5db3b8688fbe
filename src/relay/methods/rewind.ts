/**
 * `_acp-sidecar/rewind`, and what an edited prompt has in common with it: from here on a part of the conversation does
 * not count, and the agent is not to know it any more.
 */
import { appendWithOwed } from "../live/owed.ts";
import { metaKey } from "../../acp/meta.ts";
import { loggedReason, SidecarError } from "../../base/errors.ts";
import { isRecord } from "../../base/json.ts";
import type { RequestContext } from "../../rpc/endpoint.ts";
import { parseParams } from "../../acp/schema.ts";
import { editParams, rewindParams } from "../../acp/place-schema.ts";
import type { RewindEffect } from "../../session/rewinding.ts";
import type { SessionRecord } from "../../store/contract.ts";
import { newSessionResult } from "../agent/attach.ts";
import { withAgentId } from "../agent/ids.ts";
import { recallOf } from "../agent/replayed.ts";
import { setupKey, setupParams } from "../agent/setup.ts";
import { enqueueUpdates } from "../agent/updates.ts";
import type { RelayContext } from "../context.ts";
import type { Binding, LiveSession } from "../live/session.ts";
import type { Turn } from "../live/turn.ts";
import { runningTurns } from "../live/turns.ts";
import { closeAtAgent } from "./end.ts";

/** Where to, as what the session is when nothing else happens in it. */
type PlaceIn = (record: SessionRecord) => Promise<number | "undo">;

/** What a client shows is its own: it is told what does not count, and loads the session again to see what does. */
export async function rewindSession(
  ctx: RelayContext,
  params: unknown,
  request: RequestContext,
): Promise<unknown> {
  const { sessionId, at } = parseParams(rewindParams, "_acp-sidecar/rewind", params);
  const live = await ctx.holding.require(ctx.client, sessionId);
  const effect = await goBack(ctx, live, async (record) =>
    at === undefined ? "undo" : ctx.registry.back.seqOf(record, at),
  );
  return live.answerInOrder(request, async () => ({ ...effect, headSeq: live.journal.headSeq }));
}

/** The prompt that is said anew by this one. Errors: `INVALID_PARAMS`. */
export function editedBy({ _meta }: { readonly [field: string]: unknown }): number | string | undefined {
  if (!isRecord(_meta) || _meta[metaKey] === undefined) return undefined;
  return parseParams(editParams, "session/prompt", { _meta })._meta?.[metaKey]?.edits;
}

/** The conversation goes back to where a prompt stood, for a turn that begins then, or never if that fails. */
export async function goBackToEdit(
  ctx: RelayContext,
  live: LiveSession,
  edited: number | string,
  turn: Turn,
): Promise<void> {
  const { back } = ctx.registry;
  const placeIn: PlaceIn = async (record) => back.beforePrompt(record, await back.seqOf(record, edited));
  try {
    await goBack(ctx, live, placeIn, turn);
  } catch (error) {
    turn.end({ type: "error", error }, "nobody");
    live.turns.delete(turn);
    turn.noteOver();
    throw error;
  }
}

/** In both lanes: nothing is on its way to the agent or from it meanwhile. */
export async function goBack(
  ctx: RelayContext,
  live: LiveSession,
  placeIn: PlaceIn,
  turn?: Turn,
): Promise<RewindEffect> {
  refuseInTurn(live, turn);
  return live.inbound.run(async () => {
    const { effect, binding } = await live.outbound(() =>
      rewind(ctx, live, placeIn, turn).catch((error: unknown) => {
        if (live.noteLoss()) ctx.holding.noteFailure(live, error);
        throw error;
      }),
    );
    if (binding !== undefined) await leave(ctx, live, binding, effect.toSeq);
    return effect;
  });
}

async function rewind(ctx: RelayContext, live: LiveSession, placeIn: PlaceIn, turn?: Turn) {
  refuseInTurn(live, turn);
  const { journal } = live;
  await appendWithOwed(live, []);
  await journal.seal([]);
  const { headSeq, sealedSeq } = journal;
  const { back } = ctx.registry;
  const effect = await back.effect(live.id, await placeIn({ ...live.record, headSeq, sealedSeq }));
  const { binding } = live;
  // What the agent says of it from now on belongs to what does not count.
  ctx.sessions.unbind(live);
  live.recall = undefined;
  live.swallowedState.clear();
  live.handoverEcho.end();
  const update = async (patch: Parameters<LiveSession["update"]>[0]) => {
    await live.update(patch);
    return live.record;
  };
  await back.rewindHeld({ journal, record: live.record, update }, effect.toSeq);
  ctx.log.info({ sessionId: live.id, toSeq: effect.toSeq }, "session rewound");
  await live.attachments.sendStored([told(live.record, effect)]);
  return { effect, binding };
}

/** @param own the turn that goes back. Errors: `SESSION_BUSY`. */
function refuseInTurn(live: LiveSession, own?: Turn): void {
  if (runningTurns(live).every((turn) => turn === own)) return;
  throw new SidecarError(
    "SESSION_BUSY",
    `Session ${live.id} has a turn running and cannot go back meanwhile; cancel it first`,
    { data: { sessionId: live.id, turnRunning: true } },
  );
}

/** For every client that shows the session: not kept, because it is no part of the conversation. */
function told({ title }: SessionRecord, { toSeq, turns, turnsBack }: RewindEffect): string {
  return JSON.stringify({
    update: { sessionUpdate: "session_info_update", title: title ?? null },
    _meta: { [metaKey]: { rewind: { toSeq, turns, turnsBack } } },
  });
}

/** The agent lets go of what it knows. One that can fork at the place itself has all that counts at once. */
async function leave(ctx: RelayContext, live: LiveSession, binding: Binding, toSeq: number): Promise<void> {
  await forkAt(ctx, live, binding, toSeq).catch((error: unknown) => {
    ctx.sessions.unbind(live);
    ctx.log.info({ sessionId: live.id, error: loggedReason(error, ctx.log) }, "the agent did not fork there");
  });
  void closeAtAgent(ctx, binding);
}

async function forkAt(
  ctx: RelayContext,
  live: LiveSession,
  { run, agentSessionId }: Binding,
  toSeq: number,
): Promise<void> {
  if (!run.can.fork || !run.can.forkAt) return;
  const at = await ctx.registry.back.agentMessageAt(live.id, toSeq);
  if (at === undefined) return;
  const setup = await setupParams(ctx, live, run);
  const params = { ...setup, sessionId: agentSessionId, _meta: { [metaKey]: { at } } };
  let forked: string | undefined;
  ctx.unclaimed.expect();
  try {
    const result = await run.agent.request("session/fork", params);
    ({ agentSessionId: forked, agentState: live.agentState } = newSessionResult("session/fork", result));
  } catch (error) {
    ctx.unclaimed.settled(undefined);
    throw error;
  }
  // Some replay what they fork.
  live.recall = recallOf(ctx, live, "compare");
  live.givenSetup = setupKey(setup);
  const early = ctx.unclaimed.settled(forked);
  ctx.sessions.bind(live, { run, agentSessionId: forked });
  void enqueueUpdates(ctx, live, early);
  await live.update(withAgentId(live.record, run, forked, false));
}
