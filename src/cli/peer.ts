/** What `demo` and `doctor` talk to: an ACP agent, or a sidecar of their own that they start. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Agent, AgentHandlers, StartAgent } from "../agent/agent.ts";
import { openAgent } from "../agent/open.ts";
import type { AgentCommand } from "../config/config.ts";
import { defaults } from "../config/options.ts";
import { acpErrors, errorFaces, reasonOf, SidecarError, type ErrorCode } from "../base/errors.ts";
import { isRecord } from "../base/json.ts";
import { silentLogger } from "../base/log.ts";
import { paramsOf } from "../acp/updates.ts";
import { untilAborted, waitAtMost } from "../base/time.ts";
import { formatDurationMs } from "../config/units.ts";
import { capabilitiesOf, initializeRequest } from "../acp/v1/initialize.ts";
import { version } from "../base/version.ts";
import type { Io } from "./command.ts";
import { timeFrom } from "./sessions.ts";

/** What a `session/update` carries. */
export interface Update {
  readonly sessionUpdate: string;
  readonly [field: string]: unknown;
}

export type Answer = Readonly<Record<string, unknown>>;

/** Long enough for a turn: models think, and some agents download much before the first word. */
export const turnTimeout = "10m";
/** An agent that does not listen is ended all the same. */
const forgetWithinMs = 3000;
export const peerLimits = {
  maxMessageBytes: defaults.maxMessageBytes,
  stopGraceMs: 5000,
  log: silentLogger,
};

interface PeerOptions {
  readonly onUpdate: (update: Update) => void;
  /** How long an answer is waited for. */
  readonly withinMs: number;
  /** The flag that says so, if it is not `timeout`. */
  readonly timeoutFlag?: string;
  /** A request for permission is refused, and the turn goes on without it; otherwise the turn is given up. */
  readonly refusesPermissions?: boolean;
  /** Aborted: nothing is waited for any more. */
  readonly signal: AbortSignal;
}

/** One conversation with an agent, as a client that offers it nothing. */
export class Peer {
  readonly agent: Agent;
  readonly #options: PeerOptions;

  private constructor(agent: Agent, options: PeerOptions) {
    this.agent = agent;
    this.#options = options;
  }

  /** Errors: `AGENT_NOT_STARTED`. */
  static async start(start: StartAgent, options: PeerOptions): Promise<Peer> {
    options.signal.throwIfAborted();
    return new Peer(await start(handlers(options)), options);
  }

  initialize(): Promise<Answer> {
    // Some agents say how to log in only to a client that can run them on a terminal: whoever reads this can.
    const clientCapabilities = { auth: { terminal: true }, _meta: { "terminal-auth": true } };
    const clientInfo = { name: "acp-sidecar-cli", title: "acp-sidecar", version };
    return this.request("initialize", initializeRequest({ clientCapabilities, clientInfo }));
  }

  /** Has the agent forget a session, as far as it can: what it cannot forget stays in its own list. Never rejects. */
  async forget(initialized: Answer, sessionId: unknown): Promise<void> {
    const can = capabilitiesOf(initialized);
    const method = can.delete ? "session/delete" : can.close ? "session/close" : undefined;
    // After Ctrl-C, too: so not by `request`, which that ends.
    if (method !== undefined) await waitAtMost(this.agent.request(method, { sessionId }), forgetWithinMs);
  }

  /** Errors: the peer's `data.code` if it is ours, else `AGENT_PROTOCOL`; `AGENT_UNAVAILABLE` without an answer. */
  async request(method: string, params: Answer): Promise<Answer> {
    const { withinMs, timeoutFlag = "timeout", signal } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(unanswered(method, withinMs, timeoutFlag)), withinMs);
    });
    try {
      const answer = await Promise.race([this.agent.request(method, params), late, untilAborted(signal)]);
      return isRecord(answer) ? answer : {};
    } catch (error) {
      throw error instanceof SidecarError || signal.aborted ? error : refused(method, error);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** A sidecar with `store`, untouched by the user's own configuration. `folder` is a scratch folder. */
export function sidecarWith(
  io: Io,
  { folder, store, agent }: { folder: string; store: string; agent?: AgentCommand | undefined },
): StartAgent {
  const config = path.join(folder, "config.json");
  fs.writeFileSync(config, "{}\n");
  const args = [io.binary, "--store", store, "--config", config];
  const command = {
    command: process.execPath,
    args: agent === undefined ? args : [...args, "--", agent.command, ...agent.args],
    ...(agent?.env && { env: agent.env }),
  };
  return openAgent(command, peerLimits);
}

/** How long an answer is waited for, by a flag. Errors: `USAGE`. */
export function answerTimeFrom(flag: string, text: string | true): number {
  return timeFrom(flag, text, { min: 1000, max: 24 * 3_600_000 });
}

/** Runs `use` with a scratch folder that is gone afterwards. */
export async function withScratchFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-"));
  try {
    return await use(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function handlers({ onUpdate, refusesPermissions }: PeerOptions): AgentHandlers {
  return {
    request: async (method, params) => {
      if (method === "session/request_permission")
        return { outcome: refusal(refusesPermissions === true ? params : undefined) };
      throw new SidecarError("METHOD_NOT_FOUND", `This client has no method ${method}`);
    },
    notification: () => undefined,
    updates: (updates) => {
      for (const { update } of paramsOf(updates)) onUpdate(update);
    },
  };
}

/** The option that refuses, where one is offered. */
function refusal(params: unknown): Answer {
  const offered = isRecord(params) && Array.isArray(params.options) ? (params.options as unknown[]) : [];
  const option = offered.find(
    (each) => isRecord(each) && (each.kind === "reject_once" || each.kind === "reject_always"),
  );
  if (!isRecord(option)) return { outcome: "cancelled" };
  return { outcome: "selected", optionId: option.optionId };
}

function refused(method: string, error: unknown): SidecarError {
  const { code: rpcCode, data } = isRecord(error) ? error : {};
  const options = { data: { rpcCode }, cause: error };
  // A sidecar's own errors say all that there is to say.
  if (isRecord(data) && isErrorCode(data.code)) return new SidecarError(data.code, reasonOf(error), options);
  const message =
    rpcCode === acpErrors.authenticationRequired
      ? `The agent wants a login before ${method}: log in with its own command, then try again${detailsIn(data)}`
      : `${method} was refused: ${reasonOf(error)}${detailsIn(data)}`;
  return new SidecarError("AGENT_PROTOCOL", message, options);
}

/** What an agent says of an error beside its message, which is often "Internal error". */
function detailsIn(data: unknown): string {
  const said = isRecord(data) ? (data.details ?? data.message ?? data.error) : data;
  return typeof said === "string" && said.trim() !== "" ? ` (${said.trim().slice(0, 500)})` : "";
}

function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(errorFaces, value);
}

function unanswered(method: string, withinMs: number, flag: string): SidecarError {
  return new SidecarError(
    "AGENT_UNAVAILABLE",
    `There was no answer to ${method} within ${formatDurationMs(withinMs)}; give it longer with --${flag}, or try the agent by itself`,
  );
}
