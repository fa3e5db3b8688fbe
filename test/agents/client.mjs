/** A client of its own make: lines on stdio, every message of both directions kept, permissions granted. */
import { spawn } from "node:child_process";

const answerWithinMs = 90_000;

export class Client {
  /** All messages in order: `{ from: "agent" | "client", message }`. */
  wire = [];
  #child;
  #nextId = 1;
  #waiting = new Map();
  #rest = "";
  #onUpdate = () => {};

  constructor(command, { cwd, env }) {
    const [file, ...args] = command;
    // A group of its own, so that all of it can be killed at one instant.
    this.#child = spawn(file, args, { cwd, env, stdio: ["pipe", "pipe", "ignore"], detached: true });
    this.#child.stdin.on("error", () => {});
    this.#child.stdout.setEncoding("utf8");
    this.#child.stdout.on("data", (text) => this.#read(text));
    this.exited = new Promise((resolve) => this.#child.once("exit", resolve));
    void this.exited.then(() => {
      for (const settle of this.#waiting.values()) settle({ error: { code: -1, message: "it has ended" } });
    });
  }

  async initialize() {
    const clientCapabilities = { fs: { readTextFile: false, writeTextFile: false }, terminal: false };
    const clientInfo = { name: "acp-sidecar-agents", version: "1" };
    return this.request("initialize", { protocolVersion: 1, clientCapabilities, clientInfo });
  }

  /** The result; rejects with the error's message. */
  async request(method, params) {
    const { result, error } = await this.ask(method, params);
    if (error !== undefined) throw new Error(`${method}: ${error.code} ${error.message}`);
    return result ?? {};
  }

  ask(method, params) {
    const id = this.#nextId++;
    return new Promise((resolve) => {
      const late = setTimeout(
        () => settle({ error: { code: -2, message: "no answer in time" } }),
        answerWithinMs,
      );
      const settle = (message) => {
        clearTimeout(late);
        this.#waiting.delete(id);
        resolve(message);
      };
      this.#waiting.set(id, settle);
      this.#send({ jsonrpc: "2.0", id, method, params });
    });
  }

  notify(method, params) {
    this.#send({ jsonrpc: "2.0", method, params });
  }

  /** The agent's text and tool calls of a prompt, and how it ended. */
  async prompt(sessionId, text, onUpdate = () => {}) {
    const from = this.wire.length;
    this.#onUpdate = onUpdate;
    const answer = await this.ask("session/prompt", { sessionId, prompt: [{ type: "text", text }] });
    this.#onUpdate = () => {};
    const updates = this.updates(sessionId, from);
    return {
      ...said(updates),
      stopReason: answer.result?.stopReason,
      error: answer.error,
      asked: this.#askedSince(from),
    };
  }

  updates(sessionId, from = 0) {
    return this.wire
      .slice(from)
      .filter((each) => each.from === "agent" && each.message.method === "session/update")
      .filter(({ message }) => message.params.sessionId === sessionId)
      .map(({ message }) => message.params.update);
  }

  /** Ends it and all that it started as the machine's death would. */
  async kill() {
    try {
      process.kill(-this.#child.pid, "SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.exited;
  }

  async stop() {
    this.#child.stdin.end();
    const timer = setTimeout(() => void this.kill(), 8000);
    await this.exited;
    clearTimeout(timer);
  }

  #askedSince(from) {
    return this.wire
      .slice(from)
      .some((each) => each.from === "agent" && each.message.method === "session/request_permission");
  }

  #read(text) {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim().startsWith("{")) this.#take(JSON.parse(line));
  }

  #take(message) {
    this.wire.push({ from: "agent", message });
    if (message.method === undefined) this.#waiting.get(message.id)?.(message);
    else if (message.id !== undefined)
      this.#send({ jsonrpc: "2.0", id: message.id, result: answerTo(message) });
    else if (message.method === "session/update") this.#onUpdate(message.params.update);
  }

  #send(message) {
    this.wire.push({ from: "client", message });
    this.#child.stdin.write(`${JSON.stringify(message)}\n`);
  }
}

function answerTo({ method, params }) {
  if (method !== "session/request_permission") return {};
  const allowed = params.options.find(({ kind }) => kind === "allow_once") ?? params.options[0];
  return { outcome: { outcome: "selected", optionId: allowed.optionId } };
}

/** What is shown of updates: texts by who said them, and each tool call in its last state. */
export function said(updates) {
  const texts = { user_message_chunk: "", agent_message_chunk: "", agent_thought_chunk: "" };
  const tools = new Map();
  for (const update of updates) {
    const { sessionUpdate: kind, content, toolCallId } = update;
    if (kind in texts) texts[kind] += content?.text ?? "";
    if (kind.startsWith("tool_call")) tools.set(toolCallId, { ...tools.get(toolCallId), ...update });
  }
  return { user: texts.user_message_chunk, agent: texts.agent_message_chunk, tools: [...tools.values()] };
}
