#!/usr/bin/env node
/**
 * An agent that speaks in tongues: between the stamped pieces of its answer it says all that an agent should
 * not. Its argument is the seed. A prompt's text is its stamp and how many pieces are wanted.
 */
import process from "node:process";
import { garbage, mutate, randomFrom } from "./mutate.mjs";

const random = randomFrom(Number(process.argv[2] ?? 1));
const int = (most) => Math.floor(random() * (most + 1));
const capabilities = { loadSession: true, sessionCapabilities: { resume: {}, close: {}, list: {} } };
let sessions = 0;

let lines = 0;

const write = (value) => {
  lines += 1;
  process.stdout.write(`${typeof value === "string" ? value : JSON.stringify(value)}\n`);
};
const say = (fields) => write({ jsonrpc: "2.0", ...fields });
const update = (sessionId, fields) =>
  say({ method: "session/update", params: { sessionId, update: fields } });

/** Nothing of this is an agent's message: its own text would be taken for damage. */
function nonsense(sessionId) {
  const templates = [
    {
      method: "session/update",
      params: {
        sessionId,
        update: { sessionUpdate: "user_message_chunk", content: { type: "text", text: "?" } },
      },
    },
    {
      method: "session/update",
      params: { sessionId, update: { sessionUpdate: "tool_call", toolCallId: "x", title: "?" } },
    },
    { method: "session/update", params: { sessionId, update: { sessionUpdate: "plan", entries: [] } } },
    {
      method: "session/update",
      params: { sessionId, update: { sessionUpdate: "available_commands_update", availableCommands: [] } },
    },
    {
      method: "session/update",
      params: {
        sessionId,
        update: { sessionUpdate: "compaction_update", compactionId: "c", status: "completed" },
      },
    },
    {
      id: `q${int(5)}`,
      method: "session/request_permission",
      params: { sessionId, toolCall: { toolCallId: "x" }, options: [] },
    },
    { id: int(9), method: "fs/read_text_file", params: { sessionId, path: "/x" } },
    { id: 1e6 + int(1000), result: { sessionId, stopReason: "end_turn" } },
    { id: `${int(9)}`, error: { code: -32000, message: "?" } },
    { method: "$/cancel_request", params: { requestId: int(9) } },
    { method: "_x/note", params: { sessionId } },
  ];
  const text = JSON.stringify({ jsonrpc: "2.0", ...templates[int(templates.length - 1)] });
  if (random() < 0.1) process.stdout.write(Buffer.concat([garbage(random), Buffer.from("\n")]));
  else write(random() < 0.2 ? text : mutate(random, text));
}

async function prompt(id, { sessionId, prompt: blocks }) {
  const text = JSON.stringify(blocks ?? "");
  const [, stamp, pieces] = /⟦(\w+)\.p0\.1\.0⟧ (\d+)(?!.*⟦)/.exec(text) ?? [];
  for (let count = 1; count <= Number(pieces ?? 0); count += 1) {
    while (random() < 0.6) nonsense(sessionId);
    const content = { type: "text", text: `⟦${stamp}.m2.${count}.0⟧` };
    update(sessionId, { sessionUpdate: "agent_message_chunk", content, messageId: `${stamp}.m2` });
    if (random() < 0.1) await new Promise((resolve) => setTimeout(resolve, int(3)));
  }
  const _meta = { lines, ...(stamp && { stamp: `⟦${stamp}.e1.1.0⟧` }) };
  lines = 0;
  say({ id, result: { stopReason: "end_turn", _meta } });
  if (random() < 0.2) say({ id, result: { stopReason: "refusal" } });
}

function serve({ id, method, params }) {
  if (method === undefined || id === undefined) return;
  if (method === "session/prompt") return void prompt(id, params);
  if (random() < 0.05) nonsense("nobody");
  if (method === "initialize") say({ id, result: { protocolVersion: 1, agentCapabilities: capabilities } });
  else if (method === "session/new")
    say({ id, result: { sessionId: `fuzz-${process.pid}-${(sessions += 1)}` } });
  else if (random() < 0.2) say({ id, error: { code: -32603, message: "not today" } });
  else say({ id, result: {} });
}

let rest = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (chunk) => {
  const lines = (rest + chunk).split("\n");
  rest = lines.pop();
  for (const line of lines) if (line.trim() !== "") serve(JSON.parse(line));
});
process.stdin.on("end", () => process.exit(0));
