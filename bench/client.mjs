/**
 * The client of the benchmark. While the clock runs it does next to nothing, so that it is never what is measured:
 * it keeps the bytes as they come, counts newlines by a native search only where a chunk is not kept, and looks at
 * nothing but the last line of a chunk, for the answer. When the clock has stopped, every line that was kept is
 * parsed and checked by the measurement: that it is a message, their number, their order, their content.
 */
import { spawn } from "node:child_process";

const newline = 0x0a;

/** An answer, and what came before it. */
class Exchange {
  /** Bytes as they came; empty when they are only counted. */
  chunks = [];
  lines = 0;
  firstAtMs = undefined;
  constructor(id, keep) {
    this.id = id;
    this.keep = keep;
    this.sentAtMs = performance.now();
    this.done = new Promise((resolve, reject) => Object.assign(this, { resolve, reject }));
  }

  /** The messages before the answer, parsed. */
  messages() {
    return Buffer.concat(this.chunks)
      .toString("utf8")
      .split("\n")
      .slice(0, -2)
      .map((line) => JSON.parse(line));
  }
}

export class BenchClient {
  #nextId = 1;
  #exchange;
  /** The last line, as long as its end has not come. */
  #tail = Buffer.alloc(0);

  /** @param contender see contenders.mjs */
  constructor({ command, args, env, name }) {
    this.name = name;
    this.spawnedAtMs = performance.now();
    this.child = spawn(command, args, {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, ...env },
    });
    this.child.stdout.on("data", (chunk) => this.#take(chunk));
    this.exited = new Promise((resolve) => this.child.once("exit", resolve));
    void this.exited.then(() => this.#exchange?.reject(new Error(`${name} exited before it answered`)));
  }

  /** Asks and waits for the answer. `keep: false` counts the messages before it and keeps none. */
  async ask(method, params, { keep = true } = {}) {
    const exchange = new Exchange(this.#nextId++, keep);
    this.#exchange = exchange;
    this.child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id: exchange.id, method, params })}\n`);
    const answer = await exchange.done;
    this.#exchange = undefined;
    if (answer.error) throw new Error(`${this.name}: ${method}: ${JSON.stringify(answer.error)}`);
    return Object.assign(exchange, { result: answer.result });
  }

  async open(cwd) {
    await this.ask("initialize", { protocolVersion: 1, clientCapabilities: {} });
    const { result } = await this.ask("session/new", { cwd, mcpServers: [] });
    return result.sessionId;
  }

  prompt(sessionId, text, options) {
    return this.ask("session/prompt", { sessionId, prompt: [{ type: "text", text }] }, options);
  }

  /** Ends it as an editor does, and waits until it is gone. */
  async close() {
    this.child.stdin.end();
    await this.exited;
  }

  #take(chunk) {
    const exchange = this.#exchange;
    if (exchange === undefined) throw new Error(`${this.name} said something unasked: ${chunk}`);
    exchange.firstAtMs ??= performance.now();
    if (exchange.keep) exchange.chunks.push(chunk);
    else exchange.lines += countNewlines(chunk);
    const end = chunk.lastIndexOf(newline);
    if (end < 0) {
      this.#tail = Buffer.concat([this.#tail, chunk]);
      return;
    }
    const start = end === 0 ? -1 : chunk.lastIndexOf(newline, end - 1);
    const last =
      start < 0 ? Buffer.concat([this.#tail, chunk.subarray(0, end)]) : chunk.subarray(start + 1, end);
    this.#tail = Buffer.from(chunk.subarray(end + 1));
    if (this.#tail.length === 0) this.#settle(exchange, last);
  }

  /** The answer is the last line: nothing comes behind it unasked. Only a line that has an id is parsed. */
  #settle(exchange, line) {
    if (line.length > 4096 || !line.includes(`"id":${exchange.id}`)) return;
    const answer = JSON.parse(line.toString("utf8"));
    if (answer.id !== exchange.id || "method" in answer) return;
    exchange.endedAtMs = performance.now();
    exchange.lines -= 1;
    exchange.resolve(answer);
  }
}

function countNewlines(chunk) {
  let count = 0;
  for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, at + 1)) count += 1;
  return count;
}
