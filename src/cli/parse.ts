/** From the words of a command line to a command and what it was given. */
import { parseArgs } from "node:util";
import { flagOf, optionNames } from "../config/options.ts";
import { SidecarError } from "../base/errors.ts";
import { meantBy } from "../base/likeness.ts";
import type { Command, Invocation } from "./command.ts";
import { commands, serveCommand } from "./commands.ts";
import { commandAt, firstWords, namesWith, plainWords, secondWords } from "./names.ts";

export type Parsed =
  | { readonly kind: "run"; readonly command: Command; readonly invocation: Invocation }
  /** Without a topic: the overview. `all`: with every option of the configuration. */
  | { readonly kind: "help"; readonly topic: readonly string[]; readonly all: boolean }
  | { readonly kind: "version" };

const settingFlags = new Map(optionNames.map((name) => [flagOf(name), name]));
const commandFlags = new Map(
  commands.flatMap(({ flags }) => flags.map(({ name, value }) => [name, value !== undefined] as const)),
);

/** A command's own flag goes before an option of the same name. */
function takesValue(name: string, command?: Command): boolean {
  const own = command?.flags.find((flag) => flag.name === name);
  if (own !== undefined) return own.value !== undefined;
  return name === "config" || settingFlags.has(name) || commandFlags.get(name) === true;
}

const parserOptions = optionsFor();

function optionsFor(command?: Command) {
  const type = (name: string) => (takesValue(name, command) ? ("string" as const) : ("boolean" as const));
  const names = ["config", ...settingFlags.keys(), ...commandFlags.keys()];
  return {
    ...Object.fromEntries(names.map((name) => [name, { type: type(name) }])),
    help: { type: "boolean", short: "h" },
    all: { type: "boolean" },
    version: { type: "boolean", short: "V" },
  } as const;
}

/** Errors: `USAGE`, one line that names the word that is wrong and what is allowed. */
export function parseCommandLine(argv: readonly string[]): Parsed {
  const dashes = argv.indexOf("--");
  const words = dashes < 0 ? argv : argv.slice(0, dashes);
  const after = dashes < 0 ? [] : argv.slice(dashes + 1);
  const tokens = tokensOf(words);
  const places = tokens.filter((token) => token.kind === "positional");
  const named = places.map((token) => token.value);
  if (has(tokens, "version")) return { kind: "version" };
  if (has(tokens, "help") || named[0] === "help") {
    return {
      kind: "help",
      topic: named[0] === "help" ? named.slice(1) : named,
      all: has(tokens, "all"),
    };
  }
  const { command, used } = commandOf(named, tokens);
  const own = tokensOf(words, command);
  const rest = own.filter((token) => token.kind === "positional").slice(used);
  const [first] = rest;
  if (command.operands === "agent" && first !== undefined) {
    // The agent's own flags begin with its name, whether `--` stands before it or not.
    return run(command, tokensOf(words.slice(0, first.index), command), [], argv.slice(first.index));
  }
  const takesAgent = typeof command.operands === "string" || command.operands.agent === true;
  const operands = rest.map((token) => token.value);
  if (takesAgent || dashes < 0) return run(command, own, operands, after);
  // For a query or a title that begins with a dash.
  if (operands.length >= mostOperands(command)) throw usage(command, "takes no agent's command after --");
  return run(command, own, [...operands, ...after], []);
}

type Token = ReturnType<typeof tokensOf>[number];

function tokensOf(words: readonly string[], command?: Command) {
  const options = command === undefined ? parserOptions : optionsFor(command);
  return parseArgs({ args: [...words], options, strict: false, tokens: true }).tokens;
}

function has(tokens: readonly Token[], name: string): boolean {
  return tokens.some((token) => token.kind === "option" && token.name === name);
}

/** Errors: `USAGE`. */
function commandOf(
  words: readonly string[],
  tokens: readonly Token[],
): { readonly command: Command; readonly used: number } {
  const [first, second] = plainWords(words);
  if (first === undefined) return { command: serveCommand, used: 0 };
  const found = commandAt(words);
  const parts = secondWords(first);
  // A word after the name of a group is one of its commands, or a mistake.
  const isStray = found?.used === 1 && parts.length > 0 && second !== undefined;
  if (found !== undefined && !isStray) return found;
  // The value of a mistyped flag looks like a command.
  const flag = tokens.find((token) => token.kind === "option" && !(token.name in parserOptions));
  if (flag?.kind === "option") throw unknownFlag(found?.command ?? serveCommand, flag.rawName);
  if (parts.length > 0) throw notACommand([first, second], second, parts);
  throw notACommand([first], first, firstWords(), "; an agent's command stands after --");
}

function notACommand(
  words: readonly (string | undefined)[],
  wrong = "",
  allowed: readonly string[],
  hint = "",
): SidecarError {
  const before = words.slice(0, -1).join(" ");
  // Of `rm` alone the group is missing.
  const meant = (before === "" ? namesWith(wrong)[0] : undefined) ?? meantBy(wrong, allowed);
  const help =
    meant === undefined
      ? `; allowed${before && ` after ${before}`}: ${allowed.join(", ")}${hint}`
      : `; did you mean ${[before, meant].join(" ").trim()}?`;
  return new SidecarError("USAGE", `"${words.join(" ").trim()}" is not a command${help}`);
}

function run(command: Command, tokens: readonly Token[], operands: string[], agent: string[]): Parsed {
  const settings: Record<string, string> = {};
  const flags: Record<string, string | true> = {};
  let configFile: string | undefined;
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const value = checkedValue(command, token);
    const isOwn = command.flags.some(({ name }) => name === token.name);
    const setting = isOwn ? undefined : settingFlags.get(token.name);
    if (token.name === "config") configFile = String(value);
    else if (setting !== undefined) settings[setting] = String(value);
    else flags[token.name] = value;
  }
  checkOperands(command, operands);
  return { kind: "run", command, invocation: { settings, configFile, flags, operands, agent } };
}

function checkedValue(command: Command, token: Token & { kind: "option" }): string | true {
  const { name, rawName, value, inlineValue } = token;
  const isKnown =
    name === "config" || settingFlags.has(name) || command.flags.some((flag) => flag.name === name);
  if (!isKnown) throw unknownFlag(command, rawName);
  if (!takesValue(name, command)) {
    if (value !== undefined)
      throw usage(command, `takes ${rawName} without a value, not ${rawName}=${value}`);
    return true;
  }
  if (value === undefined || value === "" || (!inlineValue && value.startsWith("-"))) {
    throw usage(command, `needs a value for ${rawName}${value ? `, not ${value}` : ""}`);
  }
  return value;
}

/** All options would be a long list; the help has them. */
function unknownFlag({ name, flags }: Command, given: string): SidecarError {
  const own = flags.map((flag) => `--${flag.name}`);
  const all = [...own, ...Array.from(settingFlags.keys(), (flag) => `--${flag}`), "--config", "--help"];
  const meant = meantBy(given, [...all, "--version"]);
  const help =
    meant === undefined
      ? `allowed: ${[...own, "--store", "--config"].join(", ")}; all: acp-sidecar ${name} --help --all`
      : `did you mean ${meant}?`;
  return new SidecarError("USAGE", `${name} has no flag ${given}; ${help}`);
}

function mostOperands({ operands }: Command): number {
  return typeof operands === "string" ? 0 : operands.max;
}

function checkOperands({ operands, ...command }: Command, given: readonly string[]): void {
  const { min, max, oneOf } = typeof operands === "string" ? { min: 0, max: 0 } : operands;
  if (given.length < min) throw usage(command, `needs ${command.synopsis.split(" ")[given.length]}`);
  if (given.length > max) throw usage(command, `takes no "${given[max]}"`);
  const wrong = given.find((word) => oneOf?.includes(word) === false);
  if (wrong === undefined || oneOf === undefined) return;
  const meant = meantBy(wrong, oneOf);
  throw usage(
    command,
    `takes no "${wrong}"; ${meant === undefined ? `allowed: ${oneOf.join(", ")}` : `did you mean ${meant}?`}`,
  );
}

function usage({ name }: Pick<Command, "name">, problem: string): SidecarError {
  return new SidecarError("USAGE", `${name} ${problem}; see: acp-sidecar ${name} --help`);
}
