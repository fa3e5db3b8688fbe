/** What a fuzzing client sends: messages as they should be, and what becomes of them. */
import type { Random } from "../world/random.ts";
import { garbage, mutate } from "./mutate.mjs";

export class MessageSource {
  readonly #random: Random;
  readonly #sessionIds: readonly string[];
  #ids = 0;

  constructor(random: Random, sessionIds: readonly string[]) {
    this.#random = random;
    this.#sessionIds = sessionIds;
  }

  /** Something with a newline behind it: of ten, two are sound, seven went wrong, one is no text at all. */
  next(): Buffer {
    const random = this.#random;
    const chance = () => random.fraction();
    const kind = random.weighted({ sound: 20, mutated: 70, garbage: 9, long: 1 });
    if (kind === "garbage") return Buffer.concat([garbage(chance), Buffer.from("\n")]);
    if (kind === "long") return Buffer.from(`${"x".repeat(random.int(1, 400_000))}\n`);
    const text = JSON.stringify({ jsonrpc: "2.0", ...this.#message() });
    return Buffer.from(`${kind === "sound" ? text : mutate(chance, text)}\n`);
  }

  #message(): object {
    const random = this.#random;
    const id = random.chance(0.9) ? `f${(this.#ids += 1)}` : 1_000_000 + (this.#ids += 1);
    const sessionId = random.chance(0.9) ? random.pick(this.#sessionIds) : "01M7YB7NG3PY9JYMJQP7BKTGV9";
    const existing = { sessionId, cwd: "/", mcpServers: [] };
    const prompt = [{ type: "text", text: "hello" }];
    return random.pick([
      { id, method: "session/prompt", params: { sessionId, prompt } },
      { id, method: "session/load", params: existing },
      { id, method: "session/resume", params: existing },
      { id, method: "session/list", params: { cwd: "/", cursor: "x" } },
      { id, method: "session/list", params: {} },
      { id, method: "session/set_mode", params: { sessionId, modeId: "code" } },
      { id, method: "session/set_config_option", params: { sessionId, configId: "model", value: "large" } },
      { id, method: "session/close", params: { sessionId } },
      { id, method: "session/fork", params: { ...existing, _meta: { "acp-sidecar": { atSeq: 1 } } } },
      { id, method: "session/set_title", params: { sessionId, title: "a title" } },
      { id, method: "session/archive", params: { sessionId } },
      { id, method: "session/status", params: { sessionId } },
      { id, method: "_acp-sidecar/messages", params: { sessionId, limit: 3 } },
      { id, method: "_acp-sidecar/export", params: { sessionId, format: "jsonl" } },
      { id, method: "_acp-sidecar/rewind", params: { sessionId, toSeq: 2 } },
      { id, method: "_acp-sidecar/search", params: { query: "hello" } },
      { id, method: "session/prompt", params: { sessionId, prompt: [{ type: "text", text: "/sidecar" }] } },
      { id, method: "initialize", params: { protocolVersion: 1, clientCapabilities: { fs: {} } } },
      { id, method: "authenticate", params: { methodId: "x" } },
      { id, method: "_x/unknown", params: { a: [1, null] } },
      { id, result: { outcome: { outcome: "cancelled" } } },
      { id: 0, error: { code: -1, message: "no" } },
      { method: "session/cancel", params: { sessionId } },
      { method: "$/cancel_request", params: { requestId: `f${this.#ids - 1}` } },
      { method: "_x/note", params: [1, 2] },
    ]);
  }
}
