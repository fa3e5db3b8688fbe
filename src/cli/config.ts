/** `config`: what is in force and where it comes from, secrets left out. */
import { auditFileOf } from "../audit/open.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { OptionKind } from "../config/option-kinds.ts";
import { optionNames, options, valueIn, type OptionName } from "../config/options.ts";
import { structureNames } from "../config/structures.ts";
import { formatBytes, formatDurationMs } from "../config/units.ts";
import { redactStoreUrl } from "../base/redact.ts";
import { agentText } from "./agent-text.ts";
import type { Invocation, Io } from "./command.ts";
import { configOf } from "./configured.ts";
import { printJson } from "./print.ts";
import { structureText } from "./structure-text.ts";
import { printTable } from "./table.ts";

export async function printConfig(invocation: Invocation, io: Io): Promise<number> {
  const loaded = await configOf(invocation, io);
  const rows = rowsOf(loaded, io);
  if (invocation.flags["json"]) {
    const values = Object.fromEntries(rows.map(({ name, value, origin }) => [name, { value, origin }]));
    await printJson(io, { file: loaded.file ?? null, options: values });
  } else {
    await printTable(
      io,
      ["OPTION", "VALUE", "FROM"],
      rows.map(({ name, text, origin }) => [name, text, origin]),
    );
  }
  return 0;
}

interface Row {
  readonly name: string;
  readonly value: unknown;
  readonly text: string;
  readonly origin: string;
}

function rowsOf({ config, origins }: LoadedConfig, io: Io): Row[] {
  const rows = optionNames.map((name): Row => {
    const value = valueOf(config, name, io);
    return { name, origin: origins[name], ...shownAs(options[name].kind, value) };
  });
  const { agent } = config;
  const structures = structureNames.map((name): Row => {
    const text = structureText(config, name);
    return { name, value: text, text, origin: origins[name] };
  });
  return [
    ...rows,
    { name: "agent", value: agent?.command ?? "echo", text: agentText(agent), origin: origins.agent },
    ...structures,
  ];
}

function valueOf(config: LoadedConfig["config"], name: OptionName, { env }: Pick<Io, "env">) {
  if (name === "store") return redactStoreUrl(config.store);
  return name === "auditFile" ? auditFileOf(config, env) : valueIn(config, name);
}

function shownAs({ type }: OptionKind, value: ReturnType<typeof valueIn>): Pick<Row, "value" | "text"> {
  if (value === undefined)
    return type === "path" ? { value: null, text: "stderr" } : { value: "off", text: "off" };
  const isTime = type === "duration" || type === "optionalDuration";
  if (type === "optionalDuration" && value === 0) return { value: "off", text: "off" };
  if (isTime) return { value, text: formatDurationMs(Number(value)) };
  if (type === "key" || type === "keys") return shownKeys([value].flat().map(String), type);
  return { value, text: type === "size" ? formatBytes(Number(value)) : String(value) };
}

/** Arguments of a command that prints a key may be secret. */
function shownKeys(sources: readonly string[], type: "key" | "keys"): Pick<Row, "value" | "text"> {
  const shown = sources.map((source) => source.replace(/^(command:\s*\S+)\s.*$/s, "$1 …"));
  return { value: type === "key" ? (shown[0] ?? null) : shown, text: shown.join(", ") };
}
