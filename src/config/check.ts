/** Given values checked by the schemas: loaded only when there are any. */
import { SidecarError } from "../base/errors.ts";
import { holdsToken } from "../base/token-form.ts";
import { redact, redactUrls } from "../base/redact.ts";
import { briefly, visibleLine } from "../base/visible.ts";
import type { AgentCommand } from "./config.ts";
import type { Given, GivenValues } from "./given.ts";
import { checkStructure } from "./check-structures.ts";
import { isStructureName, type Structures } from "./structures.ts";
import { allowedBy } from "./allowed.ts";
import { options, type OptionName, type Settings } from "./options.ts";
import { agentSchema, optionSchema } from "./schema.ts";
import { unitWanted } from "./units.ts";

/** Errors: `CONFIG_INVALID` for the first value that is not allowed. */
export function checkValues(given: GivenValues): Settings & Structures & { agent?: AgentCommand } {
  const checked = [...given].map(([name, value]) => {
    if (name === "agent") return [name, checkAgent(value)];
    return [name, isStructureName(name) ? checkStructure(name, value) : checkOption(name, value)];
  });
  return Object.fromEntries(checked) as ReturnType<typeof checkValues>;
}

function checkOption(name: OptionName, { value, label }: Given): unknown {
  if (holdsToken(value)) throw tokenShown(name, label);
  const result = optionSchema(name).safeParse(value);
  if (result.success) return result.data;
  const { kind } = options[name];
  const layer = kind.type === "url" && Array.isArray(value) ? wrongLayer(name, value) : undefined;
  const isTime = kind.type === "duration" || kind.type === "optionalDuration";
  const unit = isTime ? unitWanted(value) : undefined;
  const said = kind.type === "url" ? withoutPassword(value) : value;
  // Who gives the key itself, and not its place, finds it in no log.
  const isSecret = kind.type === "key" || kind.type === "keys";
  const what = isSecret
    ? `${label} does not say where the key or token is`
    : `${label} is ${shown(said)}${unit === undefined ? "" : `, but ${unit}`}`;
  const wrong = layer === undefined ? what : `${label}, ${layer}`;
  throw new SidecarError("CONFIG_INVALID", `${wrong}; allowed: ${allowedBy(kind)}`, {
    data: { option: name },
  });
}

/** Arguments show in lists of processes, and a configuration is read by many. */
function tokenShown(name: OptionName, label: string): SidecarError {
  return new SidecarError(
    "CONFIG_INVALID",
    `${label} holds a token, which others can see there; allowed: --token with file:PATH, env:NAME or command:PROGRAM, and none in a URL`,
    { data: { option: name } },
  );
}

/** The first of the layers that is no URL; none when there are too few. */
function wrongLayer(name: OptionName, layers: readonly unknown[]): string | undefined {
  const isUrl = (each: unknown) => typeof each === "string" && optionSchema(name).safeParse(each).success;
  const at = layers.findIndex((each) => !isUrl(each));
  return at < 0 ? undefined : `layer ${at + 1}, is ${shown(withoutPasswordIn(layers[at]))}`;
}

/** The value is not shown: arguments and environment may hold secrets. */
function checkAgent({ value, label }: Given): AgentCommand {
  const result = agentSchema.safeParse(value);
  if (result.success) {
    const { command, args = [], env } = result.data;
    return { command, args, ...(env === undefined ? {} : { env }) };
  }
  const where = result.error.issues[0]?.path.join(".") ?? "";
  throw new SidecarError(
    "CONFIG_INVALID",
    `${label}${where === "" ? " is wrong" : ` is wrong at ${where}`}; allowed: a command, with a list of arguments and an object of environment variables`,
    { data: { option: "agent" } },
  );
}

/** What is no URL may have been meant as one, with a password where none is looked for. */
function withoutPassword(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each: unknown) => withoutPasswordIn(each));
  return withoutPasswordIn(value);
}

function withoutPasswordIn(value: unknown): unknown {
  if (typeof value !== "string") return value;
  const at = value.lastIndexOf("@");
  return at < 0 || redactUrls(value) !== value ? value : `***${value.slice(at)}`;
}

function shown(value: unknown): string {
  return briefly(visibleLine(JSON.stringify(redact(value)) ?? String(value)));
}
