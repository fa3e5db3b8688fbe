/**
 * `initialize`, version 1: what an agent can do by itself, and what it can do with us in front.
 * https://agentclientprotocol.com/protocol/v1/initialization
 */
import { SidecarError } from "../../base/errors.ts";
import { isRecord, keepable, type Json } from "../../base/json.ts";
import type { AgentFacts } from "../../store/contract.ts";
import type { Capability } from "../kinds.ts";
import { metaKey } from "../meta.ts";

type Fields = Readonly<Record<string, unknown>>;

/** The version that we speak. */
const protocolVersion = 1;

/** What an agent is asked, whatever the client asked for: to the agent we are the client, and this is what we speak. */
export function initializeRequest(params: Fields): Fields {
  return { ...params, protocolVersion };
}

/** What an agent of our own answers. */
export function initializeResult(result: Fields): Fields {
  return { protocolVersion, ...result };
}

/** The version that an agent answered with; undefined if it names none. */
export function versionOf(initialized: Fields): number | undefined {
  return typeof initialized.protocolVersion === "number" ? initialized.protocolVersion : undefined;
}

/** An agent names another version when it does not have ours: we would misunderstand each other. */
export function checkVersion(initialized: Fields): void {
  const version = versionOf(initialized);
  if (version === undefined || version === protocolVersion) return;
  throw new SidecarError(
    "AGENT_PROTOCOL",
    `The agent speaks version ${version} of ACP, not version ${protocolVersion}; use a release of it that does`,
    { data: { protocolVersion: version } },
  );
}

/** Which kinds of updates a client said that it takes. */
export function takenBy(capabilities: Json | undefined): ReadonlySet<Capability> {
  const all = isRecord(capabilities) ? capabilities : {};
  const session = isRecord(all.session) ? all.session : {};
  const given = { compaction: session.compaction, plan: all.plan, subagents: all.subagents };
  const names = Object.keys(given) as Capability[];
  return new Set(names.filter((name) => isRecord(given[name])));
}

export interface AgentCapabilities {
  readonly load: boolean;
  readonly list: boolean;
  readonly resume: boolean;
  readonly close: boolean;
  readonly delete: boolean;
  readonly fork: boolean;
  /** By a message of any place, as another sidecar can. */
  readonly forkAt: boolean;
  readonly title: boolean;
  readonly archive: boolean;
  readonly status: boolean;
  readonly directories: boolean;
  readonly systemPrompt: boolean;
  readonly embeddedContext: boolean;
}

export function capabilitiesOf(initialized: Fields): AgentCapabilities {
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
    forkAt: recordOr(recordOr(recordOr(session.fork)._meta)[metaKey]).at === true,
    title: can("title"),
    archive: can("archive"),
    status: can("status"),
    directories: can("additionalDirectories"),
    systemPrompt: can("systemPrompt"),
    embeddedContext: recordOr(capabilities.promptCapabilities).embeddedContext === true,
  };
}

/** What a client may ask of the sidecar besides ACP; shapes: `schemas/`. */
const ownMethods = {
  methods: ["_acp-sidecar/search", "_acp-sidecar/messages", "_acp-sidecar/rewind", "_acp-sidecar/export"],
  /** Members of `_meta["acp-sidecar"]` that these methods heed. */
  meta: { "session/load": ["replay"], "session/fork": ["at"], "session/prompt": ["edits"] },
};

/** The agent's answer with what the sidecar adds laid over it. */
export function overlay(initialized: Fields): Fields {
  const capabilities = recordOr(initialized.agentCapabilities);
  const theirs = recordOr(capabilities.sessionCapabilities);
  const names = ["list", "resume", "close", "delete", "fork", "title", "archive", "status"];
  const ours = Object.fromEntries(names.map((name) => [name, {}]));
  const given = Object.fromEntries(Object.entries(theirs).filter(([, value]) => value !== null));
  return {
    ...initialized,
    protocolVersion,
    agentCapabilities: {
      ...capabilities,
      loadSession: true,
      _meta: { ...recordOr(capabilities._meta), [metaKey]: ownMethods },
      sessionCapabilities: { ...ours, ...given, fork: { ...recordOr(given.fork), ...forkMeta(given.fork) } },
    },
  };
}

/** A fork may start at any message, by `_meta["acp-sidecar"].at`. */
function forkMeta(fork: unknown): Fields {
  const { _meta } = recordOr(fork);
  return {
    _meta: { ...recordOr(_meta), [metaKey]: { ...recordOr(recordOr(_meta)[metaKey]), at: true } },
  };
}

/** Whether a client knows the sessions of subagents. */
export function takesSubagents(clientCapabilities: Json | undefined): boolean {
  return isRecord(clientCapabilities) && isRecord(clientCapabilities.subagents);
}

/** What is recorded of the agent with a session. */
export function agentFactsOf({ agentInfo }: Fields, command: string | undefined): AgentFacts {
  return {
    ...(isRecord(agentInfo) && { info: keepable(agentInfo) }),
    ...(command !== undefined && { command }),
  };
}

function recordOr(value: unknown): Fields {
  return isRecord(value) ? value : {};
}
