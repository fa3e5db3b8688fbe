/** The commands that keep sessions in order: titles, the archive, what they have used. */
import type { Command } from "./command.ts";
import { colorFlag, jsonFlag as json, quietFlag } from "./flags.ts";
import { none, tool } from "./tool.ts";

export const orderCommands: readonly Command[] = [
  {
    name: "sessions rename",
    summary: "give a session another title",
    synopsis: "ID TITLE [--json]",
    flags: [json],
    operands: { min: 2, max: Infinity },
    notes: ["ID as in sessions show. Several words need no quotes."],
    run: tool("renameSession"),
  },
  {
    name: "sessions archive",
    summary: "put sessions out of the way: not in lists, and packed into less space",
    synopsis: "ID… [--json]",
    flags: [json, quietFlag],
    operands: { min: 1, max: Infinity },
    notes: [
      "ID as in sessions show.",
      "They stay whole: searched if asked for, shown, exported. To open one in an editor brings it back.",
    ],
    run: tool("archiveSessions"),
  },
  {
    name: "sessions unarchive",
    summary: "bring sessions back from the archive",
    synopsis: "ID… [--json]",
    flags: [json, quietFlag],
    operands: { min: 1, max: Infinity },
    notes: ["ID as elsewhere; last is the newest one there. acp-sidecar sessions ls --archived lists them."],
    run: tool("unarchiveSessions"),
  },
  {
    name: "sessions compact",
    summary: "put short notes in the place of what tools gave and the agent thought in old turns",
    synopsis: "ID [--before SEQ] [--dry-run] [--yes] [--json] | ID --undo [--json]",
    flags: [
      {
        name: "before",
        value: "SEQ",
        help: "entries before this one (default: before the newest five turns)",
      },
      { name: "undo", help: "as it was, as far as what was there is kept" },
      { name: "dry-run", help: "say what it would save, and change nothing" },
      { name: "yes", help: "do not ask; needed where there is no terminal" },
      json,
    ],
    operands: { min: 1, max: 1 },
    options: ["store", "trash"],
    notes: [
      "ID as in sessions show; ID:SEQ is the same as --before SEQ. The newest turn stays whole in any case.",
      "What was said stays, and of a tool call its title, kind, outcome, files and permission. Each note has the SHA-256 of what stood there.",
      "What was there is kept for as long as the trash keeps things (--trash), or until sessions gc --trash. A session that somebody has open is busy.",
    ],
    run: tool("compactSession"),
  },
  {
    name: "sessions summarise",
    aliases: ["sessions summarize"],
    summary: "have an agent summarise a session, for agents that take it up later",
    synopsis: "ID [--agent-timeout TIME] [--json] [-- agent-command args…]",
    flags: [
      {
        name: "agent-timeout",
        value: "TIME",
        help: "how long the agent may take for each answer (default 10m)",
      },
      json,
      quietFlag,
    ],
    operands: { min: 1, max: 1, agent: true },
    options: ["store", "handoverBytes"],
    notes: [
      "ID as in sessions show. Without a command the configured agent is asked, which may cost money.",
      "It is asked in a session of its own, in an empty folder, without tools; where the agent can do that, the session is deleted.",
      "The summary is kept in the session. An agent that takes the session up and does not remember it is given the newest summary and what came after it; nothing else changes.",
    ],
    run: tool("summariseSession"),
  },
  {
    name: "usage",
    summary: "turns, tokens and cost, as the agents reported them",
    synopsis: "[--by day|week|month|agent|project|session] [--since WHEN] [--json]",
    flags: [
      { name: "by", value: "day|week|month|agent|project|session", help: "what a row is (default day)" },
      { name: "since", value: "WHEN", help: "only from then on: 30d, today, 2026-01-31" },
      json,
      colorFlag,
    ],
    operands: none,
    notes: ["The first time reads every journal; what it finds is kept in your cache folder."],
    run: tool("printUsage"),
  },
];
