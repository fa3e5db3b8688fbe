/** What stands in a user's record of Claude Code: the user's words, a command of the program, or what it put in itself. */

export type Words =
  | { readonly type: "prompt"; readonly text: string }
  /** What a command of the program printed. */
  | { readonly type: "output"; readonly text: string }
  /** The user has stopped the turn. */
  | { readonly type: "interrupted" }
  /** A note of the program to the agent, such as that a task in the background is done. */
  | { readonly type: "note"; readonly text: string }
  | { readonly type: "nothing" };

export function wordsIn(text: string): Words {
  const start = text.trimStart();
  if (start === "") return { type: "nothing" };
  if (start.startsWith("[Request interrupted by user")) return { type: "interrupted" };
  if (start.startsWith("<local-command-caveat>") || start.startsWith("Caveat: The messages below"))
    return { type: "nothing" };
  if (start.startsWith("<command-name>") || start.startsWith("<command-message>")) return commandIn(text);
  if (start.startsWith("<bash-input>"))
    return { type: "prompt", text: `!${tagged(text, "bash-input") ?? ""}` };
  if (start.startsWith("<local-command-std"))
    return output(text, ["local-command-stdout", "local-command-stderr"]);
  if (start.startsWith("<bash-std")) return output(text, ["bash-stdout", "bash-stderr"]);
  if (start.startsWith("<task-notification>")) return { type: "note", text };
  return { type: "prompt", text };
}

function commandIn(text: string): Words {
  const name = tagged(text, "command-name") ?? tagged(text, "command-message");
  if (name === undefined) return { type: "prompt", text };
  const args = tagged(text, "command-args")?.trim() ?? "";
  const command = name.trim().startsWith("/") ? name.trim() : `/${name.trim()}`;
  return { type: "prompt", text: args === "" ? command : `${command} ${args}` };
}

function output(text: string, tags: readonly string[]): Words {
  const said = tags.map((tag) => tagged(text, tag)?.trim() ?? "").filter((part) => part !== "");
  return said.length === 0 ? { type: "nothing" } : { type: "output", text: said.join("\n") };
}

/** What stands between a tag and its end. */
function tagged(text: string, tag: string): string | undefined {
  const open = `<${tag}>`;
  const from = text.indexOf(open);
  if (from < 0) return undefined;
  const to = text.indexOf(`</${tag}>`, from);
  return text.slice(from + open.length, to < 0 ? undefined : to);
}
