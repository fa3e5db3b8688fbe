/** `demo`: a sidecar is killed in the middle of a turn; the next one has the whole conversation. */
import path from "node:path";
import type { StartAgent } from "../agent/agent.ts";
import type { Invocation, Io } from "./command.ts";
import { compare, textOf, type Account } from "./demo-account.ts";
import { Peer, sidecarWith, withScratchFolder, type Update } from "./peer.ts";
import { oneLine, print } from "./print.ts";

const defaultPrompt =
  "Say these words back to me one by one, so that there is time to pull the plug between two of them. " +
  "A session that lives in one process dies with it: the editor waits, the agent talks to nobody, and what was " +
  "said is gone. Here a journal stands between the two, and what the editor has seen is on disk before it sees it.";

/** Enough to be in the middle of a turn. */
const killAfterUpdates = 20;
/** For agents that send few and large updates. */
const killAfterMs = 1500;

export function demo(invocation: Invocation, io: Io): Promise<number> {
  const [command, ...args] = invocation.agent;
  return withScratchFolder(async (folder) => {
    const store = `sqlite:${path.join(folder, "sessions.db")}`;
    const agent = command === undefined ? undefined : { command, args };
    await print(io, `acp-sidecar demo\n  agent  ${command ?? "echo (built in)"}\n  store  ${store}\n\n`);
    const start = sidecarWith(io, { folder, store, agent });
    const prompt = String(invocation.flags["prompt"] ?? defaultPrompt);
    const first = await untilKilled(start, io, folder, prompt);
    return afterwards(start, io, folder, { ...first, prompt });
  });
}

interface BeforeKill {
  readonly sessionId: string;
  /** What the client had received. */
  readonly before: readonly Update[];
}

/** From the first start to the kill. */
async function untilKilled(start: StartAgent, io: Io, cwd: string, prompt: string): Promise<BeforeKill> {
  const before: Update[] = [];
  let dueAt: ((value: "kill") => void) | undefined;
  const due = new Promise<"kill">((resolve) => {
    dueAt = resolve;
  });
  let timer: NodeJS.Timeout | undefined;
  let prompted = false;
  let killed = false;
  const peer = await started(start, io, "Started the sidecar", (update) => {
    if (!prompted) return;
    before.push(update);
    timer ??= setTimeout(() => dueAt?.("kill"), killAfterMs);
    if (before.length === killAfterUpdates) dueAt?.("kill");
  });
  try {
    const { sessionId } = await peer.request("session/new", { cwd, mcpServers: [] });
    await print(io, `   Opened session ${String(sessionId)}\n   Prompted: ${shortened(prompt)}\n`);
    prompted = true;
    const answered = peer.request("session/prompt", promptParams(sessionId, prompt)).then(
      () => "answered" as const,
      (error: unknown) => (killed ? ("kill" as const) : Promise.reject(error as Error)),
    );
    const how = await Promise.race([due, answered]);
    killed = true;
    await kill(peer);
    await print(
      io,
      `   Killed it (SIGKILL) ${how === "kill" ? "in the middle of the turn" : "after the turn, which was too short to be cut"}, ` +
        `${before.length} updates received: ${shortened(textOf(before, "agent_message_chunk"))}\n\n`,
    );
    return { sessionId: String(sessionId), before };
  } finally {
    clearTimeout(timer);
    await peer.agent.stop();
  }
}

/** The second start: is all there, and does the conversation go on? */
async function afterwards(
  start: StartAgent,
  io: Io,
  cwd: string,
  { sessionId, before, prompt }: BeforeKill & { readonly prompt: string },
): Promise<number> {
  const replay: Update[] = [];
  let loading = true;
  const peer = await started(start, io, "Started it again", (update) => {
    if (loading) replay.push(update);
  });
  try {
    const beganMs = performance.now();
    await peer.request("session/load", { sessionId, cwd, mcpServers: [] });
    loading = false;
    const tookMs = performance.now() - beganMs;
    await print(io, `   Loaded the session: ${replay.length} updates replayed in ${tookMs.toFixed(0)} ms\n`);
    if (!(await isWhole(io, compare(prompt, before, replay)))) return 1;
    const { stopReason } = await peer.request("session/prompt", promptParams(sessionId, "And go on."));
    await print(io, `   Prompted again: the turn ended with ${String(stopReason)}\n\nNothing was lost.\n`);
    return 0;
  } finally {
    await peer.agent.stop();
  }
}

async function isWhole(io: Io, { received, receivedChars, missing }: Account): Promise<boolean> {
  if (missing.length > 0) {
    await print(io, `   LOST: ${missing.map(oneLine).join(", ")}\n`);
    return false;
  }
  if (received === 0) {
    await print(
      io,
      "   The agent sent nothing before its turn ended; give it more to do with --prompt TEXT\n",
    );
    return false;
  }
  const all = `the prompt, and all ${received} updates that the client had (${receivedChars} characters)`;
  await print(io, `   All is there: ${all}\n`);
  return true;
}

async function started(
  start: StartAgent,
  io: Io,
  title: string,
  onUpdate: (update: Update) => void,
): Promise<Peer> {
  const beganMs = performance.now();
  const peer = await Peer.start(start, onUpdate);
  try {
    await peer.initialize();
  } catch (error) {
    await peer.agent.stop();
    throw error;
  }
  const tookMs = (performance.now() - beganMs).toFixed(0);
  await print(io, `${title} (process ${peer.agent.process?.pid}): ready after ${tookMs} ms\n`);
  return peer;
}

async function kill({ agent }: Peer): Promise<void> {
  if (agent.process !== undefined) process.kill(agent.process.pid, "SIGKILL");
  await agent.exited;
}

function promptParams(sessionId: unknown, text: string) {
  return { sessionId, prompt: [{ type: "text", text }] };
}

function shortened(text: string): string {
  const line = oneLine(text).trim();
  return line.length > 70 ? `"${line.slice(0, 70)}…"` : `"${line}"`;
}
