/** What an agent can do by itself, and what it can do with us in front. https://agentclientprotocol.com/protocol/v1/initialization */
import { isRecord, type Json } from "../base/json.ts";
import type { AgentFacts } from "../store/contract.ts";

/** The protocol version that we speak. */
export const protocolVersion = 1;

export interface AgentCapabilities {
  readonly load: boolean;
  readonly list: boolean;
  readonly resume: boolean;
  readonly close: boolean;
  readonly delete: boolean;
  readonly fork: boolean;
  readonly embeddedContext: boolean;
}

/** An agent's answer to `initialize`. */
type Initialized = Readonly<Record<string, unknown>>;

export function capabilitiesOf(initialized: Initialized): AgentCapabilities {
  const capabilities = recordOr(initialized.agentCapabilities);
  const session = recordOr(capabilities.sessionCapabilities);
  const can = (name: string) => session[name] !== undefined && session[name] !== null;
  return {
    load: capabilities.loadSession === true,
    list: can("list"),
    resume: can("resume"),
    close: can("close"),
    delete: can("delete"),
    fork: can("fork"),
    embeddedContext: recordOr(capabilities.promptCapabilities).embeddedContext === true,
  };
}

/** The agent's answer to `initialize` with what the sidecar adds laid over it. */
export function overlay(initialized: Initialized): Initialized {
  const capabilities = recordOr(initialized.agentCapabilities);
  const theirs = recordOr(capabilities.sessionCapabilities);
  const ours = { list: {}, resume: {}, close: {}, delete: {}, fork: {} };
  const given = Object.fromEntries(Object.entries(theirs).filter(([, value]) => value !== null));
  return {
    ...initialized,
    protocolVersion,
    agentCapabilities: {
      ...capabilities,
      loadSession: true,
      sessionCapabilities: { ...ours, ...given },
    },
  };
}

/** What is recorded of the agent with a session. */
export function agentFactsOf({ agentInfo }: Initialized, command: string | undefined): AgentFacts {
  return {
    ...(isRecord(agentInfo) && { info: agentInfo as Json }),
    ...(command !== undefined && { command }),
  };
}

function recordOr(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}
