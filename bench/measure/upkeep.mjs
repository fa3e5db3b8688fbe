/** What a round of upkeep costs turns: one without pauses, by another process on the same store, between stretches without any. */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { BenchClient } from "../client.mjs";
import { builtSidecar, sidecar } from "../contenders.mjs";
import { median, quantile } from "../stats.mjs";
import { entry, heldSession, libraryOf, openStoreOf } from "../store.mjs";

const dayMs = 86_400_000;

export async function upkeep({ folder, quick, options }) {
  const contender = sidecar(folder, options.binary);
  const library = await libraryOf(contender.library);
  const store = await openStoreOf(contender);
  const client = new BenchClient({ ...contender, env: { ...contender.env, ...configured(folder) } });
  const sessionId = await client.open(folder);
  await timesOf(client, sessionId, { prompts: quick ? 100 : 500 });
  const [alone, beside, roundsMs] = [[], [], []];
  for (let round = 0; round < (quick ? 3 : 9); round++) {
    await fill(store, library, folder, quick ? 100 : 400);
    alone.push(...(await timesOf(client, sessionId, { prompts: 200 })));
    const beganMs = performance.now();
    const upkeeping = { ended: false };
    const ended = roundOf(contender, options.binary, folder).finally(() => (upkeeping.ended = true));
    beside.push(...(await timesOf(client, sessionId, { until: upkeeping })));
    await ended;
    roundsMs.push(performance.now() - beganMs);
  }
  await client.close();
  await store.close();
  const words = (times) =>
    `${median(times).toFixed(2)}, ${quantile(times, 0.95).toFixed(2)}, ${Math.max(...times).toFixed(0)}`;
  return [
    {
      what: `prompt round trip beside a round of upkeep of ${median(roundsMs).toFixed(0)} ms (p50, p95, most), ms`,
      figures: { sidecar: words(beside) },
      ratio: `${(median(beside) / median(alone)).toFixed(2)} × without (${words(alone)})`,
    },
  ];
}

function configured(folder) {
  mkdirSync(path.join(folder, "acp-sidecar"), { recursive: true });
  const backup = { to: `sqlite:${path.join(folder, "backups", "copy.db")}`, every: "1d", keep: 1 };
  const config = { backup, archiveAfter: "1d", upkeepInterval: "off" };
  writeFileSync(path.join(folder, "acp-sidecar", "config.json"), JSON.stringify(config));
  return { XDG_CONFIG_HOME: folder };
}

/** Sessions that are to be archived. */
async function fill(store, library, cwd, sessions) {
  const content = { type: "text", text: "What is said in a turn, as long as it may be. ".repeat(20) };
  const atMs = Date.now() - 3 * dayMs;
  const turn = [
    entry("prompt", { prompt: [content] }),
    entry("update", { update: { sessionUpdate: "agent_message_chunk", content } }),
    entry("end", { result: { stopReason: "end_turn" } }),
  ].map((each) => ({ ...each, atMs }));
  const entries = Array.from({ length: 10 }, () => turn).flat();
  for (let n = 0; n < sessions; n++) {
    const { id, lease } = await heldSession(store, library, cwd, {}, atMs);
    await store.seal(id, { from: 1, head: 0 }, entries, lease);
    await store.release(lease);
  }
}

async function timesOf(client, sessionId, { prompts = Infinity, until = { ended: false } }) {
  const times = [];
  while (times.length < prompts && !until.ended) {
    const { sentAtMs, endedAtMs } = await client.prompt(sessionId, "hello");
    times.push(endedAtMs - sentAtMs);
  }
  return times;
}

async function roundOf({ store, env }, binary = builtSidecar, folder) {
  const child = spawn(process.execPath, [binary, "upkeep", "--backup", "--store", store], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, ...env, ...configured(folder), XDG_CACHE_HOME: folder },
  });
  const status = await new Promise((resolve) => child.once("exit", resolve));
  if (status !== 0) throw new Error(`a round of upkeep ended with status ${status}`);
}
