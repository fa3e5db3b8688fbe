/** What an agent can do, found out by trying it. */
import type { StartAgent } from "../agent/agent.ts";
import { acpErrors, isSidecarError, reasonOf } from "../base/errors.ts";
import { isRecord } from "../base/json.ts";
import { capabilitiesOf, versionOf } from "../acp/v1/initialize.ts";
import { Peer, type Answer } from "./peer.ts";

/** One try of an agent: started, initialised, a session opened. */
export interface Trial {
  /** What each row of the table is, by its name: `yes`, `no`, or a word. */
  readonly facts: Readonly<Record<string, string>>;
  readonly problem?: Problem;
}

export interface Problem {
  readonly what: string;
  readonly fix: string;
}

/** Never rejects: what fails is the trial's problem. */
export async function tryAgent(start: StartAgent, cwd: string): Promise<Trial> {
  const beganMs = performance.now();
  let peer: Peer | undefined;
  let facts: Readonly<Record<string, string>> = { starts: "no" };
  try {
    peer = await Peer.start(start);
    const initialized = await peer.initialize();
    facts = { starts: `yes, ${(performance.now() - beganMs).toFixed(0)} ms`, ...factsOf(initialized) };
    await peer.request("session/new", { cwd, mcpServers: [] });
    return { facts: { ...facts, "session/new": "yes" } };
  } catch (error) {
    const session = facts.starts === "no" ? {} : { "session/new": "no" };
    return { facts: { ...facts, ...session }, problem: problemOf(error) };
  } finally {
    await peer?.agent.stop();
  }
}

function factsOf(initialized: Answer): Record<string, string> {
  const can = capabilitiesOf(initialized);
  const capabilities = recordIn(initialized, "agentCapabilities");
  const prompt = recordIn(capabilities, "promptCapabilities");
  const mcp = recordIn(capabilities, "mcpCapabilities");
  const info = recordIn(initialized, "agentInfo");
  return {
    name: `${textIn(info.title ?? info.name, "unnamed")} ${textIn(info.version, "")}`.trim(),
    protocol: textIn(versionOf(initialized), "not said"),
    "session/load": yesOrNo(can.load),
    "session/resume": yesOrNo(can.resume),
    "session/list": yesOrNo(can.list),
    "session/close": yesOrNo(can.close),
    "session/delete": yesOrNo(can.delete),
    "session/fork": yesOrNo(can.fork),
    "images in prompts": yesOrNo(prompt.image),
    "audio in prompts": yesOrNo(prompt.audio),
    "embedded context": yesOrNo(can.embeddedContext),
    "MCP over HTTP": yesOrNo(mcp.http),
    "MCP over SSE": yesOrNo(mcp.sse),
    "login methods": loginMethods(initialized.authMethods),
  };
}

function loginMethods(methods: unknown): string {
  if (!Array.isArray(methods) || methods.length === 0) return "none";
  return methods.map((method) => (isRecord(method) ? String(method.id) : "?")).join(", ");
}

function problemOf(error: unknown): Problem {
  const what = reasonOf(error);
  if (isSidecarError(error, "AGENT_NOT_STARTED")) {
    return { what, fix: "install the agent, or give its full path after --" };
  }
  if (isSidecarError(error, "AGENT_EXITED")) {
    return {
      what,
      fix: "run the agent's command by itself in a terminal: it must wait for input in ACP mode",
    };
  }
  if (isSidecarError(error) && error.data.rpcCode === acpErrors.authenticationRequired) {
    return { what, fix: "start the agent's own program once and log in, or set the API key that it wants" };
  }
  return { what, fix: "check that the command starts the agent in its ACP mode, and update the agent" };
}

function recordIn(value: Answer, name: string): Answer {
  const inner = value[name];
  return isRecord(inner) ? inner : {};
}

function textIn(value: unknown, otherwise: string): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : otherwise;
}

function yesOrNo(value: unknown): string {
  return value === true ? "yes" : "no";
}
