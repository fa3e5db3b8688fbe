/** `session/new`. https://agentclientprotocol.com/protocol/v1/session-setup */
import type { RequestContext } from "../../rpc/endpoint.ts";
import { newSessionParams, parseParams } from "../../acp/schema.ts";
import type { ProxyContext } from "../context.ts";
import { LiveSession } from "../live/session.ts";
import { initOf, makeSession } from "./make-session.ts";

export async function newSession(
  ctx: ProxyContext,
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
    setup: LiveSession.setupOf(parsed),
    needsHandover: false,
  } as const;
  return makeSession(ctx, making, request);
}
