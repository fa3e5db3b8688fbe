/** The configuration in force: defaults < file < environment < flags, and where each value came from. */
import path from "node:path";
import { SidecarError } from "../base/errors.ts";
import { suggestion } from "../base/likeness.ts";
import type { Config } from "./config.ts";
import { readConfigFile } from "./file.ts";
import type { GivenName, GivenValues, Origin } from "./given.ts";
import { configOf, flagOf, optionNames, variableOf, type OptionName, type Settings } from "./options.ts";
import { defaultStoreUrl, placed, placedStore, surroundings, type Surroundings } from "./paths.ts";
import { structureNames, type Structures } from "./structures.ts";

export interface LoadedConfig {
  readonly config: Config;
  readonly origins: Readonly<Record<GivenName, Origin>>;
  /** The file that was read. */
  readonly file?: string;
}

export interface ConfigSources {
  /** Texts by option, from the command line. */
  readonly flags: Readonly<Partial<Record<OptionName, string>>>;
  /** `--config`: this file must exist. */
  readonly file?: string | undefined;
  /** Command and arguments after `--`. */
  readonly agent?: readonly string[] | undefined;
  readonly surroundings?: Surroundings;
}

/** Errors: `CONFIG_INVALID`, one line that names the value, where it stands and what is allowed. */
export async function loadConfig(sources: ConfigSources): Promise<LoadedConfig> {
  const at = sources.surroundings ?? surroundings();
  const given: GivenValues = new Map();
  const file = readConfigFile(sources.file ?? at.env[configVariable], at, given);
  fromEnvironment(at.env, given);
  fromFlags(sources, given);
  // Nothing given, nothing to check: an editor that waits for us is spared loading zod.
  const checked = given.size === 0 ? {} : (await import("./check.ts")).checkValues(given);
  const { agent, hooks, alerts, backup, ...values } = checked;
  const placing = (name: GivenName) => {
    const isInFile = given.get(name)?.origin.startsWith("file ") === true;
    return { at, base: isInFile && file !== undefined ? path.dirname(file) : undefined };
  };
  const settings = placedIn(values, placing);
  const { base } = placing("backup");
  const structures: Structures = {
    ...(hooks && { hooks }),
    ...(alerts && { alerts }),
    ...(backup && { backup: { ...backup, to: placedStore(backup.to, at, base) } }),
  };
  return {
    config: deepFreeze({ ...configOf(settings, agent), ...structures, store: settings.store }),
    origins: Object.fromEntries(
      [...optionNames, "agent" as const, ...structureNames].map((name) => [
        name,
        given.get(name)?.origin ?? "default",
      ]),
    ) as Record<GivenName, Origin>,
    ...(file === undefined ? {} : { file }),
  };
}

interface Placing {
  readonly at: Surroundings;
  readonly base: string | undefined;
}

/** The values with every path where it was meant. */
function placedIn(
  values: Settings,
  placing: (name: OptionName) => Placing,
): Settings & { readonly store: string } {
  const [store, log, audit] = [placing("store"), placing("logFile"), placing("auditFile")];
  const { encryptionKey, previousKeys, token, auditSigningKey } = values;
  return {
    ...values,
    store:
      values.store === undefined
        ? defaultStoreUrl(store.at)
        : placedStore(values.store, store.at, store.base),
    ...(values.logFile !== undefined && { logFile: placed(values.logFile, log.at, log.base) }),
    ...(values.auditFile !== undefined && { auditFile: placed(values.auditFile, audit.at, audit.base) }),
    ...(encryptionKey !== undefined && { encryptionKey: placedKey(encryptionKey, placing("encryptionKey")) }),
    ...(token !== undefined && { token: placedKey(token, placing("token")) }),
    ...(auditSigningKey !== undefined && {
      auditSigningKey: placedKey(auditSigningKey, placing("auditSigningKey")),
    }),
    ...(previousKeys !== undefined && {
      previousKeys: previousKeys.map((source) => placedKey(source, placing("previousKeys"))),
    }),
  };
}

/** The file of a key, where it was meant. */
function placedKey(source: string, { at, base }: Placing): string {
  return source.startsWith("file:") ? `file:${placed(source.slice("file:".length), at, base)}` : source;
}

const prefix = "ACP_SIDECAR_";
export const configVariable = `${prefix}CONFIG`;

function fromEnvironment(env: Surroundings["env"], given: GivenValues): void {
  const names = new Map<string, OptionName | "agent">(
    [...optionNames, "agent" as const].map((name) => [variableOf(name), name]),
  );
  for (const [variable, value] of Object.entries(env)) {
    // An empty variable is an unset one, as everywhere in a shell.
    if (!variable.startsWith(prefix) || variable === configVariable || !value) continue;
    const name = names.get(variable);
    if (name === undefined) {
      const known = [...names.keys(), configVariable];
      const meant = suggestion(variable, known) || `; allowed: ${known.join(", ")}`;
      throw new SidecarError("CONFIG_INVALID", `Environment variable ${variable} is not an option${meant}`);
    }
    given.set(name, {
      value: name === "agent" ? words(value) : value,
      origin: `environment ${variable}`,
      label: variable,
    });
  }
}

/** `["my agent", "acp"]` or `opencode acp`. What is no JSON array is split at spaces. */
function words(text: string): unknown {
  let list: unknown = text.trim().split(/\s+/);
  if (text.trimStart().startsWith("[")) {
    try {
      list = JSON.parse(text);
    } catch {
      return undefined;
    }
  }
  return Array.isArray(list) ? { command: list[0] as unknown, args: list.slice(1) as unknown[] } : undefined;
}

function fromFlags({ flags, agent }: ConfigSources, given: GivenValues): void {
  for (const name of optionNames) {
    const value = flags[name];
    const label = `--${flagOf(name)}`;
    if (value !== undefined) given.set(name, { value, origin: `flag ${label}`, label });
  }
  const [command, ...args] = agent ?? [];
  if (command !== undefined) {
    given.set("agent", { value: { command, args }, origin: "command line", label: "The agent's command" });
  }
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) {
    if (typeof part === "object" && part !== null) deepFreeze(part as object);
  }
  return Object.freeze(value);
}
