/** How each `/sidecar …` is done: a line a command. */
import { SidecarError } from "../../base/errors.ts";
import { titleFrom } from "../../session/rename.ts";
import type { RelayContext } from "../context.ts";
import type { LiveSession } from "../live/session.ts";
import { commandNames, helpText, type CommandName } from "./listed.ts";

/** Gives the answer, as Markdown. What it throws is told in its place. */
type Run = (ctx: RelayContext, live: LiveSession, words: string, signal: AbortSignal) => Promise<string>;

const runs: Readonly<Record<CommandName, Run>> = {
  search: async (...given) => (await import("./search.ts")).search(...given),
  export: async (ctx, live, words) => (await import("./export.ts")).exportHere(ctx, live, words),
  rewind: async (ctx, live, words) => (await import("./rewind.ts")).rewind(ctx, live, words),
  rename: async (ctx, live, words) => (await import("./rename.ts")).rename(ctx, live, titleFrom(words)),
  fork: async (ctx, live) => (await import("./fork.ts")).fork(ctx, live),
  changes: async (ctx, live) => (await import("./changes.ts")).changes(ctx, live),
  usage: async (ctx, live) => (await import("./usage.ts")).usage(ctx, live),
  help: async () => helpText(),
};

/** Whether a command runs before its turn begins, because it takes the session's lanes itself, or takes long. */
export function runsAhead(line: string): boolean {
  const { command } = commandIn(line);
  return command === "rewind" || command === "search" || command === "changes";
}

/** What a prompt asks for after `/sidecar`. Errors: `INVALID_PARAMS` for a command that we do not have. */
export async function runCommand(
  ctx: RelayContext,
  live: LiveSession,
  line: string,
  signal: AbortSignal,
): Promise<string> {
  const { name, words, command } = commandIn(line);
  if (name === "") return helpText();
  if (command !== undefined) return runs[command](ctx, live, words, signal);
  throw new SidecarError("INVALID_PARAMS", `There is no such command; allowed: ${commandNames.join(", ")}`);
}

function commandIn(line: string) {
  const [, name = "", words = ""] = /^(\S*)\s*([^]*)$/.exec(line) ?? [];
  return { name, words: words.trim(), command: commandNames.find((each) => each === name.toLowerCase()) };
}
