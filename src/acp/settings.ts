/** Modes, models, options and titles as agents and their updates spell them. */
import { isDeepStrictEqual } from "node:util";
import { jsonTextOf } from "../base/json-text.ts";
import { isRecord, type Json } from "../base/json.ts";
import type { Chosen } from "../store/contract.ts";
import type { UpdateData } from "./kinds.ts";

/** What an agent says of a session when it takes it up: modes, options, fields that we do not know. */
export type AgentState = Readonly<Record<string, unknown>>;

type Update = UpdateData["update"];
type Fields = Readonly<Record<string, unknown>>;

const modeKind = "current_mode_update";
const optionsKind = "config_option_update";

/** Whether updates of this kind say what is chosen. */
export function isOfSettings(kind: string): boolean {
  return kind === modeKind || kind === optionsKind;
}

export function modeUpdate(modeId: string): Update {
  return { sessionUpdate: modeKind, currentModeId: modeId };
}

export function optionsUpdate({ configOptions }: AgentState): Update {
  return { sessionUpdate: optionsKind, configOptions };
}

/** The kinds of update that say the same as this choice. */
export function kindsOf({ modeId, configOptions }: Chosen): string[] {
  return [...(modeId === undefined ? [] : [modeKind]), ...(configOptions === undefined ? [] : [optionsKind])];
}

/** What an update says is chosen; undefined if it is about something else. */
export function chosenBy({ sessionUpdate, currentModeId, configOptions }: Update): Chosen | undefined {
  if (sessionUpdate === modeKind && typeof currentModeId === "string") return { modeId: currentModeId };
  return sessionUpdate === optionsKind ? optionsIn({ configOptions }) : undefined;
}

/** The title that an update gives; null where it takes it away, undefined where it leaves it. */
export function titleIn({ sessionUpdate, title }: Update): string | null | undefined {
  const isGiven = sessionUpdate === "session_info_update" && (typeof title === "string" || title === null);
  return isGiven ? title : undefined;
}

/** The options that something describes; undefined if it describes none. */
export function optionsIn(described: unknown): Pick<Chosen, "configOptions"> | undefined {
  const options = isRecord(described) ? described.configOptions : undefined;
  return Array.isArray(options) ? { configOptions: valuesOf(options) } : undefined;
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
export function withOptions(state: AgentState, described: unknown): AgentState {
  const configOptions = isRecord(described) ? described.configOptions : undefined;
  return Array.isArray(configOptions) ? { ...state, configOptions: configOptions as unknown } : state;
}

/** With what an update says of mode or options. */
export function withUpdate(state: AgentState, update: UpdateData["update"]): AgentState {
  const { sessionUpdate, currentModeId, configOptions } = update;
  if (sessionUpdate === modeKind && typeof currentModeId === "string") return withMode(state, currentModeId);
  return sessionUpdate === optionsKind ? withOptions(state, { configOptions }) : state;
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
  return [...(isRecord(modes) ? [modeKind] : []), ...(Array.isArray(configOptions) ? [optionsKind] : [])];
}

/** A journaled update of that kind with what is now; any other as it is. */
export function asAnswered(state: AgentState, kind: string, data: string): string {
  if (!answeredKinds(state).includes(kind)) return data;
  const { modes, configOptions } = state;
  const now =
    isRecord(modes) && kind === modeKind ? { currentModeId: modes.currentModeId } : { configOptions };
  const params = JSON.parse(data) as UpdateData;
  return jsonTextOf({ ...params, update: { ...params.update, ...now } });
}

/** Current value by option id, of options as the agent describes them. */
function valuesOf(configOptions: readonly unknown[]): Record<string, Json> {
  const options = configOptions.filter(isRecord).filter(({ id }) => typeof id === "string");
  return Object.fromEntries(options.map(({ id, currentValue }) => [id as string, valueOf(currentValue)]));
}

/** The options of a category, by id. */
export function optionsOf({ configOptions }: AgentState, category: string): string[] {
  const all: readonly unknown[] = Array.isArray(configOptions) ? configOptions : [];
  const own = all.filter(isRecord).filter((option) => option.category === category);
  return own.flatMap(({ id }) => (typeof id === "string" ? [id] : []));
}

/** The categories that have names of their own, as far as these options are of one. */
export function categoriesOf(state: AgentState, ids: readonly string[]): string[] {
  return ["mode", "model"].filter((category) => optionsOf(state, category).some((id) => ids.includes(id)));
}

/** Whether the agent offers this mode and is in another one; undefined when it does not speak of modes. */
export function mayChooseMode({ modes }: AgentState, id: string): boolean | undefined {
  return mayChoose(modes, ["currentModeId", "availableModes", "id"], id);
}

/** The same for models (`session/set_model`, of agents from before config options). */
export function mayChooseModel({ models }: AgentState, id: string): boolean | undefined {
  return mayChoose(models, ["currentModelId", "availableModels", "modelId"], id);
}

function mayChoose(
  said: unknown,
  [current, available, idField]: readonly [string, string, string],
  id: string,
): boolean | undefined {
  if (!isRecord(said)) return undefined;
  const all = said[available];
  const offered: readonly unknown[] = Array.isArray(all) ? all : [];
  return said[current] !== id && offered.some((each) => isRecord(each) && each[idField] === id);
}

/** Which value of which option may be chosen: it offers the value and has another one. Undefined as above. */
export function choosableOptions({
  configOptions,
}: AgentState): ((id: string, value: Json) => boolean) | undefined {
  if (!Array.isArray(configOptions)) return undefined;
  const all: readonly unknown[] = configOptions;
  const offered = new Map(all.filter(isRecord).map((option) => [option.id, option]));
  return (id, value) => takes(offered.get(id), value);
}

/** Whether an option has another value and offers this one. */
function takes(option: Fields | undefined, value: Json): boolean {
  if (option === undefined || isDeepStrictEqual(option.currentValue ?? null, value)) return false;
  if (!Array.isArray(option.options)) return true;
  const offered: readonly unknown[] = option.options;
  const values = offered.filter(isRecord).flatMap((each) => {
    // Values may stand in groups.
    const group: readonly unknown[] = Array.isArray(each.options) ? each.options : [each];
    return group.filter(isRecord).map((inner) => inner.value);
  });
  return values.includes(value);
}

/** What is larger is no value that somebody could choose, and may be nested too deep to be kept. */
const maxValueChars = 1000;

function valueOf(value: unknown): Json {
  if (typeof value !== "object" || value === null) return (value ?? null) as Json;
  return jsonTextOf(value).length <= maxValueChars ? (value as Json) : null;
}
