/** `config`: what is in force and where it comes from, secrets left out. */
import type { AgentCommand, Config } from "../config/config.ts";
import type { LoadedConfig } from "../config/load.ts";
import { formatBytes, formatDurationMs } from "../config/units.ts";
import { redactStoreUrl } from "../base/redact.ts";
import type { Invocation, Io } from "./command.ts";
import { configOf } from "./configured.ts";
import { printJson, printTable } from "./print.ts";

export async function printConfig(invocation: Invocation, io: Io): Promise<number> {
  const loaded = await configOf(invocation, io);
  const rows = rowsOf(loaded);
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

function rowsOf({ config, origins }: LoadedConfig): Row[] {
  const row = (name: keyof typeof origins, value: unknown, text = String(value)): Row => ({
    name,
    value,
    text,
    origin: origins[name],
  });
  const time = (name: keyof typeof origins, ms: number) => row(name, ms, formatDurationMs(ms));
  const size = (name: keyof typeof origins, bytes: number) => row(name, bytes, formatBytes(bytes));
  return [
    row("store", redactStoreUrl(config.store)),
    row("durability", config.durability),
    row("onBusy", config.onBusy),
    time("cancelGrace", config.cancelGraceMs),
    time("idleTimeout", config.idleTimeoutMs),
    time("sweepInterval", config.sweepIntervalMs),
    config.retentionMs === undefined ? row("retention", "off") : time("retention", config.retentionMs),
    row("maxSessions", config.maxSessions),
    size("maxMessageBytes", config.maxMessageBytes),
    size("maxEntryBytes", config.maxEntryBytes),
    size("handoverBytes", config.handoverBytes),
    time("leaseTtl", config.leaseTtlMs),
    row("agentRestarts", config.agentRestart.attempts),
    time("agentBackoff", config.agentRestart.backoffMs),
    row("logLevel", config.logLevel),
    row("logFile", config.logFile ?? null, config.logFile ?? "stderr"),
    row("agent", config.agent?.command ?? "echo", agentText(config.agent)),
  ];
}

/** Arguments and environment may hold secrets: they are counted, not shown. */
function agentText(agent: Config["agent"]): string {
  if (agent === undefined) return "echo (built in)";
  const hidden = hiddenParts(agent);
  return hidden.length === 0 ? agent.command : `${agent.command} (${hidden.join(", ")} not shown)`;
}

function hiddenParts({ args, env }: AgentCommand): string[] {
  const variables = Object.keys(env ?? {}).length;
  return [
    ...(args.length === 0 ? [] : [`${args.length} argument${args.length === 1 ? "" : "s"}`]),
    ...(variables === 0 ? [] : [`${variables} variable${variables === 1 ? "" : "s"}`]),
  ];
}
