/**
 * What was chosen for a session is chosen again at its agent. Success is no news to anybody. What fails is owed, in the
 * record, and the client is told what is so instead; when it is made good later, the client is told that, too.
 */
import { isDeepStrictEqual } from "node:util";
import type { SessionId } from "../../base/ids.ts";
import { kindsOf, modeUpdate, optionsUpdate, saidBy, type AgentState } from "../../acp/settings.ts";
import { updateOfParams, type UpdateMessage } from "../../acp/updates.ts";
import type { Chosen, SessionSettings } from "../../store/contract.ts";
import type { RelayContext } from "../context.ts";
import type { Binding, LiveSession } from "../live/session.ts";
import { reapplySettings } from "./reapply.ts";
import { chosenIn } from "./settings.ts";
import { enqueueUpdates } from "./updates.ts";

export interface How {
  /** What the agent said of the session before it was attached. */
  readonly before: AgentState;
  /** The agent had the session before. */
  readonly isSameAgent: boolean;
  /** What is left as it is: the agent died of it. */
  readonly skip: ReadonlySet<string>;
}

/** Returns the kinds of update that were superseded by it. Errors: `DiedChoosing`, `LEASE_LOST`, `STORE_…`. */
export async function chooseAgain(
  ctx: RelayContext,
  live: LiveSession,
  binding: Binding,
  { before, isSameAgent, skip }: How,
): Promise<string[]> {
  const { id, record } = live;
  const chosen = chosenIn(record.settings);
  const heard = { state: live.agentState };
  const told = toldIn(record.settings, before);
  live.choosing = heard;
  let owed: Chosen | undefined;
  try {
    owed = await reapplySettings(ctx, { id, binding, chosen, isSameAgent, skip, heard });
  } finally {
    live.choosing = undefined;
  }
  live.agentState = heard.state;
  await noteOwed(live, owed);
  void enqueueUpdates(ctx, live, news(told, heard.state, binding.agentSessionId));
  return kindsOf(chosen);
}

/** In an agent's session that has just been made, and that nobody knows of yet. Errors: `DiedChoosing`. */
export async function chooseInNew(
  ctx: RelayContext,
  { id, binding, state }: { readonly id: SessionId; readonly binding: Binding; readonly state: AgentState },
  settings: SessionSettings,
): Promise<{ readonly settings: SessionSettings; readonly agentState: AgentState }> {
  const heard = { state };
  const work = {
    id,
    binding,
    chosen: chosenIn(settings),
    isSameAgent: false,
    skip: new Set<string>(),
    heard,
  };
  const owed = await reapplySettings(ctx, work);
  return { settings: withOwed(settings, owed, heard.state), agentState: heard.state };
}

/** What the client takes for chosen. */
function toldIn({ modeId, configOptions }: SessionSettings, before: AgentState): Chosen {
  const said = saidBy(before);
  return {
    ...(modeId !== undefined && { modeId }),
    ...(said.modeId !== undefined && { modeId: said.modeId }),
    configOptions: { ...configOptions, ...said.configOptions },
  };
}

async function noteOwed(live: LiveSession, owed: Chosen | undefined): Promise<void> {
  const { settings } = live.record;
  const now = withOwed(settings, owed, live.agentState);
  if (!isDeepStrictEqual(now, settings)) await live.update({ settings: now });
}

/** Of what is owed the settings say what is so instead; of all else what was chosen. */
function withOwed(settings: SessionSettings, owed: Chosen | undefined, state: AgentState): SessionSettings {
  if (owed === undefined && settings.owesSettings === undefined) return settings;
  const { owesSettings: _, ...others } = settings;
  const said = saidBy(state);
  const { configOptions: options = {}, ...chosen } = chosenIn(settings);
  const instead = Object.keys(owed?.configOptions ?? {}).map((id) => [id, said.configOptions?.[id] ?? null]);
  const configOptions = { ...options, ...(Object.fromEntries(instead) as typeof options) };
  return {
    ...others,
    ...chosen,
    ...(owed?.modeId !== undefined && said.modeId !== undefined && { modeId: said.modeId }),
    ...(owed?.modelId !== undefined && said.modelId !== undefined && { modelId: said.modelId }),
    ...(Object.keys(configOptions).length > 0 && { configOptions }),
    ...(owed && { owesSettings: owed }),
  };
}

/** What is otherwise than the client was told. */
function news(told: Chosen, state: AgentState, sessionId: string): UpdateMessage[] {
  const { modeId, configOptions = {} } = saidBy(state);
  const updates: UpdateMessage[] = [];
  if (modeId !== undefined && told.modeId !== undefined && modeId !== told.modeId) {
    updates.push(updateOfParams({ sessionId, update: modeUpdate(modeId) }));
  }
  const isNews = ([id, value]: [string, unknown]) =>
    Object.hasOwn(configOptions, id) && !isDeepStrictEqual(configOptions[id], value);
  if (Object.entries(told.configOptions ?? {}).some(isNews)) {
    updates.push(updateOfParams({ sessionId, update: optionsUpdate(state) }));
  }
  return updates;
}
