/** Which agent is configured: a program, or the built-in one. */
import type { StartAgent } from "./agent.ts";
import { EchoAgent } from "./echo.ts";
import type { AgentCommand } from "../config/config.ts";
import type { Launched } from "./launch.ts";
import { startProcessAgent, type ProcessAgentOptions } from "./process.ts";

interface OpenAgentOptions extends Omit<ProcessAgentOptions, keyof AgentCommand> {
  /** The first run's process, when it has been started already. */
  readonly launched?: Promise<Launched> | undefined;
}

/** What it returns starts a new run at each call. */
export function openAgent(command: AgentCommand | undefined, options: OpenAgentOptions): StartAgent {
  if (command === undefined) return async (handlers) => new EchoAgent(handlers);
  let first = options.launched;
  return (handlers) => {
    const launched = first;
    first = undefined;
    return startProcessAgent({ ...options, ...command }, handlers, launched);
  };
}
