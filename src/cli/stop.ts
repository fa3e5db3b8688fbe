/** `stop`: sidecars on this machine are told to end; and the way to whoever holds a session here. */
import { SidecarError } from "../base/errors.ts";
import { processSpace } from "../base/process.ts";
import { pause } from "../base/time.ts";
import { endIn, type EndParams } from "../local/answers.ts";
import { ask } from "../local/client.ts";
import { placesOf } from "../local/machine.ts";
import type { Invocation, Io } from "./command.ts";
import { Failures } from "./failures.ts";
import { print, printJson } from "./print.ts";

/** A cancelled turn may go on for --cancel-grace, which is at most an hour. */
const longestEndMs = 3_700_000;
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

/**
 * Asks whoever holds a session, if it is a process of ours on this machine, to end it in order. False where it is none,
 * does not answer, or does not have the session any more.
 */
export async function askedHolder(
  { host, pid }: { readonly host: string; readonly pid: number },
  sessionId: string,
  env: Io["env"],
): Promise<boolean> {
  if (host !== processSpace()) return false;
  return (await tell(pid, { sessionId }, env)).includes("ended");
}

/** Errors: `USAGE` for what is no process of ours, `INTERNAL` for one that does not end. */
async function stopProcess(pid: number, { env }: Io): Promise<void> {
  const told = await tell(pid, { process: true }, env);
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

/** What its endpoints say; those that do not answer say nothing. */
async function tell(pid: number, params: EndParams, env: Io["env"]): Promise<readonly string[]> {
  const question = { method: "end", params, timeoutMs: longestEndMs };
  const asked = placesOf(pid, env).map(({ path }) => ask(path, question, endIn));
  return (await Promise.all(asked)).flatMap((each) =>
    each.kind === "answered" ? [each.answer.outcome] : [],
  );
}

/** Errors: `USAGE`. */
function pidFrom(text: string): number {
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text);
  throw new SidecarError("USAGE", `${JSON.stringify(text)} is no process number; acp-sidecar ps lists them`);
}
