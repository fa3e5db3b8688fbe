/** What `/sidecar …` can do: a line a command. */
import { SidecarError } from "../../base/errors.ts";
import { titleFrom } from "../../session/rename.ts";
import type { RelayContext } from "../context.ts";
import type { LiveSession } from "../live/session.ts";
import { fork } from "./fork.ts";
import { rename } from "./rename.ts";
import { usage } from "./usage.ts";

interface OwnCommand {
  readonly name: string;
  /** What stands behind its name. */
  readonly hint: string;
  readonly help: string;
  /** Gives the answer, as Markdown. What it throws is told in its place. */
  readonly run: (ctx: RelayContext, live: LiveSession, words: string) => Promise<string>;
}

const commands: readonly OwnCommand[] = [
  {
    name: "rename",
    hint: "TITLE",
    help: "give this session another title",
    run: (ctx, live, words) => rename(ctx, live, titleFrom(words)),
  },
  {
    name: "fork",
    hint: "",
    help: "a new session that goes on from here; this one stays as it is",
    run: fork,
  },
  { name: "usage", hint: "", help: "turns, tokens and cost of this session", run: usage },
  { name: "help", hint: "", help: "this list", run: async () => helpText() },
];

/** What a prompt asks for behind `/sidecar`. Errors: `INVALID_PARAMS` for a command that we do not have. */
export async function runCommand(ctx: RelayContext, live: LiveSession, line: string): Promise<string> {
  const [, name = "", words = ""] = /^(\S*)\s*([^]*)$/.exec(line) ?? [];
  if (name === "") return helpText();
  const command = commands.find((each) => each.name === name.toLowerCase());
  if (command !== undefined) return command.run(ctx, live, words.trim());
  throw new SidecarError("INVALID_PARAMS", `There is no such command; allowed: ${namesOf(commands)}`);
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
