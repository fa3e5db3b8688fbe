/** The commands that are about stores as a whole. */
import type { Command } from "./command.ts";
import { jsonFlag as json, quietFlag } from "./flags.ts";
import { none, tool } from "./tool.ts";

export const storeCommands: readonly Command[] = [
  {
    name: "import",
    summary:
      "bring in the history of an agent, or bundles, as sessions like any other; run again, it brings in what is new",
    synopsis: "claude|codex|gemini|opencode [PATH]|BUNDLE|DIR [--dry-run] [--since WHEN] [--watch] [--json]",
    flags: [
      { name: "dry-run", help: "say what would be imported, and write nothing" },
      {
        name: "since",
        value: "WHEN",
        help: "only sessions that were written to since then: 2h, 3d, today, 2026-01-31",
      },
      { name: "watch", help: "keep up with what is written there, until Ctrl-C" },
      json,
      quietFlag,
    ],
    operands: { min: 1, max: 2 },
    notes: [
      "PATH is the folder of the agent's histories, or a file of them; unless told, where the agent keeps them.",
      "BUNDLE is a file that acp-sidecar export has written, DIR a folder of those.",
      "Nothing there is changed. What cannot be read is named, a line each, and the rest is imported.",
      "Exit status: 0 when all was read, 5 when something could not be.",
    ],
    run: tool("importSessions"),
  },
  {
    name: "migrate",
    summary: "copy all sessions from one store into another; goes on where it was interrupted",
    synopsis: "--from URL --to URL [--json]",
    flags: [
      { name: "from", value: "URL", help: "the store that is read; it is left alone" },
      { name: "to", value: "URL", help: "the store that is written" },
      json,
      quietFlag,
    ],
    operands: none,
    options: [],
    notes: ["Every copy is compared with its original by content."],
    run: tool("migrate"),
  },
  {
    name: "backup",
    summary: "copy all sessions of the store into another one, while it is in use",
    synopsis: "--to URL [--json]",
    flags: [
      { name: "to", value: "URL", help: "such as file:/backups/sessions or sqlite:/backups/sessions.db" },
      json,
      quietFlag,
    ],
    operands: none,
    notes: [
      "A store of the same kind that is not there yet is copied as it is at one instant, in one piece.",
      "Run again into the same place it copies what is new.",
    ],
    run: tool("backup"),
  },
  {
    name: "restore",
    summary: "copy all sessions of a backup into the store; what is there already stays",
    synopsis: "--from URL [--json]",
    flags: [{ name: "from", value: "URL", help: "the backup" }, json, quietFlag],
    operands: none,
    run: tool("restore"),
  },
  {
    name: "verify",
    summary: "read everything that is stored and name what is damaged",
    synopsis: "[--repair] [--json]",
    flags: [
      { name: "repair", help: "keep what is sound, set the damaged rest aside (file: and sqlite: stores)" },
      json,
      quietFlag,
    ],
    operands: none,
    notes: [
      "Exit status: 0 when all is sound, 5 when something is damaged.",
      "A repair puts a message in the place of each lost entry; all others keep their numbers.",
    ],
    run: tool("verify"),
  },
];
