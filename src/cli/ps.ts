/** `ps`: what runs on this machine. */
import { sizeText } from "../base/size-text.ts";
import { machineStatus, type MachineStatus } from "../local/machine.ts";
import type { Invocation, Io } from "./command.ts";
import { agoText, countText, print, printJson } from "./print.ts";
import { styleFor, type Style } from "./style.ts";
import { printTable, type Column } from "./table.ts";

export async function listProcesses(invocation: Invocation, io: Io): Promise<number> {
  const style = styleFor(invocation, io);
  const status = await machineStatus({ env: io.env });
  if (invocation.flags["json"]) await printJson(io, status);
  else await printStatus(status, io, style, Date.now());
  return 0;
}

/** Processes, and the sessions that they hold. */
export async function printStatus(
  { processes, silent }: MachineStatus,
  io: Pick<Io, "output" | "columns">,
  style: Style,
  nowMs: number,
): Promise<void> {
  if (processes.length === 0) await print(io, "No sidecar is running.\n");
  else
    await printTable(
      io,
      processColumns,
      processes.map((each) => processRow(each, nowMs)),
      style.bold,
    );
  const live = processes.flatMap(({ pid, sessions }) => sessions.map((session) => ({ pid, ...session })));
  if (live.length > 0) {
    await print(io, "\n");
    const rows = live.map(({ id, pid, turnSinceMs, clients, waiting }) => [
      id,
      String(pid),
      turnSinceMs === undefined ? "–" : forText(nowMs - turnSinceMs),
      String(clients),
      String(waiting),
    ]);
    await printTable(io, sessionColumns, rows, style.bold);
  }
  if (silent.length > 0) {
    const who = `${countText(silent.length, "process", "processes")} did not answer: ${silent.join(", ")}`;
    await print(io, style.yellow(`\n${who}\n`));
  }
}

const right = (title: string, leaveOut?: number): Column => ({
  title,
  align: "right",
  ...(leaveOut !== undefined && { leaveOut }),
});

const processColumns: readonly (string | Column)[] = [
  right("PID"),
  { title: "COMMAND", leaveOut: 2 },
  { title: "CLIENT", min: 8 },
  { title: "AGENT", min: 8, keep: "end" },
  { title: "SINCE", leaveOut: 3 },
  { title: "HEARD", leaveOut: 1 },
  right("SESSIONS"),
  right("TURNS"),
  right("MEMORY", 4),
  { title: "STORE", min: 10, keep: "end", leaveOut: 0 },
];

const sessionColumns: readonly (string | Column)[] = [
  "SESSION",
  right("PID"),
  { title: "TURN FOR" },
  right("CLIENTS"),
  right("WAITING", 1),
];

function processRow(each: MachineStatus["processes"][number], nowMs: number): string[] {
  const { client, sessions } = each;
  return [
    String(each.pid),
    each.kind,
    client === undefined ? "–" : [client.name, client.version].filter((part) => part !== undefined).join(" "),
    each.agentPid === undefined ? each.agent : `${each.agent} (${each.agentPid})`,
    agoText(each.sinceMs, nowMs),
    each.heartbeatAtMs === undefined ? "–" : `${forText(nowMs - each.heartbeatAtMs)} ago`,
    String(sessions.length),
    String(sessions.filter(({ turnSinceMs }) => turnSinceMs !== undefined).length),
    sizeText(each.residentBytes),
    each.store,
  ];
}

/** `42s`, `3m 5s`, `2h 10m` */
export function forText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes}m ${seconds % 60}s` : `${Math.floor(minutes / 60)}h ${minutes % 60}m`;
}
