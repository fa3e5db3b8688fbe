/** What the audit log costs: the records of a turn, a start, a stream, each beside the same without one. */
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { BenchClient } from "../client.mjs";
import { sidecar, unauditedSidecar } from "../contenders.mjs";
import { Samples } from "../stats.mjs";
import { libraryOf } from "../store.mjs";
import { stream } from "./streaming.mjs";

export async function audit({ folder, quick, options }) {
  const both = [sidecar(folder, options.binary), unauditedSidecar(folder, options.binary)];
  return [
    await turns(both[0], folder, quick),
    await starts(both, folder, quick),
    await streams(both, folder, quick),
  ];
}

/** A permission that is asked for and decided; written together, as most are. */
async function turns({ library }, folder, quick) {
  const { openAudit } = await libraryOf(library);
  const log = openAudit({ auditFile: path.join(folder, "turns", "audit.jsonl"), identity: "ann" });
  const facts = { title: "Remove everything in the folder build", kind: "delete" };
  const samples = new Samples();
  for (let turn = 0; turn < (quick ? 60 : 200); turn++) {
    // What a process does while nothing is recorded is no cost of the log.
    const idle = await cost(() => delay(70));
    const recorded = await cost(async () => {
      log.note({ what: "permission.ask", session: "01JD4XQ9H5M4Z8T6W2E3R7Y1AB", facts });
      log.note({
        what: "permission.decide",
        session: "01JD4XQ9H5M4Z8T6W2E3R7Y1AB",
        facts: { ...facts, decision: "allow_once" },
      });
      await delay(70);
    });
    samples.add("cpu", recorded - idle);
    const startMs = performance.now();
    log.note({ what: "permission.ask", session: "01JD4XQ9H5M4Z8T6W2E3R7Y1AB", facts });
    samples.add("wall", (performance.now() - startMs) * 1000 * 2);
  }
  await log.close();
  const [cpu, wall] = [samples.median("cpu"), samples.median("wall")];
  return {
    what: "audit of a turn with a permission: its processor time, and how long the turn waits, µs",
    figures: { sidecar: `${cpu.toFixed(0)} and ${wall.toFixed(0)}` },
    ratio: `${(cpu / 1000).toFixed(2)} ms`,
    wanted: "≤ 0.2 ms",
    met: cpu <= 200 && wall <= 200,
  };
}

/** By processor time: others at work on the machine change that least. */
async function cost(act) {
  const began = process.cpuUsage();
  await act();
  const { user, system } = process.cpuUsage(began);
  return user + system;
}

async function starts(both, folder, quick) {
  const samples = new Samples();
  for (let round = 0; round < (quick ? 7 : 25); round++) {
    for (const contender of both) {
      const client = new BenchClient(contender);
      const { endedAtMs } = await client.ask("initialize", { protocolVersion: 1, clientCapabilities: {} });
      samples.add(contender.name, endedAtMs - client.spawnedAtMs);
      await client.ask("session/new", { cwd: folder, mcpServers: [] });
      await client.close();
    }
  }
  return besideOff("start to `initialize` answer with audit, ms", samples, (ratio) => 1 / ratio);
}

async function streams(both, folder, quick) {
  const samples = new Samples();
  const count = quick ? 30_000 : 100_000;
  for (let round = 0; round < (quick ? 3 : 7); round++)
    for (const contender of both) samples.add(contender.name, await stream(contender, folder, "text", count));
  return besideOff(
    `streaming ${count.toLocaleString("en")} updates (all text) with audit, updates/s`,
    samples,
    (ratio) => ratio,
  );
}

/** @param better how much of the speed is left */
function besideOff(what, samples, better) {
  const ratio = better(samples.ratio("sidecar", "unaudited"));
  return {
    what,
    figures: { sidecar: samples.median("sidecar") },
    ratio: `${ratio.toFixed(2)} × without`,
    wanted: "≥ 0.98 × without",
    met: ratio >= 0.98,
  };
}
