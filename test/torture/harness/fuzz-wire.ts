/**
 * Random and mutated messages and bytes from both sides: no crash, no hang, no unbounded memory, every request
 * answered exactly once, and whatever the sidecar writes is a message.
 */
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Program } from "../../e2e/harness/program.ts";
import { RawClient } from "../../e2e/harness/raw-client.ts";
import type { Fields } from "../../e2e/harness/wire.ts";
import { Account } from "../fuzz/account.ts";
import { MessageSource } from "../fuzz/messages.ts";
import { newSession } from "../world/actions.ts";
import { TortureClient } from "../world/client.ts";
import { Random } from "../world/random.ts";
import { Counter, type Figures, type Harness, type TortureOptions } from "../world/report.ts";
import { Run } from "../world/run.ts";
import { stampText } from "../checker/stamps.ts";
import { verifyAll } from "../world/verify.ts";
import { World } from "../world/world.ts";

const messagesPerSidecar = 10_000;
const messagesAtOnce = 100;
const limitBytes = 256 << 10;
const mostMemoryBytes = 512 << 20;
const lastAnswersMs = 120_000;
const fuzzAgent = [process.execPath, fileURLToPath(new URL("../fuzz/agent.mjs", import.meta.url))];

export const fuzzWire: Harness = {
  name: "fuzz-wire",
  about: "random and mutated messages from both sides, --kills of them",
  sizes: { glimpse: { kills: 2000 }, middle: { kills: 100_000 }, long: { kills: 1_000_000 } },
  run: fuzz,
};

async function fuzz(options: TortureOptions): Promise<Figures> {
  const random = new Random(options.seed);
  const counter = new Counter();
  const world = new World();
  try {
    for (let sent = 0; sent < options.kills; sent += messagesPerSidecar) {
      const count = Math.ceil(Math.min(messagesPerSidecar, options.kills - sent) / 2);
      await fuzzFromClient(options, world, random.part(`client ${sent}`), count, counter);
      await fuzzFromAgent(options, world, random.part(`agent ${sent}`), count, counter);
      const { figures } = counter;
      options.log(`${figures["messages from clients"]} and ${figures["messages from agents"]} messages`);
    }
  } finally {
    await world.end();
  }
  return counter.figures;
}

async function fuzzFromClient(
  options: TortureOptions,
  world: World,
  random: Random,
  count: number,
  counter: Counter,
): Promise<void> {
  const args = ["--max-message-bytes", String(limitBytes)];
  const program = world.sidecar({
    store: world.storeUrl(options.store),
    agent: ["agent.mjs", "--all"],
    args,
  });
  const account = new Account(limitBytes);
  const client = new RawClient(program);
  await client.initialize();
  const sessions: string[] = [];
  for (let session = 0; session < 3; session += 1) sessions.push(await client.newSession("/"));
  const source = new MessageSource(random, sessions);
  const from = program.out.length;
  for (let sent = 0; sent < count; sent += messagesAtOnce) {
    const bytes = Buffer.concat(
      Array.from({ length: Math.min(messagesAtOnce, count - sent) }, () => source.next()),
    );
    account.sent(bytes);
    program.write(bytes);
    await client.ask("session/list", {}, `ping-${sent}`);
  }
  for (const sessionId of sessions) client.notify("session/cancel", { sessionId });
  await settleAccount(program, account, from);
  await endWell(program, counter);
  counter.add("messages from clients", count);
  counter.add("requests of clients, each answered once", account.requests);
}

/** Every request is answered, once; what is no JSON is said to be none, once. */
async function settleAccount(program: Program, account: Account, from: number): Promise<void> {
  let at = from;
  for (const deadline = Date.now() + lastAnswersMs; ; await delay(20)) {
    for (; at < program.out.length; at += 1) note(program, account, at);
    if (account.unanswered().length === 0 || Date.now() > deadline) break;
  }
  const unanswered = account.unanswered();
  if (unanswered.length > 0) throw new Error(`Never answered: ${unanswered.slice(0, 10).join(", ")}`);
  const faults = account.faults().filter((fault) => !fault.includes("ping-"));
  if (faults.length > 0) throw new Error(faults.slice(0, 10).join("\n"));
  if (account.parseErrors !== account.notJson)
    throw new Error(`${account.notJson} lines were no JSON, ${account.parseErrors} errors say so`);
}

function note(program: Program, account: Account, at: number): void {
  const { message, text } = program.out.entries[at] ?? {};
  if (message?.jsonrpc !== "2.0") throw new Error(`stdout holds what is no message: ${text}`);
  if (message.method === undefined) account.answer(message);
}

async function fuzzFromAgent(
  options: TortureOptions,
  world: World,
  random: Random,
  count: number,
  counter: Counter,
): Promise<void> {
  const store = world.storeUrl(options.store);
  const seed = String(random.int(1, 2 ** 31));
  const client = new TortureClient(new Run(), world.sidecar({ store, agent: [...fuzzAgent, seed] }));
  await client.initialize();
  for (let session = 0; session < 2; session += 1) await newSession(client);
  let lines = 0;
  while (lines < count) {
    const sessionIds = client.run.sessionIds();
    const answers = await Promise.all(
      sessionIds.map((sessionId) => promptPieces(client, sessionId, random.int(1, 60))),
    );
    lines += answers.reduce((sum, each) => sum + each, 0);
    if (!client.isAlive) throw new Error(`The sidecar died: ${client.program.stderr.slice(-2000)}`);
  }
  await verifyAll(client, store);
  await endWell(client.program, counter);
  counter.add("messages from agents", lines);
  counter.add("messages that reached the client", client.told);
}

/** Returns how many lines the agent wrote meanwhile. */
async function promptPieces(client: TortureClient, sessionId: string, pieces: number): Promise<number> {
  const name = client.run.nextPrompt();
  const text = `${stampText({ prompt: name, thing: "p0", count: 1 })} ${pieces}`;
  const answer = await client.ask("session/prompt", { sessionId, prompt: [{ type: "text", text }] });
  const meta = (answer?.result as { _meta?: Fields } | undefined)?._meta;
  return Number(meta?.["lines"] ?? 1);
}

/** It lives, has not grown out of bounds, and ends in order. */
async function endWell(program: Program, counter: Counter): Promise<void> {
  if (!program.running) throw new Error(`The sidecar died: ${program.stderr.slice(-2000)}`);
  const peak = program.peakMemoryBytes();
  if (peak > mostMemoryBytes) throw new Error(`The sidecar took ${peak >> 20} MiB`);
  counter.most("most memory in MiB", peak >> 20);
  program.endInput();
  const { status } = await program.exited;
  if (status !== 0) throw new Error(`The sidecar ended with ${status}: ${program.stderr.slice(-2000)}`);
}
