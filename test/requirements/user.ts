/** Command line, configuration, logs. */
import type { RequirementTable } from "./manifest.ts";

export const userRequirements: RequirementTable = {
  "issue 2: Command line and configuration": {
    "cli-help": "--help for the program and for each command, --version",
    "cli-usage": "a wrong flag, command or value gets one line that names it, on stderr, and status 2",
    "cli-status": "exit statuses by kind of error: not found 4, store 5",
    "cli-sessions": "sessions ls, show, rm, stats and gc, for people and with --json",
    "cli-doctor": "doctor tells what an agent can by itself and through the sidecar",
    "config-order": "defaults < file < environment < flags, and config prints where each value came from",
    "config-idle": "after the idle time a live session is detached, its history kept",
    "config-retention": "after the retention a session is deleted",
    "log-place": "logs go to stderr or a file",
  },
  "issue 12: Operations": {
    hooks: "what happens to sessions is told to programs and addresses, at least once, and holds up no turn",
    upkeep:
      "a sidecar that is idle looks after its store: one process at a time, and a kill in the middle does no harm",
  },
  "protocol.md: Bad input, privacy": {
    "private-logs": "logs carry no prompt text, file contents or secrets above debug, MCP secrets never",
    "private-errors": "errors carry no prompt text and no secrets",
    "private-store": "the store's file is the user's alone",
  },
};
