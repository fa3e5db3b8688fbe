/** What `/sidecar …` can do: a line a command. */
import { SidecarError } from "../../base/errors.ts";
import { titleFrom } from "../../session/rename.ts";
import type { RelayContext } from "../context.ts";
import type { LiveSession } from "../live/session.ts";

interface OwnCommand {
  readonly name: string;
  /** What stands behind its name. */
  readonly hint: string;
  readonly help: string;
  /** It runs before its turn begins, because it takes the session's lanes itself. */
  readonly isAhead?: true;
  /** Gives the answer, as Markdown. What it throws is told in its place. */
  readonly run: (ctx: RelayContext, live: LiveSession, words: string) => Promise<string>;
}

const commands: readonly OwnCommand[] = [
  {
    name: "search",
    hint: "WORDS",
    help: "find what was said in all conversations, whatever agent had them",
    run: async (...given) => (await import("./search.ts")).search(...given),
  },
  {
    name: "export",
    hint: "[FORMAT]",
    help: "write this session to a file of its folder: markdown, html, json, jsonl, bundle",
    run: async (...given) => (await import("./export.ts")).exportHere(...given),
  },
  {
    name: "rewind",
    hint: "[TURNS|undo]",
    help: "go back by a turn, or by so many; undo takes the last rewind back",
    isAhead: true,
    run: async (...given) => (await import("./rewind.ts")).rewind(...given),
  },
  {
    name: "rename",
    hint: "TITLE",
    help: "give this session another title",
    run: async (ctx, live, words) => (await import("./rename.ts")).rename(ctx, live, titleFrom(words)),
  },
  {
    name: "fork",
    hint: "",
    help: "a new session that goes on from here; this one stays as it is",
    run: async (ctx, live) => (await import("./fork.ts")).fork(ctx, live),
  },
  {
    name: "usage",
    hint: "",
    help: "turns, tokens and cost of this session",
    run: async (ctx, live) => (await import("./usage.ts")).usage(ctx, live),
  },
  { name: "help", hint: "", help: "this list", run: async () => helpText() },
];

export function runsAhead(line: string): boolean {
  return commandIn(line).command?.isAhead === true;
}

/** What a prompt asks for behind `/sidecar`. Errors: `INVALID_PARAMS` for a command that we do not have. */
export async function runCommand(ctx: RelayContext, live: LiveSession, line: string): Promise<string> {
  const { name, words, command } = commandIn(line);
  if (name === "") return helpText();
  if (command !== undefined) return command.run(ctx, live, words);
  throw new SidecarError("INVALID_PARAMS", `There is no such command; allowed: ${namesOf(commands)}`);
}

function commandIn(line: string) {
  const [, name = "", words = ""] = /^(\S*)\s*([^]*)$/.exec(line) ?? [];
  return { name, words: words.trim(), command: commands.find((each) => each.name === name.toLowerCase()) };
}

function namesOf(all: readonly OwnCommand[]): string {
  return all.map(({ name }) => name).join(", ");
}

function helpText(): string {
  const lines = commands.map(({ name, hint, help }) => `- \`/sidecar ${`${name} ${hint}`.trim()}\`: ${help}`);
  return ["The sidecar answers these itself; the agent never sees them.", "", ...lines].join("\n");
}

/** How the editor shows all of them: as one command. */
export const advertised = {
  name: "sidecar",
  description: `Of the session layer, not of the agent: ${namesOf(commands)}`,
  input: { hint: commands.map(({ name, hint }) => `${name} ${hint}`.trim()).join(" | ") },
} as const;
