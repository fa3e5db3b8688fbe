/** `stop`: sidecars on this machine are told to end. */
import { SidecarError } from "../base/errors.ts";
import { pause } from "../base/time.ts";
import { tellToEnd } from "../local/ending.ts";
import { placesOf } from "../local/machine.ts";
import type { Invocation, Io } from "./command.ts";
import { Failures } from "./failures.ts";
import { print, printJson } from "./print.ts";

/** When a process has told us that it ends: so often it is looked whether it has. */
const lookMs = 20;
const longestStopMs = 30_000;

export async function stopProcesses(invocation: Invocation, io: Io): Promise<number> {
  const failures = new Failures(io);
  const stopped: number[] = [];
  for (const operand of invocation.operands)
    await failures.of(operand, async () => {
      const pid = pidFrom(operand);
      await stopProcess(pid, io);
      stopped.push(pid);
      if (!invocation.flags["json"]) await print(io, `Stopped ${pid}\n`);
    });
  if (invocation.flags["json"]) await printJson(io, { stopped, failed: failures.list });
  return failures.status;
}

/** Errors: `USAGE` for what is no process of ours, `INTERNAL` for one that does not answer or end. */
async function stopProcess(pid: number, { env }: Io): Promise<void> {
  const told = await tellToEnd(pid, { process: true }, env);
  if (!told.includes("ending") && told.includes("silent"))
    throw new SidecarError(
      "INTERNAL",
      `Process ${pid} does not answer: it is stopped, or hangs; kill -9 ${pid} ends it without order`,
    );
  if (!told.includes("ending"))
    throw new SidecarError(
      "USAGE",
      `There is no sidecar of yours with process number ${pid}; acp-sidecar ps lists them`,
    );
  for (const untilMs = performance.now() + longestStopMs; performance.now() < untilMs; await pause(lookMs))
    if (placesOf(pid, env).length === 0) return;
  throw new SidecarError(
    "INTERNAL",
    `Process ${pid} was told to end and has not; kill ${pid} ends it without order`,
  );
}

/** Errors: `USAGE`. */
function pidFrom(text: string): number {
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text);
  throw new SidecarError("USAGE", `${JSON.stringify(text)} is no process number; acp-sidecar ps lists them`);
}
