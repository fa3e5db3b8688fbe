/** `demo`: a sidecar is killed in the middle of a turn; the next one has the whole conversation. */
import path from "node:path";
import type { StartAgent } from "../agent/agent.ts";
import { agentLine } from "./agent-text.ts";
import type { Invocation, Io } from "./command.ts";
import { compare, isText, textOf, type Account } from "./demo-account.ts";
import { interruptible } from "./interrupt.ts";
import { answerTimeFrom, Peer, sidecarWith, turnTimeout, withScratchFolder, type Update } from "./peer.ts";
import { countText, oneLine, print } from "./print.ts";

const defaultPrompt =
  "Say these words back to me one by one, so that there is time to pull the plug between two of them. " +
  "A session that lives in one process dies with it: the editor waits, the agent talks to nobody, and what was " +
  "said is gone. Here a journal stands between the two, and what the editor has seen is on disk before it sees it.";

/** When the agent has begun to say something: enough of it to be seen, or what it says in a moment. */
const killAfter = { texts: 20, ms: 300 };

/** What one run is about. */
interface Run {
  readonly io: Io;
  readonly start: StartAgent;
  readonly cwd: string;
  readonly prompt: string;
  readonly withinMs: number;
  readonly signal: AbortSignal;
}

export function demo({ agent: words, flags }: Invocation, io: Io): Promise<number> {
  const withinMs = answerTimeFrom("timeout", flags["timeout"] ?? turnTimeout);
  const [command, ...args] = words;
  const agent = command === undefined ? undefined : { command, args };
  const goOn = () => "the agent was ended, and nothing is left of it";
  return withScratchFolder((folder) =>
    interruptible(goOn, async (signal) => {
      const store = `sqlite:${path.join(folder, "sessions.db")}`;
      await print(io, `acp-sidecar demo\n  agent  ${agentLine(agent)}\n  store  ${store}\n\n`);
      const start = sidecarWith(io, { folder, store, agent });
      const prompt = String(flags["prompt"] ?? defaultPrompt);
      const run: Run = { io, start, cwd: folder, prompt, withinMs, signal };
      const first = await untilKilled(run);
      return first === undefined ? nothingSaid(io) : afterwards(run, first);
    }),
  );
}

interface BeforeKill {
  readonly sessionId: string;
  /** What the client had received. */
  readonly before: readonly Update[];
}

/** From the first start to the kill; undefined when the agent has ended its turn without a word. */
async function untilKilled(run: Run): Promise<BeforeKill | undefined> {
  const { io, cwd, prompt } = run;
  const before: Update[] = [];
  const due = new Due();
  let isPrompted = false;
  let isKilled = false;
  const peer = await started(run, "Started the sidecar", (update) => {
    if (!isPrompted) return;
    before.push(update);
    if (isText(update)) due.hears();
  });
  try {
    const { sessionId } = await peer.request("session/new", { cwd, mcpServers: [] });
    await print(io, `   Opened session ${String(sessionId)}\n   Prompted: ${shortened(prompt)}\n`);
    await print(io, "   Waiting for its first words…\n");
    isPrompted = true;
    const answered = peer.request("session/prompt", promptParams(sessionId, prompt)).then(
      () => "answered" as const,
      (error: unknown) => (isKilled ? ("kill" as const) : Promise.reject(error as Error)),
    );
    const how = await Promise.race([due.reached, answered]);
    isKilled = true;
    await kill(peer);
    if (!before.some(isText)) return undefined;
    const when =
      how === "kill" ? "in the middle of the turn" : "after the turn, which was too short to be cut";
    await print(io, `   Killed it (SIGKILL) ${when}; ${countText(before.length, "update")} received\n`);
    await print(io, `   Its words until then: ${wordsOf(before)}\n\n`);
    return { sessionId: String(sessionId), before };
  } finally {
    due.clear();
    await peer.agent.stop();
  }
}

/** When there is enough to be lost. */
class Due {
  readonly reached: Promise<"kill">;
  #reach: () => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;
  #texts = 0;

  constructor() {
    this.reached = new Promise((resolve) => {
      this.#reach = () => resolve("kill");
    });
  }

  hears(): void {
    this.#texts += 1;
    this.#timer ??= setTimeout(this.#reach, killAfter.ms);
    if (this.#texts === killAfter.texts) this.#reach();
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}

/** The second start: is all there, and does the conversation go on? */
async function afterwards(run: Run, { sessionId, before }: BeforeKill): Promise<number> {
  const { io, cwd, prompt } = run;
  const replay: Update[] = [];
  let isLoading = true;
  const peer = await started(run, "Started it again", (update) => {
    if (isLoading) replay.push(update);
  });
  try {
    const beganMs = performance.now();
    await peer.request("session/load", { sessionId, cwd, mcpServers: [] });
    isLoading = false;
    const tookMs = (performance.now() - beganMs).toFixed(0);
    await print(
      io,
      `   Loaded the session: ${countText(replay.length, "update")} replayed in ${tookMs} ms\n`,
    );
    await print(io, `   Its words now:        ${wordsOf(replay)}\n`);
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
  const all = `the prompt, and ${received === 1 ? "the" : "all of the"} ${countText(received, "update")} that the client had (${countText(receivedChars, "character")})`;
  await print(io, `   All is there: ${all}\n`);
  return true;
}

async function nothingSaid(io: Io): Promise<number> {
  await print(
    io,
    "   The agent ended its turn without a word, so there was nothing to compare.\n\nNothing was shown; give it more to do with --prompt TEXT, and try it with acp-sidecar doctor.\n",
  );
  return 1;
}

async function started(
  { io, start, withinMs, signal }: Run,
  title: string,
  onUpdate: (update: Update) => void,
): Promise<Peer> {
  const beganMs = performance.now();
  const peer = await Peer.start(start, { onUpdate, withinMs, signal });
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

/** Their beginning and their end: there the cut is to be seen. */
function wordsOf(updates: readonly Update[]): string {
  const text = textOf(updates, "agent_message_chunk");
  const [start, end] = [oneLine(text.slice(0, 1000)).trim(), oneLine(text.slice(-1000)).trim()];
  return start.length > 54 ? `"${start.slice(0, 20)} … ${end.slice(-30)}"` : `"${start}"`;
}

function shortened(text: string): string {
  const line = oneLine(text.slice(0, 1000)).trim();
  return line.length > 60 ? `"${line.slice(0, 60)}…"` : `"${line}"`;
}
