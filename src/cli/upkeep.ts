/** `upkeep`: the store is looked after now, and whoever is to be alerted is. */
import { errorFaces, isSidecarError, SidecarError } from "../base/errors.ts";
import { createLogger, type Logger } from "../base/log.ts";
import type { Config } from "../config/config.ts";
import type { AlertNow } from "../upkeep/alerts.ts";
import type { RoundDone } from "../upkeep/round.ts";
import { Rounds } from "../upkeep/rounds.ts";
import type { Invocation, Io } from "./command.ts";
import { configOf } from "./configured.ts";
import { interruptible } from "./interrupt.ts";
import { print, printFacts, printJson, timeText } from "./print.ts";
import { Progress } from "./progress.ts";
import { withSessions } from "./sessions.ts";

/** How long who is alerted may take. */
const graceMs = 5000;

export async function upkeep(invocation: Invocation, io: Io): Promise<number> {
  let isOpen = false;
  try {
    return await withSessions(invocation, io, async (registry, config, _leftOut, { store }) => {
      isOpen = true;
      if (!store.capabilities.persistent) {
        await print(
          io,
          invocation.flags["json"] ? "{}\n" : "Nothing is kept here that could be looked after.\n",
        );
        return 0;
      }
      return withRounds({ config, registry, store, env: io.env }, io, (rounds) =>
        look(rounds, invocation, io),
      );
    });
  } catch (error) {
    // Who is to be alerted of a store that cannot be opened is.
    if (!isOpen && isSidecarError(error) && error.code !== "CONFIG_INVALID" && error.code !== "USAGE") {
      const { config } = await configOf(invocation, io);
      await withRounds({ config, openError: error, env: io.env }, io, (rounds) => rounds.alerts());
    }
    throw error;
  }
}

async function withRounds<T>(
  parts: Omit<ConstructorParameters<typeof Rounds>[0], "log">,
  io: Pick<Io, "errors">,
  use: (rounds: Rounds) => Promise<T>,
): Promise<T> {
  const log = logFor(parts.config, io);
  const rounds = new Rounds({ ...parts, log });
  try {
    return await use(rounds);
  } finally {
    await rounds.close(graceMs);
    log.close();
  }
}

/** Each round is in the log, if there is one. */
function logFor({ logFile: file, logLevel: level }: Config, { errors }: Pick<Io, "errors">): Logger {
  return file === undefined
    ? createLogger({ level: "warn", target: errors, readable: true })
    : createLogger({ level, file });
}

async function look(rounds: Rounds, invocation: Invocation, io: Io): Promise<number> {
  const progress = new Progress(invocation, io, "upkeep");
  const withBackup = invocation.flags["backup"] === true;
  const [round, alerts] = await interruptible(
    () => "what is left is done in the next round",
    async (signal) => {
      signal.addEventListener("abort", () => rounds.abort(), { once: true });
      const onStep = (name: string) => progress.stage(`${name}…`, "parts");
      const onProgress = (done: number, total: number) => progress.at(done, total);
      const done = await rounds.round({ withBackup, onStep, onProgress });
      signal.throwIfAborted();
      return [done, await rounds.alerts()] as const;
    },
  ).finally(() => progress.end());
  if (round === undefined)
    throw new SidecarError(
      "STORE_LOCKED",
      "Another process is looking after this store now; run it again when that is done",
    );
  if (invocation.flags["json"]) await printJson(io, { ...round, ...(alerts && { alerts }) });
  else await told(io, round, alerts);
  return round.steps.every(({ ok }) => ok) ? 0 : errorFaces.STORE_FAILED.exitStatus;
}

async function told(io: Io, { steps }: RoundDone, alerts: readonly AlertNow[] = []): Promise<void> {
  await printFacts(
    io,
    steps.map(({ name, ok, words }) => [name, ok ? words : `FAILED: ${words}`]),
  );
  if (alerts.length > 0) await print(io, "\nAlerts\n");
  await printFacts(
    io,
    alerts.map((alert) => [alert.when, alertText(alert)]),
  );
}

function alertText({ holds, sinceMs, told: change, words }: AlertNow): string {
  if (holds === undefined) return "cannot be told now";
  const state = holds ? `holds since ${timeText(sinceMs ?? Date.now())}` : "does not hold";
  const more = [change === undefined ? undefined : `told now: it ${change}`, holds ? words : undefined];
  return [state, ...more.filter((each) => each !== undefined)].join("; ");
}
