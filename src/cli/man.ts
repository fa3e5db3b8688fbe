/** The manual page, made at the build from the tables that the parser reads. Nothing of it runs in the program. */
import { flagOf, optionNames, variableOf } from "../config/options.ts";
import type { Command } from "./command.ts";
import { commands } from "./commands.ts";
import { intro, statuses } from "./help.ts";
import { configRow, flagRows, optionRows, optionsTitle, unitsNote } from "./option-text.ts";

/** In roff, with the macros of man(7). */
export function manPage(version: string): string {
  const lines = [
    `.TH ACP\\-SIDECAR 1 "" "acp\\-sidecar ${roff(version)}" "User Commands"`,
    ".SH NAME",
    "acp\\-sidecar \\- keeps the sessions of coding agents",
    ".SH SYNOPSIS",
    ".B acp\\-sidecar",
    "[options] [\\-\\- agent\\-command args...]",
    ".br",
    ".B acp\\-sidecar",
    "COMMAND [options]",
    ".SH DESCRIPTION",
    roff(intro),
    "Where an editor names the command of an agent, write",
    ".B acp\\-sidecar \\-\\-",
    "before it.",
    ".SH COMMANDS",
    ...commands.flatMap(commandSection),
    ".SH OPTIONS",
    roff(`They are ${optionsTitle}. ${unitsNote}`),
    ...rows([...optionRows(optionNames), configRow]),
    ".SH ENVIRONMENT",
    ...rows(optionNames.map((name) => [variableOf(name), `as --${flagOf(name)}`])),
    ...rows([
      ["NO_COLOR, FORCE_COLOR", "no colours, or colours where there is no terminal, too"],
      ["PAGER", "what shows long output on a terminal"],
    ]),
    ".SH EXIT STATUS",
    ...rows(statusRows()),
    ".SH SEE ALSO",
    "acp\\-sidecar \\-\\-help \\-\\-all, acp\\-sidecar COMMAND \\-\\-help",
  ];
  return `${lines.join("\n")}\n`;
}

function commandSection({ name, synopsis, summary, notes = [], flags }: Command): string[] {
  return [
    `.SS ${roff(`${name} ${synopsis}`)}`,
    roff(capital(`${summary}.`)),
    ...notes.flatMap((note) => [".PP", roff(note)]),
    ...rows(flagRows(flags)),
  ];
}

function rows(list: readonly (readonly [string, string])[]): string[] {
  return list.flatMap(([left, right]) => [".TP", `.B ${roff(left)}`, roff(right)]);
}

/** The table of the help, a status a row. */
function statusRows(): [string, string][] {
  return statuses
    .slice(1)
    .flatMap((line) =>
      Array.from(
        line.matchAll(/(\d+) {2}(\S+(?: \S+)*)/g),
        ([, status = "", text = ""]) => [status, text] as [string, string],
      ),
    )
    .sort(([a], [b]) => Number(a) - Number(b));
}

/** Text that roff does not take for its own. */
function roff(text: string): string {
  const escaped = text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("…", "...")
    .replaceAll("“", '"');
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
