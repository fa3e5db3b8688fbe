/** What an agent can do, found out by trying it. */
import type { StartAgent } from "../agent/agent.ts";
import { acpErrors, isSidecarError, reasonOf, SidecarError } from "../base/errors.ts";
import { isRecord } from "../base/json.ts";
import { capabilitiesOf, versionOf } from "../acp/v1/initialize.ts";
import type { AgentCommand } from "../config/config.ts";
import { textOf } from "./demo-account.ts";
import { loginFix, loginMethods } from "./doctor-login.ts";
import { Peer, type Answer, type Update } from "./peer.ts";
import { countText } from "./print.ts";

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

export interface TrialOptions {
  readonly cwd: string;
  /** The agent, where it is not built in. */
  readonly agent: AgentCommand | undefined;
  /** A turn is tried with it. */
  readonly prompt: string | undefined;
  readonly withinMs: number;
  /** Aborted: the agent is ended, and the trial rejects. */
  readonly signal: AbortSignal;
}

/** What fails is the trial's problem. Rejects only when it is aborted; nothing of the agent is left then. */
export async function tryAgent(start: StartAgent, options: TrialOptions): Promise<Trial> {
  const { cwd, agent, prompt, withinMs, signal } = options;
  const beganMs = performance.now();
  const facts: Record<string, string> = { starts: "no" };
  const said: Update[] = [];
  let peer: Peer | undefined;
  let initialized: Answer = {};
  try {
    peer = await Peer.start(start, { onUpdate: (update) => said.push(update), withinMs, signal });
    initialized = await peer.initialize();
    Object.assign(facts, { starts: `yes, ${msSince(beganMs)}` }, factsOf(initialized));
    facts["session/new"] = "no";
    const { sessionId } = await peer.request("session/new", { cwd, mcpServers: [] });
    facts["session/new"] = "yes";
    try {
      if (prompt !== undefined) await tryPrompt(peer, { sessionId, prompt, said, facts });
    } finally {
      // Whoever lists the agent's sessions must not find ours.
      if (!signal.aborted) await peer.forget(initialized, sessionId);
    }
    return { facts };
  } catch (error) {
    if (signal.aborted) throw error;
    return { facts, problem: problemOf(error, loginFix(initialized.authMethods, agent)) };
  } finally {
    await peer?.agent.stop();
  }
}

interface Prompted {
  readonly sessionId: unknown;
  readonly prompt: string;
  readonly said: readonly Update[];
  readonly facts: Record<string, string>;
}

async function tryPrompt(peer: Peer, { sessionId, prompt, said, facts }: Prompted): Promise<void> {
  facts["session/prompt"] = "no";
  const beganMs = performance.now();
  const { stopReason } = await peer.request("session/prompt", {
    sessionId,
    prompt: [{ type: "text", text: prompt }],
  });
  const chars = textOf(said, "agent_message_chunk").length;
  facts["session/prompt"] =
    `${textIn(stopReason, "?")}, ${msSince(beganMs)}, ${countText(chars, "character")}`;
  if (chars === 0) {
    const what = `The agent answered with no text (its turn ended with ${textIn(stopReason, "?")})`;
    throw new SidecarError("AGENT_PROTOCOL", what);
  }
}

function msSince(beganMs: number): string {
  return `${(performance.now() - beganMs).toFixed(0)} ms`;
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

function problemOf(error: unknown, login: string): Problem {
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
    return { what, fix: login };
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
