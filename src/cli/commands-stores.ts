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
    synopsis: "--from URL --to URL [--plain] [--json]",
    flags: [
      { name: "from", value: "URL", help: "the store that is read; it is left alone" },
      {
        name: "to",
        value: "URL",
        help: "the store that is written; a new one is encrypted if a key is named",
      },
      { name: "plain", help: "do not encrypt a new one" },
      json,
      quietFlag,
    ],
    operands: none,
    options: ["encryptionKey", "previousKeys"],
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
    name: "upkeep",
    summary:
      "look after the store now: what is too old, room, search index, logs, backups; and look whether alerts hold",
    synopsis: "[--backup] [--json]",
    flags: [{ name: "backup", help: "make a backup also when none is due" }, json, quietFlag],
    operands: none,
    options: ["store", "retention", "trash", "archiveAfter", "upkeepInterval"],
    notes: [
      "Sidecars do it by themselves when they are idle, one process at a time: see docs/operations.md.",
      "What is killed in the middle is gone on with the next time.",
    ],
    run: tool("upkeep"),
  },
  {
    name: "verify",
    summary: "read everything that is stored and name what is damaged, or was changed after it was written",
    synopsis: "[--session SESSION] [--repair] [--json]",
    flags: [
      { name: "session", value: "SESSION", help: "read this one alone, and tell more of its integrity" },
      { name: "repair", help: "keep what is sound, set the damaged rest aside (file: and sqlite: stores)" },
      json,
      quietFlag,
    ],
    operands: none,
    notes: [
      "Exit status: 0 when all is sound, 5 when something is damaged or was changed.",
      "The first entry is named that was edited, removed, put in or moved: see docs/security.md.",
      "A repair puts a message in the place of each lost entry; all others keep their numbers.",
    ],
    run: tool("verify"),
  },
  {
    name: "keys generate",
    summary: "make a key to encrypt a store with, and print it or write it to a file that only you can read",
    synopsis: "[--signing] [--out FILE]",
    flags: [
      { name: "signing", help: "make a pair of keys to sign heads of sessions with, and to verify them" },
      {
        name: "out",
        value: "FILE",
        help: "a new file; the key is not printed then. The public one of a pair is FILE.pub",
      },
    ],
    operands: none,
    options: [],
    notes: [
      "Keep a copy where the store is not: without its key nothing in an encrypted store can be read.",
      "A new, empty store is encrypted with the key that --encryption-key names; acp-sidecar migrate copies a plain one.",
    ],
    run: tool("generateKey"),
  },
  {
    name: "keys status",
    summary: "say whether the store is encrypted, and with which keys",
    synopsis: "[--json]",
    flags: [json],
    operands: none,
    options: ["store", "encryptionKey", "previousKeys"],
    run: tool("keysStatus"),
  },
  {
    name: "keys rotate",
    summary:
      "encrypt what is written from now on anew, and put all under the key that --encryption-key names",
    synopsis: "[--json]",
    flags: [json],
    operands: none,
    options: ["store", "encryptionKey", "previousKeys"],
    notes: [
      "Name the new key with --encryption-key, the one before with --previous-keys. It takes one small write.",
      "Sidecars that run with the old key alone cannot read what is written after it: give them both keys first.",
      "The old key is needed no longer afterwards. What was written before stays under keys that it once wrapped.",
    ],
    run: tool("rotateKeys"),
  },
];
