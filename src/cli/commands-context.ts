/** The commands about projects. */
import type { Command } from "./command.ts";
import { jsonFlag as json, quietFlag } from "./flags.ts";
import { tool } from "./tool.ts";

export const contextCommands: readonly Command[] = [
  {
    name: "context show",
    aliases: ["context"],
    summary: "show what a folder's project is, or what a session knows of its own",
    synopsis: "[DIR|ID] [--refresh] [--json]",
    flags: [
      { name: "refresh", help: "look anew; otherwise what was seen in the last ten minutes is told" },
      json,
    ],
    operands: { min: 0, max: 1 },
    notes: [
      "DIR is the folder where you are, unless told. Nothing in it is changed, and no program of its own is run.",
      "ID as in sessions show: the files that its agent was shown or wrote, where version control stood, and values that were put in.",
      "Scripts are told by name only; what looks secret is not read.",
    ],
    run: tool("showContext"),
  },
  {
    name: "context diff",
    summary: "show which files are no longer what a session's agent has seen of them",
    synopsis: "ID [--from SEQ] [--to SEQ] [--all] [--json]",
    flags: [
      {
        name: "from",
        value: "SEQ",
        help: "since the snapshot at that entry; otherwise since the agent was last at work",
      },
      { name: "to", value: "SEQ", help: "up to the snapshot at that entry; otherwise as it is now" },
      { name: "all", help: "files that are the same, those of which nobody can tell, and other paths, too" },
      json,
    ],
    operands: { min: 1, max: 1 },
    notes: [
      "ID as in sessions show. Snapshots are made when turns end; SEQ is the number of an entry, as search and sessions tools print it, and means the newest snapshot there (--from: or the first one after it).",
      "It knows what the agent read and wrote through the client, what was attached to prompts, and what its tool calls name. Of a file that was written to after that, and before it was looked at, it says that nobody can tell.",
      "Outside of the session's folders nothing is read, nor what looks secret, is ignored by git, or has more than 8 MiB.",
    ],
    run: tool("diffContext"),
  },
  {
    name: "context refresh",
    summary: "look anew at a session's project, and at files that it was told of since",
    synopsis: "ID [--json]",
    flags: [json],
    operands: { min: 1, max: 1 },
    notes: [
      "ID as in sessions show. What the agent knows of files stays as it was, so that no change is lost.",
      "It is kept in the session unless somebody has that open.",
    ],
    run: tool("refreshContext"),
  },
  {
    name: "context clear",
    summary: "forget what a session knows of files, and its values",
    synopsis: "ID [--yes] [--json]",
    flags: [{ name: "yes", help: "do not ask; needed where there is no terminal" }, json],
    operands: { min: 1, max: 1 },
    notes: ["ID as in sessions show. What was said stays; what is told from then on is known again."],
    run: tool("clearContext"),
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
    summary: "forget what was seen of folders a while ago, or of these",
    synopsis: "[DIR…|--all] [--json]",
    flags: [{ name: "all", help: "forget all of it" }, json],
    operands: { min: 0, max: Infinity },
    options: [],
    run: tool("collectContext"),
  },
];
