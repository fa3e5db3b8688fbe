/** `top`: what runs on this machine, looked at again and again. */
import { SidecarError } from "../base/errors.ts";
import { pause } from "../base/time.ts";
import { machineSnapshot, machineStatus, type MachineStatus } from "../local/machine.ts";
import type { Snapshot } from "../figures/snapshot.ts";
import type { Invocation, Io } from "./command.ts";
import { print, printJson } from "./print.ts";
import { printStatus } from "./ps.ts";
import { rates, ratesText } from "./rates.ts";
import { Screen } from "./screen.ts";
import { timeFrom } from "./sessions.ts";
import { styleFor, type Style } from "./style.ts";

const everyTimes = { min: 200, max: 3_600_000 };
const usualMs = 2000;

/** At one moment. */
interface Look {
  readonly atMs: number;
  readonly status: MachineStatus;
  readonly figures: Snapshot;
}

export async function watchProcesses(invocation: Invocation, io: Io): Promise<number> {
  const { every, json } = invocation.flags;
  const everyMs = every === undefined ? usualMs : timeFrom("every", every, everyTimes);
  const style = styleFor(invocation, io);
  let before = await look(io);
  const screen = json || io.columns === undefined ? undefined : Screen.open(io);
  if (screen === undefined) {
    await pause(everyMs);
    const now = await look(io);
    if (json) await printJson(io, { ...now.status, rates: ratesOf(before, now), figures: now.figures });
    else await printLook(before, now, io, style);
    return 0;
  }
  try {
    for (let isFirst = true; !screen.ended.aborted; isFirst = false) {
      await pause(isFirst ? everyTimes.min : everyMs, screen.ended);
      if (screen.ended.aborted) break;
      const now = await look(io);
      const [first, last] = [before, now];
      await screen.draw((out) => printLook(first, last, out, style));
      before = now;
    }
  } finally {
    screen.close();
  }
  return 0;
}

async function look({ env }: Io): Promise<Look> {
  const [status, figures] = await Promise.all([machineStatus({ env }), machineSnapshot({ env })]);
  return { atMs: performance.now(), status, figures };
}

function ratesOf(before: Look, now: Look) {
  const seconds = (now.atMs - before.atMs) / 1000;
  if (!(seconds > 0)) throw new SidecarError("INTERNAL", "No time has gone by between two looks");
  return rates(before.figures, now.figures, seconds);
}

async function printLook(
  before: Look,
  now: Look,
  out: Pick<Io, "output" | "columns">,
  style: Style,
): Promise<void> {
  const { gauges } = now.figures;
  await print(
    out,
    `${style.bold("acp-sidecar top")}${out.columns === undefined ? "" : style.dim("  q quits")}\n`,
  );
  for (const line of ratesText(ratesOf(before, now), gauges)) await print(out, `${line}\n`);
  await print(out, "\n");
  await printStatus(now.status, out, style, Date.now());
}
