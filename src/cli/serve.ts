/** `serve`: the sidecar on our own stdin and stdout, until the client has gone or we are told to stop. */
import { constants } from "node:os";
import type { Readable, Writable } from "node:stream";
import type { AgentCommand } from "../config/config.ts";
import { launch, runHere } from "../agent/launch.ts";
import type { Invocation, Io } from "./command.ts";
import { configOf } from "./configured.ts";
import { placeOf } from "./defect-place.ts";
import { agentOf } from "../config/agent-command.ts";

const stopSignals = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

export async function serve(invocation: Invocation, io: Io): Promise<number> {
  const stop = new AbortController();
  let isHere = false;
  // What a person presses on a terminal is for the agent that runs there.
  const onSignal = (signal: NodeJS.Signals) => {
    if (!isHere || signal !== "SIGINT") stop.abort();
  };
  for (const signal of stopSignals) process.on(signal, onSignal);
  // A defect in one place is no reason to end everybody's sessions; that it happened is said.
  const onUnhandled = (error: unknown) => io.errors.write(`acp-sidecar: unhandled: ${placeOf(error)}\n`);
  process.on("unhandledRejection", onUnhandled);
  try {
    const { config } = await configOf(invocation, io);
    const agent = agentOf(config);
    if (isTerminal(io.input)) {
      isHere = agent !== undefined && isTerminal(io.output);
      if (agent !== undefined && isHere) return await onTerminal(agent, io, stop.signal);
      io.errors.write(terminalHint);
    }
    const launched = agent && launch(agent);
    const { runSidecar } = await import("../sidecar.ts");
    await runSidecar(
      config,
      { input: io.input, output: io.output, errors: io.errors },
      stop.signal,
      launched,
    );
    return 0;
  } finally {
    process.off("unhandledRejection", onUnhandled);
    for (const signal of stopSignals) process.off(signal, onSignal);
  }
}

/**
 * A terminal speaks no ACP: somebody wants the agent itself. Editors that let their user log in to the agent run its
 * command in a terminal, followed by arguments for that (auth methods of type "terminal").
 */
async function onTerminal(agent: AgentCommand, io: Io, stop: AbortSignal): Promise<number> {
  io.errors.write(`acp-sidecar: this is a terminal: running ${agent.command} itself\n`);
  const { exitCode, signal } = await runHere(agent, stop);
  return exitCode ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}

function isTerminal(stream: Readable | Writable): boolean {
  return "isTTY" in stream && stream.isTTY === true;
}

/** For a person who started us to see what happens. */
const terminalHint =
  "acp-sidecar waits for an ACP client on its stdin: editors spawn it, people run acp-sidecar --help.\n";
