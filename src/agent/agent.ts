/** The Agent contract: an ACP peer that answers prompts, whatever stands behind it. */
import type { SidecarError } from "../base/errors.ts";
import type { ProcessIdentity } from "../base/process.ts";
import type { Connection, PeerHandlers } from "../rpc/endpoint.ts";

/** How an agent ended. */
export interface AgentExit {
  /** What pending requests are rejected with: says the exit status and the last lines of stderr. */
  readonly error: SidecarError;
  /** We asked for it. */
  readonly wanted: boolean;
}

/** One run of an agent, from its start to its end. */
export interface Agent {
  /** Requests, notifications and texts to the agent; closed when it has ended. */
  readonly connection: Connection;
  /** The process, if it is one of its own. */
  readonly process?: ProcessIdentity;
  /** Settles when it has ended and everything that it sent has been taken. */
  readonly exited: Promise<AgentExit>;
  /** Ends it and everything that it started; settles when it is gone. Idempotent. */
  stop(): Promise<void>;
}

/** Starts a run of the agent. Errors: `AGENT_NOT_STARTED`. */
export type StartAgent = (handlers: PeerHandlers) => Promise<Agent>;
