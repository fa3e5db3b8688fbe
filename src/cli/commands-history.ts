/** The commands that read histories and take them along. */
import type { Command, Flag } from "./command.ts";
import { colorFlag, jsonFlag as json, noPagerFlag, quietFlag } from "./flags.ts";
import { tool } from "./tool.ts";

const supersededFlag: Flag = {
  name: "superseded",
  help: "also what a rewind left behind, marked as such",
};

export const historyCommands: readonly Command[] = [
  {
    name: "sessions fork",
    summary: "begin a session that goes on from another one, or from an entry of it",
    synopsis: "ID[:SEQ] [--json]",
    flags: [json],
    operands: { min: 1, max: 1 },
    run: tool("forkSession"),
  },
  {
    name: "sessions rewind",
    summary: "go back to an entry: what came after it is kept, and does not count any more",
    synopsis: "ID:SEQ|ID --undo [--yes] [--json]",
    flags: [{ name: "undo", help: "take the last rewind back" }, { name: "yes", help: "do not ask" }, json],
    operands: { min: 1, max: 1 },
    notes: [
      "SEQ is the number after # in what acp-sidecar sessions show prints; --superseded shows what does not count.",
    ],
    run: tool("rewindSession"),
  },
  {
    name: "sessions tools",
    aliases: ["tools"],
    summary: "what the agent did with tools: when, how it went, which files, and how it was allowed",
    synopsis: "ID [--superseded] [--json|--jsonl]",
    flags: [
      { name: "superseded", help: "also what a rewind left behind" },
      json,
      { name: "jsonl", help: "print a JSON object a line" },
      noPagerFlag,
      colorFlag,
    ],
    operands: { min: 1, max: 1 },
    run: tool("showTools"),
  },
  {
    name: "sessions tree",
    summary: "which sessions were forked from which; of one session with ID",
    synopsis: "[ID] [--json]",
    flags: [json, colorFlag],
    operands: { min: 0, max: 1 },
    run: tool("showTree"),
  },
  {
    name: "export",
    summary: "write sessions as Markdown, HTML, JSON, JSONL, or as a bundle for another store",
    synopsis: "ID…|--all [--archived] [--format FORMAT] [--out PATH] [--redact] [--force] [--json]",
    flags: [
      {
        name: "format",
        value: "markdown|html|json|jsonl|bundle",
        help: "unless told: by the end of PATH, else markdown",
      },
      { name: "out", value: "PATH", help: "a file, or a folder for several; unless told: stdout" },
      { name: "redact", help: "without what looks like a secret: keys, tokens, passwords" },
      { name: "no-thoughts", help: "without the agent's thoughts" },
      supersededFlag,
      { name: "all", help: "every session that is not archived" },
      { name: "archived", help: "with --all: archived ones, too" },
      { name: "force", help: "replace files that are there" },
      json,
      quietFlag,
    ],
    operands: { min: 0, max: Infinity },
    notes: [
      "ID as for sessions show: last, four or more characters of an id.",
      "HTML is one file that needs no script and fetches nothing. A bundle is read by acp-sidecar import.",
    ],
    run: tool("exportSessions"),
  },
];
