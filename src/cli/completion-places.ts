/** What a shell may offer at each place of a command line, from the tables of commands and options. */
import { flagOf, optionNames, options } from "../config/options.ts";
import type { Command, Flag } from "./command.ts";
import { placeholder } from "./option-text.ts";

/** A flag as shells complete it. */
export interface OfferedFlag {
  readonly name: string;
  readonly help: string;
  /** What follows it; a list is a choice. */
  readonly takes: "nothing" | "file" | "folder" | "text" | readonly string[];
}

/** What may follow some words. */
export interface Place {
  /** The words before, without flags: "" is the beginning. Several that mean the same. */
  readonly at: readonly string[];
  readonly words: readonly { readonly word: string; readonly help: string }[];
  readonly flags: readonly OfferedFlag[];
}

export interface Offers {
  readonly places: readonly Place[];
  /** Flags that take a value, wherever they stand. */
  readonly valued: readonly OfferedFlag[];
}

const common: readonly OfferedFlag[] = [
  ...optionNames.map((name): OfferedFlag => {
    const { kind, help } = options[name];
    const value = placeholder(kind);
    return { name: flagOf(name), help, takes: kind.type === "choice" ? kind.values : takenBy(value) };
  }),
  { name: "config", help: "the configuration file", takes: "file" },
  { name: "help", help: "help on this command", takes: "nothing" },
];

/** Shells ask for every place; nobody types at one that is not among them. */
export function offersOf(list: readonly Command[]): Offers {
  const beginning: Place = {
    at: [""],
    words: firstWordsOf(list),
    flags: [...common, { name: "version", help: "print the version", takes: "nothing" }],
  };
  const places = [beginning, ...groupsOf(list), ...list.map((command) => placeOf(command, list))];
  const valued = new Map(
    places
      .flatMap(({ flags }) => flags)
      .flatMap((flag) => (flag.takes === "nothing" ? [] : [[flag.name, flag]])),
  );
  return { places, valued: [...valued.values()] };
}

function placeOf(command: Command, list: readonly Command[]): Place {
  const { name, aliases = [], flags, operands } = command;
  const oneOf = typeof operands === "string" ? [] : (operands.oneOf ?? []);
  return {
    at: [name, ...aliases.filter((alias) => !list.some((other) => other.name.startsWith(`${alias} `)))],
    words: [...oneOf.map((word) => ({ word, help: "" })), ...secondWordsOf(name, list)],
    flags: [...flags.map(offered), ...common.filter(({ name }) => !flags.some((flag) => flag.name === name))],
  };
}

/** The places after the first word of commands that have two, where that word is no command itself. */
function groupsOf(list: readonly Command[]): Place[] {
  const firsts = new Set(
    list.flatMap(({ name }) => (name.includes(" ") ? [name.split(" ", 1)[0] ?? ""] : [])),
  );
  return [...firsts]
    .filter((first) => !list.some(({ name }) => name === first))
    .map((first) => ({
      at: first === "sessions" ? [first, "session"] : [first],
      words: secondWordsOf(first, list),
      flags: common,
    }));
}

function firstWordsOf(list: readonly Command[]): Place["words"] {
  const words = new Map<string, string>([["help", "help on a command"]]);
  for (const { name, summary } of list) {
    const [first = "", second] = name.split(" ");
    if (second === undefined) words.set(first, summary);
    else if (!words.has(first))
      words.set(
        first,
        secondWordsOf(first, list)
          .map(({ word }) => word)
          .join(", "),
      );
  }
  return Array.from(words, ([word, help]) => ({ word, help }));
}

function secondWordsOf(first: string, list: readonly Command[]): Place["words"] {
  return list
    .filter(({ name }) => name.startsWith(`${first} `))
    .map(({ name, summary }) => ({ word: name.slice(first.length + 1), help: summary }));
}

function offered({ name, help, value }: Flag): OfferedFlag {
  return { name, help, takes: takenBy(value) };
}

function takenBy(value: string | undefined): OfferedFlag["takes"] {
  if (value === undefined) return "nothing";
  if (value === "FILE") return "file";
  if (value.startsWith("DIR")) return "folder";
  return value.includes("|") ? value.split("|") : "text";
}
