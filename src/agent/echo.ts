/** The built-in agent: says back what it is told, word by word, so that the sidecar works with nothing else installed. */
import { PassThrough } from "node:stream";
import { SidecarError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { Connection, type PeerHandlers, type RequestContext } from "../rpc/endpoint.ts";
import { isRecord } from "../base/json.ts";
import { pause } from "../base/time.ts";
import { version } from "../base/version.ts";
import type { Agent, AgentExit } from "./agent.ts";

export interface EchoAgentOptions {
  readonly maxMessageBytes: number;
  readonly log: Logger;
}

const msPerWord = 5;

/** The same path as a child process: two connections, joined by streams in memory. */
export function startEchoAgent(options: EchoAgentOptions, handlers: PeerHandlers): Promise<Agent> {
  const toAgent = new PassThrough();
  const fromAgent = new PassThrough();
  const connection = new Connection({ input: fromAgent, output: toAgent, ...options }, handlers);
  const echo = new EchoAgent();
  echo.serve(new Connection({ input: toAgent, output: fromAgent, ...options }, echo));
  let ended: (exit: AgentExit) => void = () => undefined;
  const exited = new Promise<AgentExit>((resolve) => {
    ended = resolve;
  });
  const error = new SidecarError("AGENT_EXITED", "The echo agent was stopped");
  const stop = async () => {
    echo.close(error);
    connection.close(error);
    ended({ error, wanted: true });
  };
  return Promise.resolve({ connection, exited, stop });
}

class EchoAgent implements PeerHandlers {
  #client: Connection | undefined;
  #sessions = 0;
  /** The running turn of each session. */
  readonly #turns = new Map<string, AbortController>();

  serve(client: Connection): void {
    this.#client = client;
  }

  close(reason: SidecarError): void {
    for (const turn of this.#turns.values()) turn.abort();
    this.#client?.close(reason);
  }

  async request(method: string, params: unknown, context: RequestContext): Promise<unknown> {
    if (method === "initialize") return initializeResult;
    if (method === "session/new") return { sessionId: `echo-${++this.#sessions}` };
    if (method === "session/prompt" && isRecord(params)) return this.#prompt(params, context);
    throw new SidecarError("METHOD_NOT_FOUND", `The echo agent has no method ${method}`);
  }

  notification(method: string, params: unknown): void {
    if (method === "session/cancel" && isRecord(params)) this.#turns.get(String(params.sessionId))?.abort();
  }

  updates(): void {}

  invalid(): void {}

  async #prompt(params: Readonly<Record<string, unknown>>, context: RequestContext): Promise<unknown> {
    const sessionId = String(params.sessionId);
    if (this.#turns.has(sessionId)) {
      throw new SidecarError(
        "TURN_RUNNING",
        "The echo agent takes one prompt at a time; cancel the running one first",
      );
    }
    const turn = new AbortController();
    context.cancellation.onCancellationRequested(() => turn.abort());
    this.#turns.set(sessionId, turn);
    try {
      for (const word of wordsOf(params.prompt)) {
        if (turn.signal.aborted) break;
        await this.#say(sessionId, word);
        await pause(msPerWord);
      }
      return { stopReason: turn.signal.aborted ? "cancelled" : "end_turn" };
    } finally {
      this.#turns.delete(sessionId);
    }
  }

  async #say(sessionId: string, text: string): Promise<void> {
    const update = { sessionUpdate: "agent_message_chunk", content: { type: "text", text } };
    await this.#client?.notify("session/update", { sessionId, update });
  }
}

const initializeResult = {
  protocolVersion: 1,
  agentCapabilities: { promptCapabilities: { embeddedContext: true } },
  agentInfo: { name: "acp-sidecar-echo", title: "Echo", version },
  authMethods: [],
};

/** Text is echoed; an embedded resource (a handover, say) is only mentioned. */
function wordsOf(prompt: unknown): string[] {
  const blocks: readonly unknown[] = Array.isArray(prompt) ? prompt : [];
  return blocks.flatMap((block) => {
    if (!isRecord(block)) return [];
    if (block.type === "text") return String(block.text).match(/\s*\S+|\s+$/g) ?? [];
    return [`[${String(block.type)}] `];
  });
}
