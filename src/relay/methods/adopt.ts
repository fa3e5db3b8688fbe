/**
 * Adopting a session that only the agent has: what it replays is recorded, and the session is ours when it is whole.
 * Until then its record says so, and is nobody's: an adoption that was killed must not pass for the conversation.
 */
import { reasonOf } from "../../base/errors.ts";
import type { AgentRun } from "../../agent/supervisor.ts";
import type { RequestContext } from "../../rpc/endpoint.ts";
import type { ExistingSessionParams } from "../../acp/schema.ts";
import { hiddenAs, shown } from "../../session/hidden.ts";
import { isFree, thisHolder } from "../../session/holder.ts";
import { sessionBusy } from "../../store/refusals.ts";
import { askAgent } from "../agent/ask.ts";
import { listedBy } from "../agent/listed.ts";
import { keepSystemPrompt, setupKey, takenBy } from "../agent/setup.ts";
import { agentStateOf, mayTryNext } from "../agent/take-up.ts";
import { enqueueUpdates } from "../agent/updates.ts";
import type { RelayContext } from "../context.ts";
import { Replaying } from "../live/replaying.ts";
import { LiveSession } from "../live/session.ts";
import { namesOf, setupOf } from "../live/session-setup.ts";

/** The client goes on using the agent's id on this connection; in lists the session has ours. */
export function adopt(
  ctx: RelayContext,
  run: AgentRun,
  method: "session/load" | "session/resume",
  params: ExistingSessionParams,
  request: RequestContext,
): Promise<unknown> {
  const { sessionId } = params;
  const adopting = adoptOnce(ctx, run, method, params, request).finally(() => ctx.adopting.delete(sessionId));
  ctx.adopting.set(sessionId, adopting);
  return adopting;
}

/**
 * One that is resumed is loaded from an agent that can: what was said before is kept, though this client is not shown it.
 * Nobody would tell of it later.
 */
async function adoptOnce(
  ctx: RelayContext,
  run: AgentRun,
  method: "session/load" | "session/resume",
  params: ExistingSessionParams,
  request: RequestContext,
): Promise<unknown> {
  if (method === "session/load" || !run.can.load) return adoptBy(ctx, run, { method, params }, request);
  const loading = {
    method: "session/load",
    params: { ...params, mcpServers: params.mcpServers ?? [] },
  } as const;
  try {
    return await adoptBy(ctx, run, loading, request, true);
  } catch (error) {
    if (request.signal.aborted || !mayTryNext(error)) throw error;
    ctx.log.warn(
      { error: reasonOf(error) },
      "the agent did not load a session that is resumed: what was before is not kept",
    );
    return adoptBy(ctx, run, { method, params }, request);
  }
}

interface Asking {
  readonly method: "session/load" | "session/resume";
  readonly params: ExistingSessionParams;
}

async function adoptBy(
  ctx: RelayContext,
  run: AgentRun,
  asking: Asking,
  request: RequestContext,
  isUnseen = false,
): Promise<unknown> {
  const { sessionId: agentSessionId } = asking.params;
  const live = await createAdopted(ctx, run, asking.params);
  const params = takenBy(run, asking.params);
  live.givenSetup = setupKey(params);
  const listedTitle = titleListedBy(run, asking.params, request.signal);
  try {
    await ctx.holding.openNew(live);
    live.isUnseen = isUnseen;
    // What the agent replays takes the way of every update: into the journal and on to the client.
    ctx.sessions.bind(live, { run, agentSessionId });
    // Whatever else the client asks of it meanwhile waits for the agent's answer.
    const result = await live.inbound.run(() => ask(ctx, run, live, asking.method, params, request));
    live.agentState = agentStateOf(result);
    void enqueueUpdates(ctx, live, [...live.swallowedState.values()]);
  } catch (error) {
    await live.outboundIdle();
    ctx.sessions.remove(live);
    await ctx.registry.delete(live.id);
    throw error;
  }
  return live.answerInOrder(request, () => finish(ctx, live, asking, listedTitle));
}

/** What the client has seen its list call the session. */
async function titleListedBy(
  run: AgentRun,
  { sessionId, cwd }: ExistingSessionParams,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (!run.can.list) return undefined;
  const listed = await listedBy(run, cwd, sessionId, signal).catch(() => undefined);
  return typeof listed?.title === "string" ? listed.title : undefined;
}

async function createAdopted(
  ctx: RelayContext,
  run: AgentRun,
  params: ExistingSessionParams,
): Promise<LiveSession> {
  const { sessionId: agentSessionId, cwd, additionalDirectories } = params;
  await clearUnfinished(ctx, run, agentSessionId);
  // The client asks for it by name: it wants it back.
  await ctx.registry.hidden.unearth(agentSessionId, run.facts);
  const record = await ctx.registry.create({
    cwd,
    additionalDirectories: additionalDirectories ?? [],
    mcpServerNames: namesOf(params.mcpServers ?? []),
    agentSessionIds: [agentSessionId],
    metadata: hiddenAs("adopting"),
    ...(ctx.client.facts && { client: ctx.client.facts }),
    agent: run.facts,
  });
  const live = new LiveSession(record.id, setupOf(params));
  live.attachments.attach(ctx.client, agentSessionId);
  return live;
}

/** The agent's answer, when all that it replays unseen has come; what is state then goes on to the client. */
async function ask(
  ctx: RelayContext,
  run: AgentRun,
  live: LiveSession,
  method: string,
  params: Readonly<Record<string, unknown>>,
  request: RequestContext,
): Promise<unknown> {
  if (!live.isUnseen) return askAgent(ctx, run, method, params, request);
  const replaying = new Replaying();
  live.replaying = replaying;
  try {
    const result = await askAgent(ctx, run, method, params, request);
    await replaying.untilLateEnd();
    return result;
  } finally {
    live.replaying = undefined;
    live.isUnseen = false;
  }
}

/** From here on it is ours. If the store fails, the record stays marked, and the next adoption deletes it. */
async function finish(
  ctx: RelayContext,
  live: LiveSession,
  { method, params }: Asking,
  listedTitle: Promise<string | undefined>,
): Promise<unknown> {
  try {
    const title = live.record.title ?? (await listedTitle);
    await live.journal.seal([]);
    await keepSystemPrompt(ctx, live, method, params);
    await live.update({ metadata: shown(live.record.metadata), ...(title !== undefined && { title }) });
    await live.journal.settle();
    return live.agentState;
  } catch (error) {
    ctx.sessions.remove(live);
    throw error;
  }
}

/** Deletes what adoptions of this session have left behind whose process died. Errors: `SESSION_BUSY` when one goes on elsewhere. */
async function clearUnfinished(ctx: RelayContext, run: AgentRun, agentSessionId: string): Promise<void> {
  for (const { id, lease } of await ctx.registry.hidden.unfinished(agentSessionId, run.facts)) {
    if (lease !== undefined && !isFree(lease, thisHolder())) throw sessionBusy(id, lease);
    await ctx.registry.delete(id);
  }
}
