/** `config init` and `config path`: the configuration file, written for people. */
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { reasonOf, SidecarError, systemCodeOf } from "../base/errors.ts";
import { configFileFor } from "../config/file.ts";
import { configVariable, loadConfig } from "../config/load.ts";
import { allowedBy } from "../config/allowed.ts";
import type { Option } from "../config/option-kinds.ts";
import { optionNames, options, type OptionName } from "../config/options.ts";
import { figureUnits } from "../config/condition.ts";
import { defaultStoreUrl, surroundings } from "../config/paths.ts";
import { hookEvents, structureNames, type StructureName } from "../config/structures.ts";
import type { Invocation, Io } from "./command.ts";
import { defaultOf } from "./option-text.ts";
import { print } from "./print.ts";
import { wrapped } from "./wrap.ts";

export async function printConfigPath(invocation: Invocation, io: Io): Promise<number> {
  await print(io, `${placeOf(invocation, io)}\n`);
  return 0;
}

/** Errors: `CONFIG_INVALID` for values that are not allowed, and where a file is there already. */
export async function initConfig(invocation: Invocation, io: Io): Promise<number> {
  const file = placeOf(invocation, io);
  // Only what is given is checked, and nothing from a file or the environment.
  const at = { env: {}, platform: process.platform };
  await loadConfig({ flags: { store: "memory:", ...invocation.settings }, surroundings: at });
  writeNew(file, fileText(invocation, io), invocation.flags["force"] === true);
  await print(io, `${file}\n`);
  return 0;
}

function placeOf({ configFile }: Invocation, io: Io): string {
  const file = configFileFor(configFile ?? io.env[configVariable], surroundings(io.env));
  if (file !== undefined) return file;
  throw new SidecarError(
    "CONFIG_INVALID",
    "No home directory is known; allowed: set HOME, or name a file with --config",
  );
}

function writeNew(file: string, text: string, force: boolean): void {
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    // A store's URL may hold a password.
    fs.writeFileSync(file, text, { mode: 0o600, flag: force ? "w" : "wx" });
  } catch (error) {
    const problem =
      systemCodeOf(error) === "EEXIST"
        ? `${file} is there already; edit it, or write a new one with --force`
        : `${file} cannot be written (${reasonOf(error)}); name another one with --config`;
    throw new SidecarError("CONFIG_INVALID", problem, { cause: error });
  }
}

function fileText({ settings, agent }: Invocation, io: Io): string {
  const [command, ...args] = agent;
  const lines = optionNames.flatMap((name) => {
    const { kind, help }: Option = options[name];
    const given = settings[name];
    const value = given ?? exampleOf(name, io);
    return ["", ...comment(`${help}: ${allowedBy(kind)}`), entry(name, value, given !== undefined)];
  });
  const example = { command: "opencode", args: ["acp"] };
  const agentLines = [
    "",
    ...comment("the program that answers prompts, where none stands after --; it may have an env, too"),
    entry("agent", command === undefined ? example : { command, args }, command !== undefined),
  ];
  const structures = structureNames.flatMap((name) => [
    "",
    ...comment(structureHelp[name].help),
    entry(name, structureHelp[name].example, false),
  ]);
  const head = [
    "// Configuration of acp-sidecar. Remove the // before a line to set that option.",
    "// Flags and ACP_SIDECAR_… variables override this file; acp-sidecar config prints what is in force.",
  ];
  return `${[...head, "{", ...schemaLine(io), ...agentLines, ...lines, ...structures, "}"].join("\n")}\n`;
}

function entry(name: string, value: unknown, counts: boolean): string {
  return `  ${counts ? "" : "// "}${JSON.stringify(name)}: ${JSON.stringify(value)},`;
}

function comment(text: string): string[] {
  return wrapped(text, 100).map((line) => `  // ${line}`);
}

/** Of options that have no default. */
const places: Partial<Record<OptionName, string>> = {
  auditFile: "/var/log/acp-sidecar-audit.jsonl",
  logFile: "/var/log/acp-sidecar.log",
  encryptionKey: "file:/etc/acp-sidecar/key",
  previousKeys: "file:/etc/acp-sidecar/key.old",
  token: "file:/etc/acp-sidecar/token",
  auditSigningKey: "file:/etc/acp-sidecar/signing.pem",
  identity: "ann",
  admins: "root@example.com",
};

const structureHelp: Readonly<Record<StructureName, { readonly help: string; readonly example: unknown }>> = {
  hooks: {
    help: `who is told what happens, a program on its stdin or an address by POST: ${hookEvents.join(", ")}`,
    example: [{ on: ["turn.ended", "permission.asked"], run: ["notify-me"], content: false }],
  },
  alerts: {
    help: `who is told that something is wrong, and that it is over: ${Object.keys(figureUnits).join(", ")}`,
    example: [{ when: "disk.free < 1GiB", post: "https://example.com/alerts" }],
  },
  backup: {
    help: "where upkeep copies the store to, how often, and how many copies stay; the time stands in their names",
    example: { to: "sqlite:/backups/sessions.db", every: "1d", keep: 7 },
  },
};

/** Its default, or one of what it may be. */
function exampleOf(name: OptionName, io: Io): string {
  if (name === "store") return defaultStoreUrl(surroundings(io.env));
  return defaultOf(options[name]) ?? places[name] ?? "";
}

/** Editors complete and check by it. */
function schemaLine({ binary }: Io): string[] {
  const schema = path.join(path.dirname(binary), "..", "schemas", "config.json");
  return fs.existsSync(schema) ? [entry("$schema", pathToFileURL(schema).href, true)] : [];
}
