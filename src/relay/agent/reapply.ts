/**
 * After an attach what was chosen for the session is chosen again: mode, model, options, in that order and until
 * nothing differs, because one may reset another, and some appear only when another is chosen.
 */
import { isDeepStrictEqual } from "node:util";
import { loggedReason, SidecarError } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import type { Json } from "../../base/json.ts";
import {
  choosableOptions,
  mayChooseMode,
  mayChooseModel,
  saidBy,
  withMode,
  withModel,
  withOptions,
  type AgentState,
} from "../../acp/settings.ts";
import type { Chosen } from "../../store/contract.ts";
import type { RelayContext } from "../context.ts";
import type { Binding } from "../live/session.ts";
import { chosenOrNone } from "./settings.ts";

/** How often one thing is chosen again that another one resets: two that reset each other would never end. */
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
  if (modeId !== undefined) {
    const mayChoose = mayChooseMode(state, modeId);
    const done = (now: AgentState) => withMode(now, modeId);
    const isBlind = mayChoose === undefined;
    const step = { key: "mode", method: "session/set_mode", params: { modeId }, done, isBlind };
    if (mayChoose ?? isSameAgent) steps.push(step);
  }
  if (modelId !== undefined) {
    const mayChoose = mayChooseModel(state, modelId);
    const done = (now: AgentState) => withModel(now, modelId);
    const isBlind = mayChoose === undefined;
    const step = { key: "model", method: "session/set_model", params: { modelId }, done, isBlind };
    if (mayChoose ?? isSameAgent) steps.push(step);
  }
  const mayChoose = choosableOptions(state);
  for (const [configId, value] of Object.entries(configOptions)) {
    const isToBeSet = mayChoose === undefined ? isSameAgent : mayChoose(configId, value);
    if (isToBeSet) steps.push(optionStep(configId, value, mayChoose === undefined));
  }
  return steps;
}

function optionStep(configId: string, value: Json, isBlind: boolean): Step {
  const done = withOptions;
  // A value that is no string needs its type beside it.
  const type = typeof value === "boolean" ? { type: "boolean" } : {};
  const params = { configId, ...type, value };
  return { key: `option ${configId}`, method: "session/set_config_option", params, done, isBlind };
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
