/** Flags and options in words, for help, the manual page and completions. */
import { allowedBy } from "../config/allowed.ts";
import type { Option } from "../config/option-kinds.ts";
import { flagOf, options, variableOf, type OptionName } from "../config/options.ts";
import { formatBytes, formatDurationMs } from "../config/units.ts";
import type { Flag } from "./command.ts";

export const unitsNote =
  "TIME is a number with its unit: 500ms, 90s, 5m, 1h, 30d; SIZE is bytes or 64KiB, 16MiB.";
export const optionsTitle = `each also as ${variableOf("optionName")} and as a key of the configuration file`;

export function flagRows(flags: readonly Flag[]): [string, string][] {
  return flags.map(({ name, value, help }) => [
    value === undefined ? `--${name}` : `--${name} ${value}`,
    help,
  ]);
}

export const configRow: readonly [string, string] = [
  "--config FILE",
  "the configuration file (default: acp-sidecar/config.json among the user's settings)",
];

export function optionRows(names: readonly OptionName[]): [string, string][] {
  return names.map((name) => {
    const option: Option = options[name];
    return [`--${flagOf(name)} ${placeholder(option.kind)}`, `${option.help}${defaultText(name, option)}`];
  });
}

/** What a value is called: a choice by what it may be. */
export function placeholder(kind: Option["kind"]): string {
  switch (kind.type) {
    case "url":
      return "URL";
    case "path":
      return "FILE";
    case "key":
    case "keys":
      return "KEY";
    case "name":
    case "names":
      return "NAME";
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

function defaultText(name: OptionName, option: Option): string {
  if (name === "store") return " (default: a SQLite file among the user's data)";
  const text = defaultOf(option);
  return text === undefined ? "" : ` (default: ${text})`;
}

/** As a person writes it. */
export function defaultOf({ kind, default: value }: Option): string | undefined {
  if (value === undefined || typeof value === "string") return value;
  if (kind.type === "size") return formatBytes(value);
  return kind.type === "count" ? String(value) : formatDurationMs(value);
}
