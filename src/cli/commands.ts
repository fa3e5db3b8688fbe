/** The commands. Each loads its code when it runs, because an editor waits for `serve`. */
import { accessCommands } from "./commands-access.ts";
import type { Command } from "./command.ts";
import { colorFlag, jsonFlag as json, deletionFlags, noPagerFlag, quietFlag } from "./flags.ts";
import { auditCommands } from "./commands-audit.ts";
import { contextCommands } from "./commands-context.ts";
import { httpCommand } from "./commands-http.ts";
import { historyCommands } from "./commands-history.ts";
import { localCommands } from "./commands-local.ts";
import { orderCommands } from "./commands-order.ts";
import { searchCommand } from "./commands-search.ts";
import { storeCommands } from "./commands-stores.ts";
import { none, tool } from "./tool.ts";

const address =
  "ID may be four or more characters of an id's beginning or end, last for the newest session of this folder, or last~2 for the second before it";

export const serveCommand: Command = {
  name: "serve",
  summary: "serve a client on stdin and stdout (the default command)",
  synopsis: "[options] [-- agent-command args…]",
  flags: [],
  operands: "agent",
  options: "all",
  notes: ["Without an agent's command the built-in echo agent answers."],
  run: async (invocation, io) => (await import("./serve.ts")).serve(invocation, io),
};

export const commands: readonly Command[] = [
  serveCommand,
  {
    name: "sessions ls",
    aliases: ["sessions", "sessions list", "ls", "list"],
    summary: "list sessions, newest activity first",
    synopsis: "[filters] [--limit N] [--json|--jsonl]",
    flags: [
      { name: "agent", value: "NAME", help: "only those of an agent whose name contains this" },
      { name: "cwd", value: "DIR", help: "only those of this folder; . is the one where you are" },
      { name: "title", value: "TEXT", help: "only those whose title contains this" },
      {
        name: "state",
        value: "running|open|idle",
        help: "only those in a turn, held by somebody, or neither",
      },
      {
        name: "since",
        value: "WHEN",
        help: "only those active since then: 2h, 3d, today, 2026-01-31 (and 14:30)",
      },
      { name: "until", value: "WHEN", help: "only those without activity since then" },
      { name: "limit", value: "N", help: "at most this many (default 50)" },
      json,
      { name: "jsonl", help: "print a JSON object a line, as they are found" },
      { name: "archived", help: "only those in the archive, which other lists leave out" },
      { name: "trash", help: "what was deleted and can be restored, the last deleted first" },
      colorFlag,
    ],
    operands: none,
    run: tool("listSessions"),
  },
  {
    name: "sessions show",
    aliases: ["show"],
    summary: "show one session: what is known of it, and the conversation",
    synopsis:
      "ID[:SEQ] [--last N] [--at SEQ] [--from SEQ] [--tools none|brief|full] [--entries] [--json|--jsonl]",
    flags: [
      { name: "last", value: "N", help: "only the last N turns, or entries with --entries" },
      { name: "at", value: "SEQ", help: "only the turn that this entry belongs to" },
      { name: "from", value: "SEQ", help: "from this entry on" },
      { name: "thoughts", help: "the agent's thoughts in full, not their beginnings" },
      {
        name: "tools",
        value: "none|brief|full",
        help: "tool calls: none, a line each (default), or with what they were given and gave",
      },
      { name: "superseded", help: "also what a rewind left behind, marked as such" },
      { name: "entries", help: "the journal's entries as they stand there" },
      json,
      { name: "jsonl", help: "print a JSON object a line: the messages, or entries with --entries" },
      noPagerFlag,
      colorFlag,
    ],
    operands: { min: 1, max: 1 },
    notes: [
      `${address}. With SEQ only that entry is shown.`,
      "On a terminal it is read through PAGER (less, unless told).",
    ],
    run: tool("showSession"),
  },
  searchCommand,
  {
    name: "sessions rm",
    aliases: ["sessions remove", "sessions delete"],
    summary: "delete sessions; they can be restored from the trash",
    synopsis: "ID… [--dry-run] [--yes] [--force] [--json]",
    flags: [
      ...deletionFlags,
      { name: "force", help: "also one that has a turn running, or cannot be read" },
      json,
    ],
    operands: { min: 1, max: Infinity },
    options: ["store", "trash"],
    notes: [`${address}.`, "With --trash off they are deleted for good."],
    run: tool("removeSessions"),
  },
  {
    name: "sessions restore",
    summary: "bring back sessions from the trash",
    synopsis: "ID…|--all|--since WHEN [--json]",
    flags: [
      { name: "all", help: "everything in the trash" },
      { name: "since", value: "WHEN", help: "what was deleted since then: 10m, 2h, today" },
      json,
    ],
    operands: { min: 0, max: Infinity },
    notes: [
      "ID as elsewhere; last is the session that was deleted last. acp-sidecar sessions ls --trash lists them.",
    ],
    run: tool("restoreSessions"),
  },
  ...orderCommands,
  {
    name: "sessions move",
    aliases: ["sessions mv"],
    summary: "put a session into another folder, because its project has moved",
    synopsis: "ID DIR [--json]",
    flags: [json],
    operands: { min: 2, max: 2 },
    notes: ["A session that has a turn running is busy: it moves when the turn has ended."],
    run: tool("moveSession"),
  },
  {
    name: "sessions stats",
    summary: "count sessions, entries and bytes, and say how they grow",
    synopsis: "[--growth] [--json]",
    flags: [
      { name: "growth", help: "how much comes in a day, and when the disk is full at this rate" },
      json,
    ],
    operands: none,
    run: tool("storeStats"),
  },
  {
    name: "sessions gc",
    summary: "delete sessions without activity that nobody holds, and what has been in the trash long enough",
    synopsis: "[--older-than TIME] [--trash] [--dry-run] [--yes] [--json]",
    flags: [
      { name: "older-than", value: "TIME", help: "such as 30d (default: the configured retention)" },
      { name: "trash", help: "empty the trash, for good; with --older-than of what was deleted before" },
      ...deletionFlags,
      json,
      quietFlag,
    ],
    operands: none,
    options: ["store", "retention"],
    notes: [
      "They go to the trash, from which sessions restore brings them back.",
      "With the trash goes what sessions compact has kept, of the same age.",
    ],
    run: tool("collectSessions"),
  },
  ...accessCommands,
  ...historyCommands,
  ...contextCommands,
  ...storeCommands,
  httpCommand,
  ...localCommands,
  ...auditCommands,
  {
    name: "doctor",
    summary: "try an agent and the store, and say how to fix what is wrong",
    synopsis: "[options] [--json] [-- agent-command args…]",
    flags: [
      { name: "prompt", value: "TEXT", help: "try a turn with it, which may cost money" },
      { name: "timeout", value: "TIME", help: "how long to wait for each answer (default 60s)" },
      json,
      quietFlag,
    ],
    operands: "agent",
    run: tool("doctor"),
  },
  {
    name: "demo",
    summary: "kill a sidecar in the middle of a turn and show that nothing was lost",
    synopsis: "[-- agent-command args…]",
    flags: [
      { name: "prompt", value: "TEXT", help: "what to ask the agent" },
      { name: "timeout", value: "TIME", help: "how long to wait for each answer (default 10m)" },
    ],
    operands: "agent",
    options: [],
    notes: ["Uses a store of its own in a temporary folder."],
    run: tool("demo"),
  },
  {
    name: "config",
    summary: "print the configuration in force and where each value comes from",
    synopsis: "[options] [--json] [-- agent-command args…]",
    flags: [json],
    operands: "agentAfterDashes",
    options: "all",
    run: tool("printConfig"),
  },
  {
    name: "config init",
    summary: "write a configuration file that explains every option",
    synopsis: "[options] [--force] [-- agent-command args…]",
    flags: [{ name: "force", help: "replace a file that is there" }],
    operands: "agentAfterDashes",
    options: "all",
    notes: [
      "Options and an agent's command that are given are set in it; all others stand there as comments.",
    ],
    run: tool("initConfig"),
  },
  {
    name: "config path",
    summary: "print the path of the configuration file that is read when it is there",
    synopsis: "",
    flags: [],
    operands: none,
    options: [],
    run: tool("printConfigPath"),
  },
  {
    name: "completion",
    summary: "print a script that completes commands and options in a shell",
    synopsis: "bash|zsh|fish|powershell",
    flags: [],
    operands: { min: 1, max: 1, oneOf: ["bash", "zsh", "fish", "powershell"] },
    options: [],
    notes: [
      'bash: eval "$(acp-sidecar completion bash)", in ~/.bashrc.',
      'zsh: eval "$(acp-sidecar completion zsh)", in ~/.zshrc after compinit.',
      "fish: acp-sidecar completion fish > ~/.config/fish/completions/acp-sidecar.fish",
      "powershell: acp-sidecar completion powershell | Out-String | Invoke-Expression, in $PROFILE.",
    ],
    run: async (invocation, io) => (await import("./tools.ts")).printCompletion(invocation, io, commands),
  },
];
