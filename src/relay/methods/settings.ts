/** `session/set_mode`, `session/set_model`, `session/set_config_option` and `session/set_title` (unstable): forwarded and journaled. */
import { isSidecarError } from "../../base/errors.ts";
import { isRecord, type Json } from "../../base/json.ts";
import type { RequestContext } from "../../rpc/endpoint.ts";
import {
  parseParams,
  setConfigOptionParams,
  setModelParams,
  setModeParams,
  setTitleParams,
} from "../../acp/schema.ts";
import type { Chosen, SessionPatch } from "../../store/contract.ts";
import { sessionNotFound } from "../../store/refusals.ts";
import { askSession } from "../agent/ask.ts";
import type { RelayContext } from "../context.ts";
import type { LiveSession } from "../live/session.ts";
import { titleFrom } from "../../session/rename.ts";
import { tellInfo } from "./info.ts";
import { withChosen } from "../agent/settings.ts";
import { optionsIn, withMode, withModel, withOptions } from "../../acp/settings.ts";

export async function setMode(ctx: RelayContext, params: unknown, request: RequestContext): Promise<unknown> {
  const { sessionId, ...rest } = parseParams(setModeParams, "session/set_mode", params);
  return set(ctx, sessionId, "session/set_mode", rest, request, (live) => {
    live.agentState = withMode(live.agentState, rest.modeId);
    return { modeId: rest.modeId };
  });
}

/** Of agents from before config options. */
export async function setModel(
  ctx: RelayContext,
  params: unknown,
  request: RequestContext,
): Promise<unknown> {
  const { sessionId, ...rest } = parseParams(setModelParams, "session/set_model", params);
  return set(ctx, sessionId, "session/set_model", rest, request, (live) => {
    live.agentState = withModel(live.agentState, rest.modelId);
    return { modelId: rest.modelId };
  });
}

export async function setConfigOption(
  ctx: RelayContext,
  params: unknown,
  request: RequestContext,
): Promise<unknown> {
  const { sessionId, ...rest } = parseParams(setConfigOptionParams, "session/set_config_option", params);
  return set(ctx, sessionId, "session/set_config_option", rest, request, (live, result) => {
    live.agentState = withOptions(live.agentState, result);
    return { configOptions: { [rest.configId]: rest.value as Json, ...optionsIn(result)?.configOptions } };
  });
}

/** An agent that keeps titles may put it another way; for all others the record keeps it. */
export async function setTitle(
  ctx: RelayContext,
  params: unknown,
  request: RequestContext,
): Promise<unknown> {
  const method = "session/set_title";
  const { sessionId, ...rest } = parseParams(setTitleParams, method, params);
  const wanted = titleFrom(rest.title);
  const live = ctx.sessions.byClientId(sessionId);
  if (live?.isHeld !== true) return renameStored(ctx, sessionId, wanted);
  const { answer } =
    live.binding?.run.can.title === true
      ? await askSession(ctx, live, method, request, async () => rest)
      : {};
  const answered = await answer;
  const result = isRecord(answered) ? answered : {};
  const title = typeof result.title === "string" ? result.title : wanted;
  return live.answerInOrder(request, async () => {
    try {
      await noteSetting(live, method, { title }, { title });
    } catch (error) {
      // Somebody else has it by now: a title takes it from nobody.
      if (!isSidecarError(error, "LEASE_LOST")) throw error;
      ctx.holding.fail(live, error);
      return renameStored(ctx, sessionId, title);
    }
    await tellInfo(live, { title }, ctx.client);
    return { ...result, title };
  });
}

/** One that nobody here has open is not opened for it. */
async function renameStored(ctx: RelayContext, sessionId: string, wanted: string): Promise<unknown> {
  const record = await ctx.holding.find(sessionId);
  if (record === undefined) throw sessionNotFound(sessionId);
  const { title } = await ctx.registry.rename(record.id, wanted);
  return { title };
}

async function set(
  ctx: RelayContext,
  sessionId: string,
  method: string,
  params: Readonly<Record<string, unknown>>,
  request: RequestContext,
  chosen: (live: LiveSession, result: unknown) => Chosen,
): Promise<unknown> {
  const live = await ctx.holding.require(ctx.client, sessionId);
  const { answer } = await askSession(ctx, live, method, request, async () => params);
  const result = await answer;
  return live.answerInOrder(request, async () => {
    const now = chosen(live, result);
    const configId = typeof params.configId === "string" ? params.configId : undefined;
    const settings = withChosen(live.record.settings, now, live.agentState, configId);
    await noteSetting(live, method, params, { settings });
    return result;
  });
}

async function noteSetting(
  live: LiveSession,
  method: string,
  params: Readonly<Record<string, unknown>>,
  patch: SessionPatch,
): Promise<void> {
  const data = JSON.stringify({ method, params });
  await live.journal.append([{ kind: "setting", atMs: Date.now(), data }]);
  await live.update(patch);
}
