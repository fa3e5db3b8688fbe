/** `session/set_mode` and `session/set_config_option`: forwarded and journaled. */
import { isRecord, type Json } from "../json.ts";
import type { RequestContext } from "../protocol/connection.ts";
import { parseParams, setConfigOptionParams, setModeParams } from "../protocol/schema.ts";
import type { SessionSettings } from "../store/store.ts";
import { answerInOrder } from "./answer.ts";
import { askSession } from "./ask-agent.ts";
import type { ProxyContext } from "./context.ts";
import { valuesOf } from "./reapply-settings.ts";

export async function setMode(ctx: ProxyContext, params: unknown, request: RequestContext): Promise<unknown> {
  const { sessionId, ...rest } = parseParams(setModeParams, "session/set_mode", params);
  return set(ctx, sessionId, "session/set_mode", rest, request, ({ settings }) => ({
    ...settings,
    modeId: rest.modeId,
  }));
}

export async function setConfigOption(
  ctx: ProxyContext,
  params: unknown,
  request: RequestContext,
): Promise<unknown> {
  const { sessionId, ...rest } = parseParams(setConfigOptionParams, "session/set_config_option", params);
  return set(ctx, sessionId, "session/set_config_option", rest, request, ({ settings }, result) => {
    const options =
      isRecord(result) && Array.isArray(result.configOptions) ? valuesOf(result.configOptions) : {};
    const chosen = { [rest.configId]: rest.value as Json };
    return { ...settings, configOptions: { ...settings.configOptions, ...chosen, ...options } };
  });
}

async function set(
  ctx: ProxyContext,
  sessionId: string,
  method: string,
  params: Readonly<Record<string, unknown>>,
  request: RequestContext,
  change: (record: { readonly settings: SessionSettings }, result: unknown) => SessionSettings,
): Promise<unknown> {
  const live = await ctx.sessions.require(sessionId);
  const { answer } = await askSession(ctx, live, method, request, async () => params);
  const result = await answer;
  return answerInOrder(live, request, async () => {
    await live.journal.append([
      { kind: "setting", atMs: Date.now(), data: JSON.stringify({ method, params }) },
    ]);
    await live.update({ settings: change(live.record, result) });
    return result;
  });
}
