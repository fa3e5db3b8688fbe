/** The Agent contract: an ACP peer that answers prompts, whatever stands behind it. */
import type { ArrivedUpdate } from "../acp/updates.ts";
import type { SidecarError } from "../base/errors.ts";
import type { ProcessIdentity } from "../base/process.ts";
import type { PeerHandlers, RequestOptions } from "../rpc/endpoint.ts";

/** How an agent ended. */
export interface AgentExit {
  /** What pending requests are rejected with: says the exit status and the last lines of stderr. */
  readonly error: SidecarError;
  /** We asked for it. */
  readonly wanted: boolean;
}

/** What an agent's messages are handed to, in order. A returned promise holds back the messages after it. */
export interface AgentHandlers extends Pick<PeerHandlers, "request" | "notification"> {
  /** `session/update`s that came together. */
  updates(updates: readonly ArrivedUpdate[]): void | Promise<void>;
}

/** One run of an agent, from its start to its end. */
export interface Agent {
  /** The process, if it is one of its own. */
  readonly process?: ProcessIdentity;
  /** Grows with whatever the agent says. */
  readonly received: number;
  /** Rejects with the agent's `RpcError`, or with the error of its end. What it said before its answer has been handed over. */
  request(method: string, params: unknown, options?: RequestOptions): Promise<unknown>;
  /** Settles when the agent takes more; what it cannot take any more is dropped. */
  notify(method: string, params: unknown): Promise<void>;
  /** Settles when it has ended and everything that it sent has been taken. */
  readonly exited: Promise<AgentExit>;
  /** Ends it and everything that it started; settles when it is gone. Idempotent. */
  stop(): Promise<void>;
  /** Gives up one that does not listen: what is pending is rejected with `reason` at once, and it is ended. */
  abandon(reason: SidecarError): void;
}

/** Starts a run of the agent. Errors: `AGENT_NOT_STARTED`. */
export type StartAgent = (handlers: AgentHandlers) => Promise<Agent>;
