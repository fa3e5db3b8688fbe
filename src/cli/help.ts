/** Help, written from the same tables that the parser reads. */
import { allowedBy, flagOf, options, variableOf, type Option, type OptionName } from "../config/options.ts";
import { formatBytes, formatDurationMs } from "../config/units.ts";
import { SidecarError } from "../base/errors.ts";
import type { Command } from "./command.ts";
import { commands, serveCommand } from "./commands.ts";

const intro = [
  "acp-sidecar stands between an ACP client (an editor) and an ACP agent and keeps every session durable.",
];

const statuses = [
  "Exit status:",
  "  0  done          1  failed              2  wrong flag or configuration",
  "  3  session busy  4  no such session     5  store failed      6  agent failed",
];

/** Help on one command, on a group of them, or on all. Errors: `USAGE` for an unknown one. */
export function helpText(topic: string): string {
  if (topic === "") return overview();
  const exact = commands.find(({ name }) => name === topic);
  if (exact !== undefined) return commandHelp(exact);
  const group = commands.filter(({ name }) => name.startsWith(`${topic} `));
  if (group.length === 0) {
    const allowed = commands.map(({ name }) => name).join(", ");
    throw new SidecarError("USAGE", `There is no help on "${topic}"; allowed: ${allowed}`);
  }
  return lines([
    ...group.map((command, at) => usageLine(command, at === 0 ? "usage:" : "      ")),
    "",
    "Commands:",
    ...summaries(group),
    "",
    ...statuses,
  ]);
}

function overview(): string {
  return lines([
    ...intro,
    "",
    `usage: acp-sidecar ${serveCommand.synopsis}`,
    "       acp-sidecar COMMAND [options]",
    "",
    "Commands:",
    ...summaries(commands),
    "",
    ...optionLines(),
    "",
    ...columns([
      ["--help, -h", "this, or help on the command before it"],
      ["--version, -V", "print the version"],
    ]),
    "",
    ...statuses,
  ]);
}

function commandHelp(command: Command): string {
  const flags = command.flags.map(({ name, value, help }): [string, string] => [
    value === undefined ? `--${name}` : `--${name} ${value}`,
    help,
  ]);
  return lines([
    `${command.name}: ${command.summary}`,
    "",
    usageLine(command),
    ...(command.notes ?? []),
    ...(flags.length === 0 ? [] : ["", "Flags:", ...columns(flags)]),
    "",
    ...optionLines(),
    "",
    ...statuses,
  ]);
}

function usageLine({ name, synopsis }: Command, title = "usage:"): string {
  return `${title} acp-sidecar ${name} ${synopsis}`;
}

function summaries(list: readonly Command[]): string[] {
  return columns(list.map(({ name, summary }) => [name, summary]));
}

function optionLines(): string[] {
  const rows = (Object.entries(options) as [OptionName, Option][]).map(([name, option]): [string, string] => [
    `--${flagOf(name)} ${placeholder(option.kind)}`,
    `${option.help}${defaultText(name, option)}`,
  ]);
  return [
    `Options (each also as ${variableOf("optionName")} and as a key of the configuration file):`,
    ...columns([
      ...rows,
      [
        "--config FILE",
        "the configuration file, JSON (default: acp-sidecar/config.json among the user's settings)",
      ],
    ]),
    "  TIME is milliseconds or 90s, 5m, 1h, 30d; SIZE is bytes or 64KiB, 16MiB.",
  ];
}

function placeholder(kind: Option["kind"]): string {
  switch (kind.type) {
    case "url":
      return "URL";
    case "path":
      return "FILE";
    case "choice":
      return allowedBy(kind).replaceAll(", ", "|");
    case "count":
      return "N";
    case "size":
      return "SIZE";
    case "duration":
    case "optionalDuration":
      return "TIME";
  }
}

function defaultText(name: OptionName, { kind, default: value }: Option): string {
  if (name === "store") return " (default: a SQLite file among the user's data)";
  if (value === undefined) return "";
  if (typeof value !== "number") return ` (default: ${value})`;
  if (kind.type === "size") return ` (default: ${formatBytes(value)})`;
  return ` (default: ${kind.type === "count" ? value : formatDurationMs(value)})`;
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows.map(([left, right]) => `  ${left.padEnd(width)}${right}`);
}

function lines(text: readonly string[]): string {
  return `${text.join("\n")}\n`;
}
