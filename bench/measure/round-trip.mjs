/** One prompt that is answered with one update, from the request to its answer; and what one fsync costs here. */
import { open } from "node:fs/promises";
import path from "node:path";
import { BenchClient } from "../client.mjs";
import { contenders } from "../contenders.mjs";
import { median } from "../stats.mjs";

const promptsPerRound = 20;

export async function roundTrip({ folder, quick, options }) {
  const rounds = quick ? 10 : 60;
  const all = contenders(folder, options);
  const clients = [];
  for (const contender of all) {
    const client = new BenchClient(contender);
    clients.push({ client, sessionId: await client.open(folder), times: [] });
  }
  const floor = await open(path.join(folder, "fsync"), "w");
  const syncs = [];
  // The first prompts warm everything up and do not count.
  for (let round = -2; round < rounds; round++) {
    for (const { client, sessionId, times } of clients) {
      for (let i = 0; i < promptsPerRound; i++) {
        const exchange = await client.prompt(sessionId, "hello");
        if (exchange.messages().length !== 1) throw new Error(`${client.name}: not one update`);
        if (round >= 0) times.push(exchange.endedAtMs - exchange.sentAtMs);
      }
    }
    for (let i = 0; i < promptsPerRound; i++) syncs.push(await appendAndSync(floor));
  }
  await floor.close();
  for (const { client } of clients) await client.close();
  return row(
    Object.fromEntries(clients.map(({ client, times }) => [client.name, median(times)])),
    median(syncs),
  );
}

/** One page appended and synced through Node's thread pool, as any program on Node would. */
async function appendAndSync(file) {
  const page = Buffer.alloc(4096, 1);
  const startMs = performance.now();
  await file.write(page);
  await file.datasync();
  return performance.now() - startMs;
}

function row(figures, fsyncMs) {
  const over = figures.sidecar - figures.bytes - fsyncMs;
  return [
    {
      what: "prompt round trip p50, ms",
      figures,
      ratio: `(b) + one fsync (${fsyncMs.toFixed(2)}) + ${over.toFixed(2)} ms`,
      wanted: "≤ (b) + fsync + 0.3 ms",
      met: over <= 0.3,
    },
  ];
}
