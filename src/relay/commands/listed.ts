/** What `/sidecar …` can do, for whoever is told of it; table.ts has how. */

const listed = [
  {
    name: "search",
    hint: "WORDS",
    help: "find what was said in all conversations, whatever agent had them",
  },
  {
    name: "export",
    hint: "[FORMAT]",
    help: "write this session to a file of its folder: markdown, html, json, jsonl, bundle",
  },
  {
    name: "rewind",
    hint: "[TURNS|undo]",
    help: "go back by a turn, or by so many; undo takes the last rewind back",
  },
  { name: "rename", hint: "TITLE", help: "give this session another title" },
  { name: "fork", hint: "", help: "a new session that goes on from here; this one stays as it is" },
  { name: "changes", hint: "", help: "which files are no longer what the agent has seen of them" },
  { name: "usage", hint: "", help: "turns, tokens and cost of this session" },
  { name: "help", hint: "", help: "this list" },
] as const;

export type CommandName = (typeof listed)[number]["name"];

export const commandNames: readonly CommandName[] = listed.map(({ name }) => name);

export function helpText(): string {
  const lines = listed.map(({ name, hint, help }) => `- \`/sidecar ${`${name} ${hint}`.trim()}\`: ${help}`);
  return ["The sidecar answers these itself; the agent never sees them.", "", ...lines].join("\n");
}

/** How the editor shows all of them: as one command. */
export const advertised = {
  name: "sidecar",
  description: `Of the session layer, not of the agent: ${commandNames.join(", ")}`,
  input: { hint: listed.map(({ name, hint }) => `${name} ${hint}`.trim()).join(" | ") },
} as const;
