/** Whatever the sidecar has no part in: forwarded as it is, but for the session id. */
import { isRecord } from "../../base/json.ts";
import type { RequestContext } from "../../rpc/endpoint.ts";
import { askAgent, askSession } from "../agent/ask.ts";
import type { RelayContext } from "../context.ts";
import { withSessionIds } from "../../acp/ids.ts";

/** A request of the client that we do not know. */
export async function forwardRequest(
  ctx: RelayContext,
  method: string,
  params: unknown,
  request: RequestContext,
): Promise<unknown> {
  const clientIdOf = (agentSessionId: string) =>
    ctx.sessions.byAgentId(agentSessionId)?.attachments.of(ctx.client)?.sessionId;
  if (!hasSessionId(params)) {
    return withSessionIds(await askAgent(ctx, await ctx.agent.run(), method, params, request), clientIdOf);
  }
  const { sessionId, ...rest } = params;
  const live = await ctx.holding.require(ctx.client, sessionId);
  const { answer } = await askSession(ctx, live, method, request, async () => rest);
  const result = await answer;
  return live.answerInOrder(request, async () => withSessionIds(result, clientIdOf));
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
  const live = ctx.sessions.byClientId(params.sessionId);
  return live?.inbound.run(async () => {
    const { binding } = live;
    await binding?.run.agent.notify(method, { ...params, sessionId: binding.agentSessionId });
  });
}

/** A notification of the agent that is no session update. A malformed session update is dropped. */
export function forwardToClient(ctx: RelayContext, method: string, params: unknown): Promise<void> | void {
  if (method === "session/update") return ctx.log.warn({}, "the agent sent a session/update that is none");
  const live = isRecord(params) ? ctx.sessions.byAgentId(params.sessionId) : undefined;
  if (isRecord(params) && ctx.sessions.isFormer(params.sessionId)) return Promise.resolve();
  if (live === undefined || !isRecord(params)) return ctx.client.connection.notify(method, params);
  return live.outbound(() => live.attachments.notify(method, params));
}
