/**
 * The agent of the benchmark, the same behind every contender. It has no library in it, writes one JSON text per
 * update in chunks of 16 KiB as a busy agent's stdout does, and waits when its reader is behind.
 *
 * What it does is in the prompt: `stream 1000 text` sends 1,000 updates, all of them text, and `stream 1000 mixed`
 * sends updates of which every fifth belongs to a tool call. Anything else is answered with one update.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { messageUpdate, mixedUpdate } from "../updates.mjs";

const chunkChars = 16 * 1024;
const { stdin, stdout } = process;

const initializeResult = {
  protocolVersion: 1,
  agentCapabilities: { loadSession: false, sessionCapabilities: { resume: {} } },
  agentInfo: { name: "bench-agent", version: "1.0.0" },
  authMethods: [],
};

const write = (message) => stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);

async function prompt(id, { sessionId, prompt: [block] }) {
  const [, count = 1, kind = "text"] = /^stream (\d+) (\w+)$/.exec(block.text) ?? [];
  const updateOf = kind === "mixed" ? mixedUpdate : messageUpdate;
  let waiting = "";
  for (let i = 0; i < Number(count); i++) {
    const params = { sessionId, update: updateOf(i) };
    waiting += JSON.stringify({ jsonrpc: "2.0", method: "session/update", params }) + "\n";
    if (waiting.length < chunkChars) continue;
    const more = stdout.write(waiting);
    waiting = "";
    if (!more) await once(stdout, "drain");
  }
  const answer = JSON.stringify({ jsonrpc: "2.0", id, result: { stopReason: "end_turn" } });
  stdout.write(`${waiting}${answer}\n`);
}

function take(line) {
  const { id, method, params } = JSON.parse(line);
  if (method === "session/prompt") return void prompt(id, params);
  if (method === "initialize") write({ id, result: initializeResult });
  else if (method === "session/new") write({ id, result: { sessionId: randomUUID() } });
  else if (method === "session/resume") write({ id, result: {} });
  else if (id !== undefined) write({ id, error: { code: -32601, message: `no method ${method}` } });
}

let rest = "";
stdin.setEncoding("utf8");
stdin.on("data", (text) => {
  const lines = (rest + text).split("\n");
  rest = lines.pop();
  for (const line of lines) if (line !== "") take(line);
});
stdin.on("end", () => process.exit(0));
