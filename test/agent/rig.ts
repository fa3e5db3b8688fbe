/** Agents that are one line of script, and what they are told and say. */
import { silentLogger, type Logger } from "../../src/base/log.ts";
import type { Agent, AgentHandlers } from "../../src/agent/agent.ts";
import { startProcessAgent, type ProcessAgentOptions } from "../../src/agent/process.ts";
import { handlers } from "../rpc/streams.ts";

/** Reads lines of JSON-RPC, and has `answer(id, result)`, `note(method, params)` and `requests`. */
const prelude = `
const say = (message) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\\n");
const answer = (id, result) => say({ id, result });
const note = (method, params) => say({ method, params });
const onRequest = (handle) => require("node:readline").createInterface({ input: process.stdin })
  .on("line", (line) => handle(JSON.parse(line)));
const stayAlive = () => setInterval(() => {}, 60000);
`;

const agents: Agent[] = [];

/** Runs a script as an agent; `stopAll` ends it if the test has not. */
export async function startScript(
  script: string,
  given: Partial<AgentHandlers> = {},
  options: Partial<ProcessAgentOptions> = {},
): Promise<Agent> {
  const agent = await startProcessAgent(
    {
      command: process.execPath,
      args: ["-e", prelude + script],
      maxMessageBytes: 1 << 20,
      stopGraceMs: 300,
      log: silentLogger,
      ...options,
    },
    handlers(given),
  );
  agents.push(agent);
  return agent;
}

export async function stopAll(): Promise<void> {
  await Promise.all(agents.splice(0).map((agent) => agent.stop()));
}

/** What is logged, as level and text. */
export function recordingLog(): { readonly log: Logger; readonly lines: [string, string][] } {
  const lines: [string, string][] = [];
  const at = (level: string) => (fields: unknown, message: string) => {
    lines.push([level, `${message} ${JSON.stringify(fields)}`]);
  };
  const log = { error: at("error"), warn: at("warn"), info: at("info"), debug: at("debug") };
  return { log: { ...log, writes: () => true, close: () => undefined }, lines };
}
