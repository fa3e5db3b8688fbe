/** The command that finds what was said. */
import type { Command } from "./command.ts";
import { colorFlag, jsonFlag, noPagerFlag } from "./flags.ts";
import { tool } from "./tool.ts";

export const searchCommand: Command = {
  name: "search",
  aliases: ["sessions search"],
  summary: "find what was said in all conversations, whatever agent had them",
  synopsis: "QUERY… [filters] [--limit N] [--json]",
  flags: [
    { name: "cwd", value: "DIR", help: "only in sessions of this folder; . is the one where you are" },
    { name: "agent", value: "NAME", help: "only in sessions of an agent whose name contains this" },
    {
      name: "role",
      value: "user|assistant|thought|tool|plan|summary",
      help: "only messages of this kind",
    },
    {
      name: "since",
      value: "WHEN",
      help: "only what was said since then: 2h, 3d, today, 2026-01-31 (and 14:30)",
    },
    { name: "until", value: "WHEN", help: "only what was said before" },
    { name: "in", value: "ID", help: "only in this session" },
    { name: "archived", help: "in archived sessions, too; --in finds in its session anyway" },
    { name: "superseded", help: "what does not count any more after a rewind, too" },
    { name: "limit", value: "N", help: "at most so many hits (default 20)" },
    jsonFlag,
    noPagerFlag,
    colorFlag,
  ],
  operands: { min: 1, max: Infinity },
  notes: [
    'All words must be there, in one message: case and accents do not matter. "a phrase" stands together, begin* is the beginning of a word, -not must not be there. What begins with a dash stands behind --: search -- -not begin.',
    "Identifiers are found by their parts (parseHTTPHeader by header), Chinese, Japanese and Korean by any two characters.",
    "Each hit has its address: acp-sidecar show ID:SEQ shows it. The shell takes quotes away: '\"a phrase\" -not' in quotes of its own.",
  ],
  run: tool("searchSessions"),
};
