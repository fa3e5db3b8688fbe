/** Help, written from the same tables that the parser reads. */
import { optionNames } from "../config/options.ts";
import { SidecarError } from "../base/errors.ts";
import { suggestion } from "../base/likeness.ts";
import type { Command } from "./command.ts";
import { commands, serveCommand } from "./commands.ts";
import { commandAt, firstWords, groupOf, plainWords } from "./names.ts";
import { configRow, flagRows, optionRows, optionsTitle, unitsNote } from "./option-text.ts";
import { wrapped } from "./wrap.ts";

export const intro =
  "acp-sidecar stands between an ACP client (an editor) and an ACP agent and keeps every session durable.";

export const statuses = [
  "Exit status:",
  "  0  done          1  failed              2  wrong flag or configuration",
  "  3  session busy  4  no such session     5  store failed      6  agent failed",
  "  7  not recorded where it must be     8  not allowed",
  "  130  interrupted",
];

interface HelpOptions {
  /** Every option of the configuration. */
  readonly all?: boolean;
  readonly width?: number;
}

/** Help on one command, on a group of them, or on all. Errors: `USAGE` for an unknown one. */
export function helpText(topic: readonly string[], { all = false, width = 80 }: HelpOptions = {}): string {
  const [first] = plainWords(topic);
  const page = new Page(Math.min(80, Math.max(40, width)));
  if (first === undefined) overview(page, all);
  else {
    const group = groupOf(first);
    const found = commandAt(topic);
    const isAlias = found?.used === 1 && found.command.name !== first;
    if (group.length > 1 && (found === undefined || isAlias)) groupHelp(page, group);
    else if (found !== undefined) commandHelp(page, found.command, all);
    else throw unknownTopic(topic);
  }
  page.add("", ...statuses);
  return page.text;
}

function unknownTopic(topic: readonly string[]): SidecarError {
  const words = topic.join(" ");
  const names = [...commands.map(({ name }) => name), ...firstWords()];
  const help = suggestion(words, names) || `; allowed: ${commands.map(({ name }) => name).join(", ")}`;
  return new SidecarError("USAGE", `There is no help on "${words}"${help}`);
}

/** Lines that fit. */
class Page {
  readonly #width: number;
  readonly #lines: string[] = [];

  constructor(width: number) {
    this.#width = width;
  }

  get text(): string {
    return `${this.#lines.join("\n")}\n`;
  }

  add(...lines: readonly string[]): void {
    for (const line of lines) {
      const indent = /^ */.exec(line)?.[0] ?? "";
      this.#lines.push(...(line.length <= this.#width ? [line] : wrapped(line, this.#width, `${indent}  `)));
    }
  }

  paragraph(text: string): void {
    this.#lines.push(...wrapped(text, this.#width));
  }

  /** Two columns; what is too long for the first one stands in a line of its own. */
  columns(rows: readonly (readonly [string, string])[]): void {
    const widest = Math.min(Math.floor(this.#width / 3), Math.max(...rows.map(([left]) => left.length)));
    const at = widest + 4;
    for (const [left, right] of rows) {
      const texts = wrapped(right, this.#width - at);
      if (left.length > widest) this.#lines.push(`  ${left}`);
      else this.#lines.push(`  ${left.padEnd(widest)}  ${texts.shift() ?? ""}`.trimEnd());
      this.#lines.push(...texts.map((text) => " ".repeat(at) + text));
    }
  }
}

function overview(page: Page, all: boolean): void {
  page.paragraph(intro);
  page.add("", `usage: acp-sidecar ${serveCommand.synopsis}`, "       acp-sidecar COMMAND [options]");
  page.add("", "Commands:");
  page.columns(summaries(commands));
  page.add("", "Options:");
  page.columns([
    ...(all ? [] : optionRows(["store"])),
    ...(all ? [] : [configRow]),
    ["--help, -h", "this, or help on the command before it"],
    ["--help --all", "with every option of the configuration"],
    ["--version, -V", "print the version"],
  ]);
  if (all) allOptions(page);
}

function groupHelp(page: Page, group: readonly Command[]): void {
  for (const [at, command] of group.entries()) page.add(usageLine(command, at === 0 ? "usage:" : "      "));
  page.add("", "Commands:");
  page.columns(summaries(group));
  page.add("");
  page.paragraph(`Each has help of its own: acp-sidecar ${group.at(-1)?.name ?? ""} --help`);
}

function commandHelp(page: Page, command: Command, all: boolean): void {
  const { name, summary, notes = [], aliases = [], flags, options: told = ["store"] } = command;
  page.paragraph(`${name}: ${summary}`);
  page.add("", usageLine(command, "usage:"));
  if (aliases.length > 0) page.paragraph(`Also: ${aliases.join(", ")}`);
  const others = groupOf(name).filter((each) => each !== command);
  if (others.length > 0) page.paragraph(`See also: ${others.map((each) => each.name).join(", ")}`);
  if (notes.length > 0) page.add("");
  for (const note of notes) page.paragraph(note);
  if (flags.length > 0) {
    page.add("", "Flags:");
    page.columns(flagRows(flags));
  }
  if (all || told === "all") return allOptions(page);
  page.add("", "Options:");
  page.columns([...optionRows(told), configRow, ["--help --all", "with every option of the configuration"]]);
}

function allOptions(page: Page): void {
  page.add("");
  page.paragraph(`Options (${optionsTitle}):`);
  page.columns([...optionRows(optionNames), configRow]);
  page.add(`  ${unitsNote}`);
}

function usageLine({ name, synopsis }: Command, title: string): string {
  return `${title} acp-sidecar ${name} ${synopsis}`.trimEnd();
}

function summaries(list: readonly Command[]): [string, string][] {
  return list.map(({ name, summary }) => [name, summary]);
}
