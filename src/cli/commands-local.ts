/** The commands about what runs on this machine. */
import type { Command } from "./command.ts";
import { colorFlag, jsonFlag as json } from "./flags.ts";
import { none, tool } from "./tool.ts";

const yours =
  "Told are your own processes, which answer on a socket that only you can reach; those that run with --endpoint off are not seen.";

export const localCommands: readonly Command[] = [
  {
    name: "ps",
    summary: "show which sidecars run on this machine, for whom, and with which sessions",
    synopsis: "[--json]",
    flags: [json, colorFlag],
    operands: none,
    options: [],
    notes: [
      yours,
      "HEARD is when a process extended its leases last, which it does every third of --lease-ttl.",
    ],
    run: tool("listProcesses"),
  },
  {
    name: "top",
    summary: "watch them: what they do, how much of it, and how long it takes",
    synopsis: "[--every TIME] [--json]",
    flags: [
      { name: "every", value: "TIME", help: "between two looks (default 2s)" },
      { name: "json", help: "print one look as JSON, for programs" },
      colorFlag,
    ],
    operands: none,
    options: [],
    notes: ["On a terminal until q is pressed; elsewhere one look is printed, of one such time."],
    run: tool("watchProcesses"),
  },
  {
    name: "stop",
    summary: "end sidecars on this machine in order: turns are cancelled, what was said is kept",
    synopsis: "PID… [--json]",
    flags: [json],
    operands: { min: 1, max: Infinity },
    options: [],
    notes: [
      "Their clients are told in each session, and see that their agent has gone. sessions end ends single sessions.",
    ],
    run: tool("stopProcesses"),
  },
  {
    name: "figures",
    summary: "print what all sidecars on this machine have counted, as Prometheus reads it",
    synopsis: "[--json]",
    flags: [json],
    operands: none,
    notes: [
      "The sum of those that run and those that ran, and what the configured store holds. docs/operations.md says what each figure means.",
      "Written to a file that ends with .prom it is what node_exporter's textfile collector takes.",
    ],
    run: tool("printFigures"),
  },
];
