/** From the words of a command line to a command and what it was given. */
import { parseArgs } from "node:util";
import { flagOf, optionNames } from "../config/options.ts";
import { SidecarError } from "../base/errors.ts";
import type { Command, Invocation } from "./command.ts";
import { commands, serveCommand } from "./commands.ts";

export type Parsed =
  | { readonly kind: "run"; readonly command: Command; readonly invocation: Invocation }
  /** Without a topic: the overview. */
  | { readonly kind: "help"; readonly topic: string }
  | { readonly kind: "version" };

const settingFlags = new Map(optionNames.map((name) => [flagOf(name), name]));
const commandFlags = new Map(
  commands.flatMap(({ flags }) => flags.map(({ name, value }) => [name, value !== undefined] as const)),
);
const takesValue = (name: string) => name === "config" || settingFlags.has(name) || commandFlags.get(name);

const parserOptions = {
  ...Object.fromEntries(
    ["config", ...settingFlags.keys(), ...commandFlags.keys()].map((name) => [
      name,
      { type: takesValue(name) ? ("string" as const) : ("boolean" as const) },
    ]),
  ),
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "V" },
} as const;

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
    return { kind: "help", topic: named.filter((word) => word !== "help").join(" ") };
  }
  const command = commandOf(named);
  const rest = places.slice(named.length === 0 ? 0 : command.name.split(" ").length);
  const [first] = rest;
  if (command.operands === "agent" && first !== undefined) {
    // The agent's own flags begin with its name, whether `--` stands before it or not.
    return run(command, tokensOf(words.slice(0, first.index)), [], argv.slice(first.index));
  }
  if (command.operands !== "agent" && dashes >= 0) throw usage(command, "takes no agent's command after --");
  return run(
    command,
    tokens,
    rest.map((token) => token.value),
    after,
  );
}

type Token = ReturnType<typeof tokensOf>[number];

function tokensOf(words: readonly string[]) {
  return parseArgs({ args: [...words], options: parserOptions, strict: false, tokens: true }).tokens;
}

function has(tokens: readonly Token[], name: string): boolean {
  return tokens.some((token) => token.kind === "option" && token.name === name);
}

function commandOf(words: readonly string[]): Command {
  const [first, second] = words;
  if (first === undefined) return serveCommand;
  const found = commands.find(({ name }) => name === first || name === `${first} ${second}`);
  if (found !== undefined) return found;
  const parts = commands.filter(({ name }) => name.startsWith(`${first} `));
  if (parts.length > 0) {
    const allowed = parts.map(({ name }) => name.slice(first.length + 1)).join(", ");
    throw new SidecarError(
      "USAGE",
      `"${[first, second].join(" ").trim()}" is not a command; allowed after ${first}: ${allowed}`,
    );
  }
  const allowed = [...new Set(commands.map(({ name }) => name.split(" ")[0]))].join(", ");
  throw new SidecarError(
    "USAGE",
    `"${first}" is not a command; allowed: ${allowed}; an agent's command stands after --`,
  );
}

function run(command: Command, tokens: readonly Token[], operands: string[], agent: string[]): Parsed {
  const settings: Record<string, string> = {};
  const flags: Record<string, string | true> = {};
  let configFile: string | undefined;
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const value = checkedValue(command, token);
    const setting = settingFlags.get(token.name);
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
  if (!takesValue(name)) {
    if (value !== undefined)
      throw usage(command, `takes ${rawName} without a value, not ${rawName}=${value}`);
    return true;
  }
  if (value === undefined || value === "" || (!inlineValue && value.startsWith("-"))) {
    throw usage(command, `needs a value for ${rawName}${value ? `, not ${value}` : ""}`);
  }
  return value;
}

function unknownFlag({ name, flags }: Command, given: string): SidecarError {
  const allowed = [...flags.map((flag) => flag.name), ...settingFlags.keys(), "config", "help", "version"];
  return new SidecarError(
    "USAGE",
    `${name} has no flag ${given}; allowed: ${allowed.map((flag) => `--${flag}`).join(", ")}`,
  );
}

function checkOperands({ operands, ...command }: Command, given: readonly string[]): void {
  const { min, max } = operands === "agent" ? { min: 0, max: 0 } : operands;
  if (given.length < min) throw usage(command, `needs ${command.synopsis.split(" ")[0]}`);
  if (given.length > max) throw usage(command, `takes no "${given[max]}"`);
}

function usage({ name }: Pick<Command, "name">, problem: string): SidecarError {
  return new SidecarError("USAGE", `${name} ${problem}; see: acp-sidecar ${name} --help`);
}
