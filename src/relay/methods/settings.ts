/** `session/set_mode` and `session/set_config_option`: forwarded and journaled. */
import { isRecord, type Json } from "../../base/json.ts";
import type { RequestContext } from "../../rpc/endpoint.ts";
import { parseParams, setConfigOptionParams, setModeParams } from "../../acp/schema.ts";
import type { SessionSettings } from "../../store/contract.ts";
import { askSession } from "../agent/ask.ts";
import type { RelayContext } from "../context.ts";
import type { LiveSession } from "../live/session.ts";
import { valuesOf, withMode, withOptions } from "../agent/settings.ts";

export async function setMode(ctx: RelayContext, params: unknown, request: RequestContext): Promise<unknown> {
  const { sessionId, ...rest } = parseParams(setModeParams, "session/set_mode", params);
  return set(ctx, sessionId, "session/set_mode", rest, request, (live) => {
    live.agentState = withMode(live.agentState, rest.modeId);
    return { ...live.record.settings, modeId: rest.modeId };
  });
}

export async function setConfigOption(
  ctx: RelayContext,
  params: unknown,
  request: RequestContext,
): Promise<unknown> {
  const { sessionId, ...rest } = parseParams(setConfigOptionParams, "session/set_config_option", params);
  return set(ctx, sessionId, "session/set_config_option", rest, request, (live, result) => {
    const { settings } = live.record;
    const described = isRecord(result) ? result.configOptions : undefined;
    const options = Array.isArray(described) ? valuesOf(described) : {};
    live.agentState = withOptions(live.agentState, described);
    const chosen = { [rest.configId]: rest.value as Json };
    return { ...settings, configOptions: { ...settings.configOptions, ...chosen, ...options } };
  });
}

async function set(
  ctx: RelayContext,
  sessionId: string,
  method: string,
  params: Readonly<Record<string, unknown>>,
  request: RequestContext,
  chosen: (live: LiveSession, result: unknown) => SessionSettings,
): Promise<unknown> {
  const live = await ctx.holding.require(ctx.client, sessionId);
  const { answer } = await askSession(ctx, live, method, request, async () => params);
  const result = await answer;
  return live.answerInOrder(request, async () => {
    await live.journal.append([
      { kind: "setting", atMs: Date.now(), data: JSON.stringify({ method, params }) },
    ]);
    await live.update({ settings: chosen(live, result) });
    return result;
  });
}
