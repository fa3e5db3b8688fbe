/** Whatever the sidecar has no part in: forwarded as it is, except for the session id. */
import { isContentBlock } from "../../acp/content.ts";
import type { PromptBody } from "../../acp/schema.ts";
import { isRecord } from "../../base/json.ts";
import type { RequestContext } from "../../rpc/endpoint.ts";
import { askAgent, askSession } from "../agent/ask.ts";
import { endRecall } from "../agent/replayed.ts";
import type { RelayContext } from "../context.ts";
import type { Child } from "../live/children.ts";
import type { LiveSession } from "../live/session.ts";
import { sessionNotFound } from "../../store/refusals.ts";
import { promptData } from "./prompt-data.ts";
import { withSessionIds } from "../../acp/ids.ts";

/** A request of the client that we do not know. */
export async function forwardRequest(
  ctx: RelayContext,
  method: string,
  params: unknown,
  request: RequestContext,
): Promise<unknown> {
  const clientIdOf = (agentSessionId: string) =>
    ctx.sessions.children.byAgentId(agentSessionId)?.id ??
    ctx.sessions.byAgentId(agentSessionId)?.attachments.of(ctx.client)?.sessionId;
  if (!hasSessionId(params)) {
    return withSessionIds(await askAgent(ctx, await ctx.agent.run(), method, params, request), clientIdOf);
  }
  const { sessionId, ...rest } = params;
  const child = ctx.sessions.children.byId(sessionId);
  if (child !== undefined)
    return withSessionIds(await askChild(ctx, child, method, rest, request), clientIdOf);
  const live = await ctx.holding.require(ctx.client, sessionId);
  const { answer } = await askSession(ctx, live, method, request, async () => rest);
  const result = await answer;
  return live.answerInOrder(request, async () => {
    const said = wordsOf(method, rest);
    if (said !== undefined && isTaken(result)) await keepWords(ctx, live, said);
    return withSessionIds(result, clientIdOf);
  });
}

/** The agent's own answer: what it does not allow with a subagent's session it says itself. */
async function askChild(
  ctx: RelayContext,
  { live, agentSessionId }: Child,
  method: string,
  params: Readonly<Record<string, unknown>>,
  request: RequestContext,
): Promise<unknown> {
  const { binding } = live;
  if (binding === undefined) throw sessionNotFound(agentSessionId);
  const { answer } = await live.inbound.run(async () => ({
    answer: askAgent(ctx, binding.run, method, { ...params, sessionId: agentSessionId }, request),
  }));
  return answer;
}

/** What the user has said in a request that is no prompt, such as `_session/steering`: a word to a turn that runs. */
function wordsOf(method: string, params: Readonly<Record<string, unknown>>): PromptBody | undefined {
  const { prompt, content = prompt, message = content, text = message, ...others } = params;
  const blocks = [prompt, content].find(isContent);
  if (blocks !== undefined) return { ...others, method, prompt: blocks };
  const isSteering = /steer|inject/i.test(method) && typeof text === "string";
  return isSteering ? { ...others, method, prompt: [{ type: "text", text }] } : undefined;
}

function isContent(value: unknown): value is PromptBody["prompt"] {
  return Array.isArray(value) && value.length > 0 && value.every(isContentBlock);
}

/** Agents may answer that there is no turn to be steered, and that the words are to be prompted. */
function isTaken(result: unknown): boolean {
  return !isRecord(result) || (result.outcome !== "promptRequired" && result.accepted !== false);
}

/** As of every other prompt: the user has said it, where the agent has taken it. */
async function keepWords(ctx: RelayContext, live: LiveSession, said: PromptBody): Promise<void> {
  endRecall(ctx, live);
  live.recall = undefined;
  const data = promptData(said, ctx.options);
  await live.journal.append([{ kind: "prompt", atMs: Date.now(), data }]);
}

function hasSessionId(
  params: unknown,
): params is { readonly sessionId: string; readonly [field: string]: unknown } {
  return isRecord(params) && typeof params.sessionId === "string";
}

/** A notification of the client that we do not know. If its session has no agent, it is dropped. */
export function forwardToAgent(ctx: RelayContext, method: string, params: unknown): Promise<void> | void {
  if (!hasSessionId(params)) {
    return ctx.agent.ifRunning((run) => run.agent.notify(method, params));
  }
  const child = ctx.sessions.children.byId(params.sessionId);
  const live = ctx.sessions.byClientId(params.sessionId) ?? child?.live;
  return live?.inbound.run(async () => {
    const { binding } = live;
    const sessionId = child?.agentSessionId ?? binding?.agentSessionId;
    await binding?.run.agent.notify(method, { ...params, sessionId });
  });
}

/** A notification of the agent that is no session update. A malformed session update is dropped. */
export function forwardToClient(ctx: RelayContext, method: string, params: unknown): Promise<void> | void {
  if (method === "session/update") return ctx.log.warn({}, "the agent sent a session/update that is none");
  const named = isRecord(params) ? params.sessionId : undefined;
  const child = ctx.sessions.children.byAgentId(named);
  const live = ctx.sessions.byAgentId(named) ?? child?.live;
  if (ctx.sessions.isFormer(named)) return Promise.resolve();
  if (live === undefined || !isRecord(params)) return ctx.client.connection.notify(method, params);
  return live.outbound(() => live.attachments.notify(method, params, child?.id));
}
