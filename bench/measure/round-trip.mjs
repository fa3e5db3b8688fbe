/**
 * One prompt that is answered with one update, from the request to its answer: the first hundred of a process, and
 * when V8 has compiled what is used, which takes a program of this size some thousand prompts. Beside them what one
 * fsync costs here, and the least that keeps the same promise.
 */
import { open } from "node:fs/promises";
import path from "node:path";
import { BenchClient } from "../client.mjs";
import { contenders, durableRelay } from "../contenders.mjs";
import { median } from "../stats.mjs";

const promptsPerRound = 20;
const firstRounds = 5;

export async function roundTrip({ folder, quick, options }) {
  const [warmUpRounds, rounds] = quick ? [10, 10] : [150, 60];
  const clients = [];
  for (const contender of [...contenders(folder, options), durableRelay(folder)]) {
    const client = new BenchClient(contender);
    clients.push({ client, sessionId: await client.open(folder), first: [], times: [] });
  }
  const floor = await open(path.join(folder, "fsync"), "w");
  const syncs = [];
  for (let round = 0; round < warmUpRounds + rounds; round++) {
    for (const { client, sessionId, first, times } of clients) {
      const taken = await promptAgain(client, sessionId);
      if (round < firstRounds) first.push(...taken);
      if (round >= warmUpRounds) times.push(...taken);
    }
    for (let i = 0; i < promptsPerRound; i++) syncs.push(await appendAndSync(floor));
  }
  await floor.close();
  for (const { client } of clients) await client.close();
  const fsyncMs = median(syncs);
  const medians = (which) =>
    Object.fromEntries(clients.map((each) => [each.client.name, median(each[which])]));
  return [
    {
      what: "prompt round trip p50, ms",
      wanted: "≤ (b) + fsync + 0.3 ms",
      ...judged(medians("times"), fsyncMs),
    },
    { what: "the same, the first 100 prompts of a process", figures: medians("first"), ratio: "" },
  ];
}

async function promptAgain(client, sessionId) {
  const times = [];
  for (let i = 0; i < promptsPerRound; i++) {
    const exchange = await client.prompt(sessionId, "hello");
    if (exchange.messages().length !== 1) throw new Error(`${client.name}: not one update`);
    times.push(exchange.endedAtMs - exchange.sentAtMs);
  }
  return times;
}

/** One page appended and synced through Node's thread pool, as any program on Node would. */
async function appendAndSync(file) {
  const page = Buffer.alloc(4096, 1);
  const startMs = performance.now();
  await file.write(page);
  await file.datasync();
  return performance.now() - startMs;
}

function judged(figures, fsyncMs) {
  const over = (ms) => `${(ms - figures.bytes - fsyncMs).toFixed(2)} ms`;
  return {
    figures,
    ratio: `(b) + one fsync (${fsyncMs.toFixed(2)}) + ${over(figures.sidecar)}; the least that keeps the promise: + ${over(figures.durable)}`,
    met: figures.sidecar - figures.bytes - fsyncMs <= 0.3,
  };
}
