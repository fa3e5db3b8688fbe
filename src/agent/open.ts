/** Which agent it is that is configured: a program of its own, or the built-in one. */
import type { Logger } from "../base/log.ts";
import type { Outlet } from "../base/outlet.ts";
import type { Secrets } from "../base/secrets.ts";
import type { StartAgent } from "./agent.ts";
import { EchoAgent } from "./echo.ts";
import type { AgentCommand } from "./command.ts";
import type { Launched } from "./launch.ts";
import { startProcessAgent } from "./process.ts";

export interface OpenAgentOptions {
  readonly maxMessageBytes: number;
  /** How long a process may take to end by itself when its input has ended, and then after SIGTERM. */
  readonly stopGraceMs: number;
  readonly log: Logger;
  /** What a process says on its stderr goes there, as it comes. */
  readonly errors?: Outlet | undefined;
  /** Taken out of what a process says. */
  readonly secrets?: Secrets | undefined;
  /** The first run's process, when it has been started already. */
  readonly launched?: Promise<Launched> | undefined;
}

/** Every run is a new one. */
export function openAgent(command: AgentCommand | undefined, options: OpenAgentOptions): StartAgent {
  if (command === undefined) return async (handlers) => new EchoAgent(handlers);
  let first = options.launched;
  return (handlers) => {
    const launched = first;
    first = undefined;
    return startProcessAgent({ ...options, ...command }, handlers, launched);
  };
}
