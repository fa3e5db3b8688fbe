/** The names of commands: one or two words, and other words for the same. */
import type { Command } from "./command.ts";
import { commands } from "./commands.ts";

const byName: ReadonlyMap<string, Command> = new Map(
  commands.flatMap((command) => [command.name, ...(command.aliases ?? [])].map((name) => [name, command])),
);

/** `session` is said for `sessions`. */
export function plainWords(words: readonly string[]): readonly string[] {
  return words[0] === "session" ? ["sessions", ...words.slice(1)] : words;
}

/** The command that the words begin with, and how many of them name it. */
export function commandAt(
  words: readonly string[],
): { readonly command: Command; readonly used: number } | undefined {
  const plain = plainWords(words);
  for (const used of [2, 1]) {
    const command = plain.length < used ? undefined : byName.get(plain.slice(0, used).join(" "));
    if (command !== undefined) return { command, used };
  }
  return undefined;
}

/** The first words of all commands. */
export function firstWords(): readonly string[] {
  return [...new Set(commands.map(({ name }) => name.split(" ", 1)[0] ?? name))];
}

/** What may follow a first word. */
export function secondWords(first: string): readonly string[] {
  return commands.flatMap(({ name }) => (name.startsWith(`${first} `) ? [name.slice(first.length + 1)] : []));
}

/** The commands of two words of which this is the second: `sessions rm` for `rm`. */
export function namesWith(second: string): readonly string[] {
  return commands.map(({ name }) => name).filter((name) => name.endsWith(` ${second}`));
}

/** The commands whose names begin with this word. */
export function groupOf(first: string): readonly Command[] {
  return commands.filter(({ name }) => name === first || name.startsWith(`${first} `));
}
