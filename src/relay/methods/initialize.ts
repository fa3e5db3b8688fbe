/** `initialize`, `authenticate`, `logout`. https://agentclientprotocol.com/protocol/v1/initialization */
import { SidecarError } from "../../base/errors.ts";
import { isRecord, type Json } from "../../base/json.ts";
import type { RequestContext } from "../../rpc/endpoint.ts";
import { initializeParams, parseParams } from "../../acp/schema.ts";
import { askAgent } from "../agent/ask.ts";
import { overlay, protocolVersion } from "../../acp/capabilities.ts";
import type { RelayContext } from "../context.ts";

/** Forwards what the client says of itself, and answers with what the agent can do with us in front. */
export async function initialize(ctx: RelayContext, params: unknown): Promise<unknown> {
  const parsed = parseParams(initializeParams, "initialize", params);
  // Whatever the client asked for: to the agent we are the client, and this is what we speak.
  const { initialized } = await ctx.agent.initialize({ ...parsed, protocolVersion });
  checkVersion(initialized.protocolVersion);
  const { clientInfo, clientCapabilities } = parsed;
  ctx.client.facts = {
    ...(isRecord(clientInfo) && { info: clientInfo as Json }),
    ...(isRecord(clientCapabilities) && { capabilities: clientCapabilities as Json }),
  };
  return overlay(initialized);
}

/** An agent names another version when it does not have ours: we would misunderstand each other. */
function checkVersion(agents: unknown): void {
  if (typeof agents !== "number" || agents === protocolVersion) return;
  throw new SidecarError(
    "AGENT_PROTOCOL",
    `The agent speaks version ${agents} of ACP, not version ${protocolVersion}; use a release of it that does`,
    { data: { protocolVersion: agents } },
  );
}

/** A success is repeated after a restart of the agent. */
export async function authenticate(
  ctx: RelayContext,
  params: unknown,
  request: RequestContext,
): Promise<unknown> {
  const result = await askAgent(ctx, await ctx.agent.run(), "authenticate", params, request);
  ctx.agent.rememberAuthentication(params);
  return result;
}

export async function logout(ctx: RelayContext, params: unknown, request: RequestContext): Promise<unknown> {
  const result = await askAgent(ctx, await ctx.agent.run(), "logout", params, request);
  ctx.agent.rememberAuthentication(undefined);
  return result;
}
