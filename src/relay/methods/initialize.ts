/** `initialize`, `authenticate`, `logout`, and what else sets up the connection. https://agentclientprotocol.com/protocol/v1/initialization */
import { isRecord, keepable } from "../../base/json.ts";
import type { RequestContext } from "../../rpc/endpoint.ts";
import { initializeParams, parseParams } from "../../acp/schema.ts";
import { askAgent } from "../agent/ask.ts";
import { checkVersion, initializeRequest, overlay } from "../../acp/v1/initialize.ts";
import type { RelayContext } from "../context.ts";

/** Forwards what the client says of itself, and answers with what the agent can do with us in front. */
export async function initialize(ctx: RelayContext, params: unknown): Promise<unknown> {
  const parsed = parseParams(initializeParams, "initialize", params);
  const { initialized } = await ctx.agent.initialize(initializeRequest(parsed));
  checkVersion(initialized);
  const { clientInfo, clientCapabilities } = parsed;
  ctx.client.facts = {
    ...(isRecord(clientInfo) && { info: keepable(clientInfo) }),
    ...(isRecord(clientCapabilities) && { capabilities: keepable(clientCapabilities) }),
  };
  return overlay(initialized);
}

const login = "login";

/** A success is repeated after a restart of the agent. */
export async function authenticate(
  ctx: RelayContext,
  params: unknown,
  request: RequestContext,
): Promise<unknown> {
  const result = await askAgent(ctx, await ctx.agent.run(), "authenticate", params, request);
  ctx.agent.remember(login, "authenticate", params);
  return result;
}

export async function logout(ctx: RelayContext, params: unknown, request: RequestContext): Promise<unknown> {
  const result = await askAgent(ctx, await ctx.agent.run(), "logout", params, request);
  ctx.agent.forget(login);
  return result;
}

/** `providers/set` and `providers/disable` (unstable). A success is repeated after a restart of the agent. */
export function configureProvider(method: string) {
  return async (ctx: RelayContext, params: unknown, request: RequestContext): Promise<unknown> => {
    const result = await askAgent(ctx, await ctx.agent.run(), method, params, request);
    const providerId = isRecord(params) ? params.providerId : undefined;
    if (typeof providerId === "string") ctx.agent.remember(`provider ${providerId}`, method, params);
    return result;
  };
}
