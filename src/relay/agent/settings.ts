/** What was chosen for a session, and what its agent says of it: mode, model, options. */
import { isDeepStrictEqual } from "node:util";
import { jsonTextOf } from "../../base/json-text.ts";
import { isRecord, type Json } from "../../base/json.ts";
import type { UpdateData } from "../../acp/kinds.ts";
import type { Chosen, SessionSettings } from "../../store/contract.ts";
import type { AgentState } from "../live/session.ts";

/** The kinds of update that say what is chosen. */
export const settingUpdates: ReadonlySet<string> = new Set(["current_mode_update", "config_option_update"]);

/** All that is to be chosen again, also what an agent has not taken yet. */
export function chosenIn({ modeId, modelId, configOptions, owesSettings }: SessionSettings): Chosen {
  const options = { ...configOptions, ...owesSettings?.configOptions };
  return {
    ...(modeId !== undefined && { modeId }),
    ...(modelId !== undefined && { modelId }),
    ...owesSettings,
    ...(Object.keys(options).length > 0 && { configOptions: options }),
  };
}

/**
 * Settings with what has been chosen now, by the client or by the agent itself: of that nothing is owed any more.
 * One thing may have two names, a mode or model and an option of that category: what was chosen last counts.
 * @param byClient the option that the client itself has chosen
 */
export function withChosen(
  settings: SessionSettings,
  chosen: Chosen,
  state: AgentState,
  byClient?: string,
): SessionSettings {
  const { owesSettings, modeId, modelId, configOptions: before = {}, ...others } = settings;
  const { configOptions: now = {} } = chosen;
  const isNew = (id: string) =>
    id === byClient || (Object.hasOwn(now, id) && !isDeepStrictEqual(now[id], before[id]));
  const anew = new Set(categoriesOf(state, Object.keys(now).filter(isNew)));
  const stale = new Set([
    ...(chosen.modeId === undefined ? [] : optionsOf(state, "mode")),
    ...(chosen.modelId === undefined ? [] : optionsOf(state, "model")),
  ]);
  const options = Object.entries({ ...before, ...now }).filter(
    ([id]) => !stale.has(id) || Object.hasOwn(now, id),
  );
  const owed = withoutChosen(owesSettings ?? {}, chosen, isNew);
  const mode = chosen.modeId ?? (anew.has("mode") ? undefined : modeId);
  const model = chosen.modelId ?? (anew.has("model") ? undefined : modelId);
  return {
    ...others,
    ...(mode !== undefined && { modeId: mode }),
    ...(model !== undefined && { modelId: model }),
    ...(options.length > 0 && { configOptions: Object.fromEntries(options) }),
    ...(owed !== undefined && { owesSettings: owed }),
  };
}

function withoutChosen(owed: Chosen, chosen: Chosen, isNew: (id: string) => boolean): Chosen | undefined {
  const options = Object.entries(owed.configOptions ?? {}).filter(([id]) => !isNew(id));
  return chosenOrNone({
    ...(chosen.modeId === undefined && owed.modeId !== undefined && { modeId: owed.modeId }),
    ...(chosen.modelId === undefined && owed.modelId !== undefined && { modelId: owed.modelId }),
    configOptions: Object.fromEntries(options),
  });
}

/** Undefined when nothing is chosen. */
export function chosenOrNone({ configOptions = {}, ...others }: Chosen): Chosen | undefined {
  const some = Object.keys(configOptions).length > 0 ? { ...others, configOptions } : others;
  return Object.keys(some).length > 0 ? some : undefined;
}

/** What an agent has said of a session, with another mode. */
export function withMode(state: AgentState, modeId: string): AgentState {
  return isRecord(state.modes) ? { ...state, modes: { ...state.modes, currentModeId: modeId } } : state;
}

/** With another model (`session/set_model`, of agents from before config options). */
export function withModel(state: AgentState, modelId: string): AgentState {
  return isRecord(state.models) ? { ...state, models: { ...state.models, currentModelId: modelId } } : state;
}

/** The same with the options as the agent describes them now, if it does. */
export function withOptions(state: AgentState, configOptions: unknown): AgentState {
  return Array.isArray(configOptions) ? { ...state, configOptions: configOptions as unknown } : state;
}

/** With what an update says of mode or options. */
export function withUpdate(state: AgentState, update: UpdateData["update"]): AgentState {
  const { sessionUpdate, currentModeId, configOptions } = update;
  if (sessionUpdate === "current_mode_update" && typeof currentModeId === "string")
    return withMode(state, currentModeId);
  return sessionUpdate === "config_option_update" ? withOptions(state, configOptions) : state;
}

/** What an agent says is chosen now, as far as it does. */
export function saidBy({ modes, models, configOptions }: AgentState): Chosen {
  const mode = isRecord(modes) ? modes.currentModeId : undefined;
  const model = isRecord(models) ? models.currentModelId : undefined;
  return {
    ...(typeof mode === "string" && { modeId: mode }),
    ...(typeof model === "string" && { modelId: model }),
    ...(Array.isArray(configOptions) && { configOptions: valuesOf(configOptions) }),
  };
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
  return jsonTextOf({ ...params, update: { ...params.update, ...now } });
}

/** Current value by option id, of options as the agent describes them. */
export function valuesOf(configOptions: readonly unknown[]): Record<string, Json> {
  const options = configOptions.filter(isRecord).filter(({ id }) => typeof id === "string");
  return Object.fromEntries(options.map(({ id, currentValue }) => [id as string, valueOf(currentValue)]));
}

/** The options of a category, by id. */
function optionsOf({ configOptions }: AgentState, category: string): string[] {
  const all: readonly unknown[] = Array.isArray(configOptions) ? configOptions : [];
  const own = all.filter(isRecord).filter((option) => option.category === category);
  return own.flatMap(({ id }) => (typeof id === "string" ? [id] : []));
}

function categoriesOf(state: AgentState, ids: readonly string[]): string[] {
  return ["mode", "model"].filter((category) => optionsOf(state, category).some((id) => ids.includes(id)));
}

/** What is larger is no value that somebody could choose, and may be nested too deep to be kept. */
const maxValueChars = 1000;

function valueOf(value: unknown): Json {
  if (typeof value !== "object" || value === null) return (value ?? null) as Json;
  return jsonTextOf(value).length <= maxValueChars ? (value as Json) : null;
}
