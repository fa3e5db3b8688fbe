/** `serve`: the sidecar on our own stdin and stdout, until the client has gone or we are told to stop. */
import { launch } from "../agent/launch.ts";
import { reasonOf } from "../base/errors.ts";
import type { Invocation, Io } from "./command.ts";
import { configOf } from "./configured.ts";

const stopSignals = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

export async function serve(invocation: Invocation, io: Io): Promise<number> {
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  for (const signal of stopSignals) process.on(signal, onSignal);
  // A defect in one place is no reason to end everybody's sessions; that it happened is said.
  const onUnhandled = (error: unknown) => io.errors.write(`acp-sidecar: unhandled: ${reasonOf(error)}\n`);
  process.on("unhandledRejection", onUnhandled);
  try {
    const { config } = await configOf(invocation, io);
    if ("isTTY" in io.input && io.input.isTTY === true) io.errors.write(terminalHint);
    const launched = config.agent && launch(config.agent);
    const { runSidecar } = await import("../sidecar.ts");
    await runSidecar(config, { input: io.input, output: io.output }, stop.signal, launched);
    return 0;
  } finally {
    process.off("unhandledRejection", onUnhandled);
    for (const signal of stopSignals) process.off(signal, onSignal);
  }
}

/** For a person who started us to see what happens. */
const terminalHint =
  "acp-sidecar waits for an ACP client on its stdin: editors spawn it, people run acp-sidecar --help.\n";
