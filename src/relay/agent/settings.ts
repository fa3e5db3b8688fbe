/** After an attach: the mode and the options that the client had chosen are chosen again. */
import { loggedReason } from "../../base/errors.ts";
import { isRecord, type Json } from "../../base/json.ts";
import type { UpdateData } from "../../acp/kinds.ts";
import type { SessionId } from "../../base/ids.ts";
import type { SessionSettings } from "../../store/contract.ts";
import type { RelayContext } from "../context.ts";
import type { AgentState, Binding } from "../live/session.ts";

/** Chooses again what the agent does not have any more. Returns what the client is to be told of modes and options. */
export async function reapplySettings(
  ctx: RelayContext,
  { id, settings }: { readonly id: SessionId; readonly settings: SessionSettings },
  binding: Binding,
  state: AgentState,
): Promise<AgentState> {
  const { modeId, configOptions } = settings;
  let now = state;
  const modes = isRecord(state.modes) ? state.modes : undefined;
  if (
    modeId !== undefined &&
    modes !== undefined &&
    modes.currentModeId !== modeId &&
    offersMode(modes, modeId)
  ) {
    const done = await tryToSet(ctx, id, binding, "session/set_mode", { modeId });
    if (done !== undefined) now = withMode(now, modeId);
  }
  const offered = Array.isArray(state.configOptions) ? valuesOf(state.configOptions) : {};
  for (const [configId, value] of Object.entries(configOptions ?? {})) {
    if (!Object.hasOwn(offered, configId) || offered[configId] === value) continue;
    const result = await tryToSet(ctx, id, binding, "session/set_config_option", { configId, value });
    if (isRecord(result)) now = withOptions(now, result.configOptions);
  }
  return now;
}

/** What an agent has said of a session, with another mode. */
export function withMode(state: AgentState, modeId: string): AgentState {
  return isRecord(state.modes) ? { ...state, modes: { ...state.modes, currentModeId: modeId } } : state;
}

/** The same with the options as the agent describes them now, if it does. */
export function withOptions(state: AgentState, configOptions: unknown): AgentState {
  return Array.isArray(configOptions) ? { ...state, configOptions: configOptions as unknown } : state;
}

/** The kinds of update of which the agent's answer says what is now. */
export function answeredKinds({ modes, configOptions }: AgentState): string[] {
  return [
    ...(isRecord(modes) ? ["current_mode_update"] : []),
    ...(Array.isArray(configOptions) ? ["config_option_update"] : []),
  ];
}

/** A journaled update of that kind with what is now; any other as it is. */
export function asAnswered(state: AgentState, kind: string, data: string): string {
  if (!answeredKinds(state).includes(kind)) return data;
  const { modes, configOptions } = state;
  const now =
    isRecord(modes) && kind === "current_mode_update"
      ? { currentModeId: modes.currentModeId }
      : { configOptions };
  const params = JSON.parse(data) as UpdateData;
  return JSON.stringify({ ...params, update: { ...params.update, ...now } });
}

function offersMode(modes: Readonly<Record<string, unknown>>, modeId: string): boolean {
  const offered: readonly unknown[] = Array.isArray(modes.availableModes) ? modes.availableModes : [];
  return offered.some((mode) => isRecord(mode) && mode.id === modeId);
}

/** The agent's answer, or undefined when it refused: a session without its old mode is better than none. */
async function tryToSet(
  ctx: RelayContext,
  id: SessionId,
  { run, agentSessionId }: Binding,
  method: string,
  params: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  try {
    return (await run.agent.request(method, { sessionId: agentSessionId, ...params })) ?? {};
  } catch (error) {
    ctx.log.warn(
      { sessionId: id, method, error: loggedReason(error, ctx.log) },
      "a setting could not be chosen again",
    );
    return undefined;
  }
}

/** Current value by option id, of options as the agent describes them. */
export function valuesOf(configOptions: readonly unknown[]): Record<string, Json> {
  const options = configOptions.filter(isRecord).filter(({ id }) => typeof id === "string");
  return Object.fromEntries(
    options.map(({ id, currentValue }) => [id as string, (currentValue ?? null) as Json]),
  );
}
