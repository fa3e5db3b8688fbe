/** The commands about projects. */
import type { Command } from "./command.ts";
import { jsonFlag as json, quietFlag } from "./flags.ts";
import { none, tool } from "./tool.ts";

export const contextCommands: readonly Command[] = [
  {
    name: "context show",
    aliases: ["context"],
    summary: "show what a folder's project is: version control, languages, scripts, instructions",
    synopsis: "[DIR] [--refresh] [--json]",
    flags: [
      { name: "refresh", help: "look anew; otherwise what was seen in the last ten minutes is told" },
      json,
    ],
    operands: { min: 0, max: 1 },
    options: [],
    notes: [
      "DIR is the folder where you are, unless told. Nothing in it is changed, and no program of its own is run.",
      "Scripts are told by name only; what looks secret is not read.",
    ],
    run: tool("showContext"),
  },
  {
    name: "context diff",
    summary: "show which files are no longer what a session's agent has seen of them",
    synopsis: "ID [--all] [--json]",
    flags: [{ name: "all", help: "files that are the same, and those of which nobody can tell, too" }, json],
    operands: { min: 1, max: 1 },
    notes: [
      "ID as in sessions show.",
      "It knows what the agent read and wrote through the client, and what was attached to prompts. Of a file that the agent's own tools have read it knows the name alone.",
      "Outside of the session's folders nothing is read, nor what looks secret.",
    ],
    run: tool("diffContext"),
  },
  {
    name: "context warm",
    summary: "look at folders now, so that it need not be done later",
    synopsis: "DIR… [--json]",
    flags: [json, quietFlag],
    operands: { min: 1, max: Infinity },
    options: [],
    run: tool("warmContext"),
  },
  {
    name: "context gc",
    summary: "forget what was seen of folders a while ago",
    synopsis: "[--all] [--json]",
    flags: [{ name: "all", help: "forget all of it" }, json],
    operands: none,
    options: [],
    run: tool("collectContext"),
  },
];
