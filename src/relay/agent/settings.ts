/** What was chosen for a session, kept in its record: mode, model, options. */
import { isDeepStrictEqual } from "node:util";
import { categoriesOf, optionsOf, type AgentState } from "../../acp/settings.ts";
import type { Chosen, SessionSettings } from "../../store/contract.ts";

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
