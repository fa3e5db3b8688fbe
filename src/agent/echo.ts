/** The built-in agent: says back what it is told, word by word, so that the sidecar works with nothing else installed. */
import { initializeResult } from "../acp/v1/initialize.ts";
import { updateOfParams } from "../acp/updates.ts";
import { SidecarError } from "../base/errors.ts";
import { isRecord } from "../base/json.ts";
import { pause } from "../base/time.ts";
import { version } from "../base/version.ts";
import type { RequestOptions } from "../rpc/endpoint.ts";
import { toRpcError } from "../rpc/errors.ts";
import type { ResponseMessage } from "../rpc/messages.ts";
import { OutgoingRequests } from "../rpc/outgoing.ts";
import type { Agent, AgentExit, AgentHandlers } from "./agent.ts";

const msPerWord = 5;

export class EchoAgent implements Agent {
  readonly exited: Promise<AgentExit>;
  received = 0;
  readonly #handlers: AgentHandlers;
  readonly #requests = new OutgoingRequests();
  #sessions = 0;
  /** The running turn of each session. */
  readonly #turns = new Map<string, AbortController>();
  #error: SidecarError | undefined;
  #exit: (exit: AgentExit) => void = () => undefined;

  constructor(handlers: AgentHandlers) {
    this.#handlers = handlers;
    this.exited = new Promise((resolve) => {
      this.#exit = resolve;
    });
  }

  async request(method: string, params: unknown, options: RequestOptions = {}): Promise<unknown> {
    if (this.#error !== undefined) throw this.#error;
    const { id, answer } = this.#requests.open();
    options.onSent?.(id);
    options.onTaken?.();
    const answered = (outcome: Pick<ResponseMessage, "result" | "error">) => {
      this.received += 1;
      this.#requests.answered({ jsonrpc: "2.0", id, ...outcome });
    };
    void this.#answer(method, params, options.signal).then(
      (result) => answered({ result }),
      (error: unknown) => answered({ error: toRpcError(error).toJson() }),
    );
    return answer;
  }

  async notify(method: string, params: unknown): Promise<void> {
    if (method === "session/cancel" && isRecord(params)) this.#turns.get(String(params.sessionId))?.abort();
  }

  async stop(): Promise<void> {
    this.#end(new SidecarError("AGENT_EXITED", "The echo agent was stopped"), true);
  }

  abandon(reason: SidecarError): void {
    this.#end(reason, false);
  }

  #end(error: SidecarError, wanted: boolean): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    for (const turn of this.#turns.values()) turn.abort();
    this.#requests.rejectAll(error);
    this.#exit({ error, wanted });
  }

  async #answer(method: string, params: unknown, signal: AbortSignal | undefined): Promise<unknown> {
    if (method === "initialize") return initialized;
    if (method === "session/new") return { sessionId: `echo-${++this.#sessions}` };
    if (method === "session/prompt" && isRecord(params)) return this.#prompt(params, signal);
    throw new SidecarError("METHOD_NOT_FOUND", `The echo agent has no method ${method}`);
  }

  async #prompt(
    params: Readonly<Record<string, unknown>>,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    const sessionId = String(params.sessionId);
    if (this.#turns.has(sessionId)) {
      throw new SidecarError(
        "TURN_RUNNING",
        "The echo agent takes one prompt at a time; cancel the running one first",
      );
    }
    const turn = new AbortController();
    const cancel = () => turn.abort();
    if (signal?.aborted === true) cancel();
    signal?.addEventListener("abort", cancel);
    this.#turns.set(sessionId, turn);
    try {
      for (const word of wordsOf(params.prompt)) {
        if (turn.signal.aborted) break;
        await this.#say(sessionId, word);
        await pause(msPerWord, turn.signal);
      }
      return { stopReason: turn.signal.aborted ? "cancelled" : "end_turn" };
    } finally {
      signal?.removeEventListener("abort", cancel);
      this.#turns.delete(sessionId);
    }
  }

  async #say(sessionId: string, text: string): Promise<void> {
    const update = { sessionUpdate: "agent_message_chunk", content: { type: "text", text } };
    this.received += 1;
    await this.#handlers.updates([updateOfParams({ sessionId, update })]);
  }
}

const initialized = initializeResult({
  agentCapabilities: { promptCapabilities: { embeddedContext: true } },
  agentInfo: { name: "acp-sidecar-echo", title: "Echo", version },
  authMethods: [],
});

/** Text is echoed; an embedded resource (a handover, say) is only mentioned. */
function wordsOf(prompt: unknown): string[] {
  const blocks: readonly unknown[] = Array.isArray(prompt) ? prompt : [];
  return blocks.flatMap((block) => {
    if (!isRecord(block)) return [];
    if (block.type === "text") return String(block.text).match(/\s*\S+|\s+$/g) ?? [];
    return [`[${String(block.type)}] `];
  });
}
