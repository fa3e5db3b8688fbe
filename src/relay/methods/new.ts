/** `session/new`, and what `session/fork` has in common with it. https://agentclientprotocol.com/protocol/v1/session-setup */
import { answeredKinds, type AgentState } from "../../acp/settings.ts";
import type { ArrivedUpdate } from "../../acp/updates.ts";
import type { AgentRun } from "../../agent/supervisor.ts";
import type { RequestContext } from "../../rpc/endpoint.ts";
import { newSessionParams, parseParams, type NewSessionParams } from "../../acp/schema.ts";
import { reasonOf } from "../../base/errors.ts";
import { newSessionId, type SessionId } from "../../base/ids.ts";
import type { SessionSettings } from "../../store/contract.ts";
import type { SessionInit } from "../../session/registry-options.ts";
import { askAgent } from "../agent/ask.ts";
import { newSessionResult } from "../agent/attach.ts";
import type { RelayContext } from "../context.ts";
import { closeAtAgent } from "./end.ts";
import { LiveSession } from "../live/session.ts";
import { namesOf, setupOf, type SessionSetup } from "../live/session-setup.ts";
import { chooseInNew } from "../agent/choose-again.ts";
import { DiedChoosing } from "../agent/reapply.ts";
import { recallOf } from "../agent/replayed.ts";
import { keepSystemPrompt, setupKey, takenBy } from "../agent/setup.ts";
import { takeUpdates } from "../agent/updates.ts";
import { offerOurs } from "../commands/offered.ts";

/** A session in the making: what the agent is asked, and what the record gets. */
export interface Making {
  readonly method: "session/new" | "session/fork";
  readonly agentParams: Readonly<Record<string, unknown>>;
  readonly run: AgentRun;
  readonly init: SessionInit;
  readonly setup: SessionSetup;
  /** The agent's session starts empty though ours does not. */
  readonly needsHandover: boolean;
}

export async function newSession(
  ctx: RelayContext,
  params: unknown,
  request: RequestContext,
): Promise<unknown> {
  const parsed = parseParams(newSessionParams, "session/new", params);
  ctx.registry.live.checkRoom();
  const run = await ctx.agent.run();
  const making = {
    method: "session/new",
    agentParams: parsed,
    run,
    init: initOf(ctx, run, parsed),
    setup: setupOf(parsed),
    needsHandover: false,
  } as const;
  return makeSession(ctx, making, request);
}

/** What the record says of a session that a client makes. */
export function initOf(ctx: RelayContext, run: AgentRun, params: NewSessionParams): SessionInit {
  return {
    cwd: params.cwd,
    additionalDirectories: params.additionalDirectories ?? [],
    mcpServerNames: namesOf(params.mcpServers ?? []),
    ...(ctx.client.facts && { client: ctx.client.facts }),
    agent: run.facts,
  };
}

/** Asks the agent, mints our id, stores the record, answers with both sides' facts. */
export async function makeSession(
  ctx: RelayContext,
  making: Making,
  request: RequestContext,
): Promise<unknown> {
  const { run, init, needsHandover } = making;
  const id = newSessionId();
  ctx.unclaimed.expect();
  const agentParams = takenBy(run, making.agentParams);
  let agentSessionId: string | undefined;
  let agentState: AgentState;
  let settings: SessionSettings;
  try {
    const result = await askAgent(ctx, run, making.method, agentParams, request);
    ({ agentSessionId, agentState } = newSessionResult(making.method, result));
    // Not in the session's lane: what the agent says or asks before its answer would wait there for the answer.
    const binding = { run, agentSessionId };
    ({ settings, agentState } = await chooseInNew(
      ctx,
      { id, binding, state: agentState },
      init.settings ?? {},
    ));
  } catch (error) {
    ctx.unclaimed.settled(undefined);
    throw error instanceof DiedChoosing ? error.cause : error;
  }
  // From here to the lane nothing is awaited: the agent's updates may come right after its answer.
  const live = liveAs(ctx, id, making.setup, agentState);
  live.givenSetup = setupKey(agentParams);
  if (making.method === "session/fork") live.recall = recallOf(ctx, live, "compare");
  const early = ctx.unclaimed.settled(agentSessionId);
  ctx.sessions.bind(live, { run, agentSessionId });
  const answer = live.answerInOrder(request, async () => {
    const owed = needsHandover && { owesHandoverTo: agentSessionId };
    const whole = { ...init, agentSessionIds: [agentSessionId], settings: { ...settings, ...owed } };
    await store(ctx, live, whole, () => keepSystemPrompt(ctx, live, making.method, making.agentParams));
    return { ...live.agentState, sessionId: id };
  });
  // Of what was chosen the answer speaks.
  const answered = init.settings === undefined ? [] : answeredKinds(agentState);
  void takeUpdates(ctx, withoutAnswered(early, agentSessionId, answered));
  return answer;
}

function liveAs(ctx: RelayContext, id: SessionId, setup: SessionSetup, state: AgentState): LiveSession {
  const live = new LiveSession(id, setup);
  live.attachments.attach(ctx.client, id);
  live.agentState = state;
  return live;
}

function withoutAnswered(
  updates: readonly ArrivedUpdate[],
  agentSessionId: string,
  answered: readonly string[],
): readonly ArrivedUpdate[] {
  return updates.filter(
    (update) =>
      update.type !== "update" ||
      update.sessionId !== agentSessionId ||
      !answered.includes(update.sessionUpdate),
  );
}

async function store(
  ctx: RelayContext,
  live: LiveSession,
  init: SessionInit,
  keep: () => Promise<void>,
): Promise<void> {
  try {
    await ctx.registry.create(init, live.id);
    await ctx.holding.openNew(live);
    await keep();
    ctx.projects.warm(init.cwd);
    // After the answer, and after what the agent has said before it.
    offerOurs(ctx, live);
  } catch (error) {
    const { binding } = live;
    ctx.sessions.remove(live);
    ctx.registry.live.remove(live.id);
    // Neither is awaited: the client need not wait for the agent, nor once more for a store that fails. Nobody will ask
    // for what may have been stored.
    void ctx.registry.delete(live.id).catch((failure: unknown) => {
      ctx.log.warn(
        { sessionId: live.id, error: reasonOf(failure) },
        "a session that failed could not be deleted",
      );
    });
    if (binding !== undefined) void closeAtAgent(ctx, binding);
    throw error;
  }
}
