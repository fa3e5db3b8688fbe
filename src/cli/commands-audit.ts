/** The commands about what is recorded of who did what. */
import type { Command } from "./command.ts";
import { jsonFlag as json } from "./flags.ts";
import { none, tool } from "./tool.ts";

export const auditCommands: readonly Command[] = [
  {
    name: "audit show",
    summary: "show who did what, the oldest first",
    synopsis: "[--since WHEN] [--session ID] [--who NAME] [--json|--jsonl]",
    flags: [
      { name: "since", value: "WHEN", help: "only from then on: 2h, 3d, today, 2026-01-31 (and 14:30)" },
      { name: "session", value: "ID", help: "only what was done to sessions whose id contains this" },
      { name: "who", value: "NAME", help: "only what was done by principals whose name contains this" },
      json,
      { name: "jsonl", help: "print a JSON object a line" },
    ],
    operands: none,
    options: ["audit", "auditFile", "auditBytes", "auditFiles"],
    run: tool("showAudit"),
  },
  {
    name: "audit verify",
    summary: "say whether the audit log is as it was written, and name the first line that is not",
    synopsis: "[--anchor VALUE] [--json]",
    flags: [
      {
        name: "anchor",
        value: "VALUE",
        help: "what audit anchor once printed: the log must go on from there",
      },
      json,
    ],
    operands: none,
    options: ["auditFile"],
    notes: [
      "Exit status: 0 when it is, 5 when it is not.",
      "Whoever can write the log can write it anew from any line on, or shorten it: an anchor that is kept elsewhere shows that.",
    ],
    run: tool("verifyAudit"),
  },
  {
    name: "audit anchor",
    summary: "print the newest value of the audit log, to be kept elsewhere",
    synopsis: "",
    flags: [],
    operands: none,
    options: ["auditFile"],
    run: tool("printAnchor"),
  },
];
