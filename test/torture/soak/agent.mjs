#!/usr/bin/env node
/**
 * An agent that streams for hours and remembers nothing. A prompt is `PIECES GROUP MS`: so many numbered pieces,
 * GROUP of them in a write, MS between; each piece tells when it was written, by the clock of this machine.
 */
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";

const padding = "·".repeat(20);
const capabilities = { loadSession: true, sessionCapabilities: { close: {}, delete: {} } };
let sessions = 0;

const say = (...messages) =>
  process.stdout.write(messages.map((each) => `${JSON.stringify({ jsonrpc: "2.0", ...each })}\n`).join(""));

function piece(sessionId, messageId, number) {
  const text = `[${number}@${(performance.timeOrigin + performance.now()).toFixed(2)}]${padding}`;
  const update = { sessionUpdate: "agent_message_chunk", content: { type: "text", text }, messageId };
  return { method: "session/update", params: { sessionId, update } };
}

async function prompt(id, { sessionId, prompt: blocks }) {
  const [pieces = 1, group = 1, pauseMs = 1] = blocks.at(-1).text.split(" ").map(Number);
  for (let at = 1; at <= pieces; at += group) {
    const count = Math.min(group, pieces - at + 1);
    say(...Array.from({ length: count }, (_, n) => piece(sessionId, `message-${id}`, at + n)));
    await delay(pauseMs);
  }
  say({ id, result: { stopReason: "end_turn" } });
}

function serve({ id, method, params }) {
  if (id === undefined || method === undefined) return;
  if (method === "session/prompt") return void prompt(id, params);
  if (method === "initialize") say({ id, result: { protocolVersion: 1, agentCapabilities: capabilities } });
  else if (method === "session/new")
    say({ id, result: { sessionId: `soak-${process.pid}-${(sessions += 1)}` } });
  else say({ id, result: {} });
}

let rest = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (chunk) => {
  const lines = (rest + chunk).split("\n");
  rest = lines.pop();
  for (const line of lines) serve(JSON.parse(line));
});
process.stdin.on("end", () => process.exit(0));
