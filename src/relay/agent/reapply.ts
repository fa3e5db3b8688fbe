/**
 * After an attach what was chosen for the session is chosen again: mode, model, options, in that order and until
 * nothing differs, because one may reset another, and some appear only when another is chosen.
 */
import { isDeepStrictEqual } from "node:util";
import { loggedReason, SidecarError } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import { isRecord, type Json } from "../../base/json.ts";
import type { Chosen } from "../../store/contract.ts";
import type { RelayContext } from "../context.ts";
import type { AgentState, Binding } from "../live/session.ts";
import { chosenOrNone, saidBy, withMode, withModel, withOptions } from "./settings.ts";

/** How often one thing is chosen again that another one resets: two that reset each other would go on for ever. */
const maxTries = 2;

interface Reapplying {
  readonly id: SessionId;
  readonly binding: Binding;
  readonly chosen: Chosen;
  /** The agent had the session before: what it does not speak of it may know all the same. */
  readonly isSameAgent: boolean;
  /** What is left as it is: the agent died of it. */
  readonly skip: ReadonlySet<string>;
  /** What the agent says of the session, kept up to date by whoever hears it meanwhile. */
  readonly heard: { state: AgentState };
}

/** One thing that is not as it was chosen. */
interface Step {
  readonly key: string;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** What the agent says of the session when it has answered. */
  readonly done: (state: AgentState, result: unknown) => AgentState;
  /** The agent does not say what is chosen now. */
  readonly isBlind: boolean;
}

/** The agent died while something was chosen again. */
export class DiedChoosing extends Error {
  readonly key: string;

  constructor(key: string, cause: SidecarError) {
    super(cause.message, { cause });
    this.key = key;
  }
}

/** Returns what is still not as it was chosen, as far as the agent says so. Errors: `DiedChoosing`. */
export async function reapplySettings(ctx: RelayContext, work: Reapplying): Promise<Chosen | undefined> {
  const { heard, skip } = work;
  const tries = new Map<string, number>();
  const mayTry = ({ key, isBlind }: Step) =>
    !skip.has(key) && (tries.get(key) ?? 0) < (isBlind ? 1 : maxTries);
  for (let step = stepsOf(work).find(mayTry); step !== undefined; step = stepsOf(work).find(mayTry)) {
    const result = await tryToSet(ctx, work, step);
    tries.set(step.key, result === undefined ? maxTries : (tries.get(step.key) ?? 0) + 1);
    if (result !== undefined) heard.state = step.done(heard.state, result);
  }
  return owedOf(work);
}

/** What differs from what was chosen, in order; only what the agent offers, or does not speak of. */
function stepsOf({ chosen, heard: { state }, isSameAgent }: Reapplying): Step[] {
  const { modeId, modelId, configOptions = {} } = chosen;
  const steps: Step[] = [];
  const { modes, models } = state;
  if (
    modeId !== undefined &&
    mayChoose(modes, "currentModeId", "availableModes", "id", modeId, isSameAgent)
  ) {
    const done = (now: AgentState) => withMode(now, modeId);
    steps.push({
      key: "mode",
      method: "session/set_mode",
      params: { modeId },
      done,
      isBlind: !isRecord(modes),
    });
  }
  if (
    modelId !== undefined &&
    mayChoose(models, "currentModelId", "availableModels", "modelId", modelId, isSameAgent)
  ) {
    const done = (now: AgentState) => withModel(now, modelId);
    const isBlind = !isRecord(models);
    steps.push({ key: "model", method: "session/set_model", params: { modelId }, done, isBlind });
  }
  const offered = offeredBy(state);
  for (const [configId, value] of Object.entries(configOptions)) {
    const isToBeSet = offered === undefined ? isSameAgent : takes(offered.get(configId), value);
    if (isToBeSet) steps.push(optionStep(configId, value, offered === undefined));
  }
  return steps;
}

function optionStep(configId: string, value: Json, isBlind: boolean): Step {
  const done = (now: AgentState, result: unknown) =>
    isRecord(result) ? withOptions(now, result.configOptions) : now;
  // A value that is no string needs its type beside it.
  const type = typeof value === "boolean" ? { type: "boolean" } : {};
  const params = { configId, ...type, value };
  return { key: `option ${configId}`, method: "session/set_config_option", params, done, isBlind };
}

function mayChoose(
  said: unknown,
  current: string,
  available: string,
  idField: string,
  id: string,
  isSameAgent: boolean,
): boolean {
  if (!isRecord(said)) return isSameAgent;
  const all = said[available];
  const offered: readonly unknown[] = Array.isArray(all) ? all : [];
  return said[current] !== id && offered.some((each) => isRecord(each) && each[idField] === id);
}

/** The options that the agent describes, by id; undefined when it describes none. */
function offeredBy({
  configOptions,
}: AgentState): Map<unknown, Readonly<Record<string, unknown>>> | undefined {
  if (!Array.isArray(configOptions)) return undefined;
  const options: readonly unknown[] = configOptions;
  return new Map(options.filter(isRecord).map((option) => [option.id, option]));
}

/** Whether an option has another value and offers this one. */
function takes(option: Readonly<Record<string, unknown>> | undefined, value: Json): boolean {
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

/** What the agent says is otherwise than it was chosen. */
function owedOf({ chosen, heard }: Reapplying): Chosen | undefined {
  const said = saidBy(heard.state);
  const { modeId, modelId, configOptions = {} } = chosen;
  const options = Object.entries(configOptions).filter(
    ([id, value]) =>
      Object.hasOwn(said.configOptions ?? {}, id) && !isDeepStrictEqual(said.configOptions?.[id], value),
  );
  return chosenOrNone({
    ...(modeId !== undefined && (said.modeId ?? modeId) !== modeId && { modeId }),
    ...(modelId !== undefined && (said.modelId ?? modelId) !== modelId && { modelId }),
    configOptions: Object.fromEntries(options),
  });
}

/** The agent's answer, or undefined when it refused: a session without its old mode is better than none. */
async function tryToSet(ctx: RelayContext, { id, binding }: Reapplying, step: Step): Promise<unknown> {
  const { method, params, key } = step;
  const { run, agentSessionId } = binding;
  try {
    return (await run.agent.request(method, { sessionId: agentSessionId, ...params })) ?? {};
  } catch (error) {
    ctx.log.warn(
      { sessionId: id, method, error: loggedReason(error, ctx.log) },
      "a setting could not be chosen again",
    );
    if (error instanceof SidecarError) throw new DiedChoosing(key, error);
    return undefined;
  }
}
