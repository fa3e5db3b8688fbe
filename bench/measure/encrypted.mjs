/** What encryption at rest costs: an append, a load, a stream, each beside the same on a plain store. */
import path from "node:path";
import { contenders, encryptedSidecar, sidecar } from "../contenders.mjs";
import { Samples } from "../stats.mjs";
import { entry, heldSession, libraryOf, openStoreOf } from "../store.mjs";
import { messageUpdate } from "../updates.mjs";
import { loadOnce, prepare } from "./load.mjs";
import { stream } from "./streaming.mjs";

export async function encrypted({ folder, quick, options }) {
  const both = [sidecar(folder, options.binary), encryptedSidecar(folder, options.binary)];
  return [
    await appends(both, folder, quick),
    await loads(both, folder, quick),
    await streams(both[1], folder, quick, options),
  ];
}

const appendsPerRound = 500;

async function appends(both, folder, quick) {
  const samples = new Samples();
  for (const contender of both) {
    const store = await openStoreOf(contender);
    const session = {
      ...(await heldSession(store, await libraryOf(contender.library), path.resolve(folder))),
      head: 0,
    };
    for (let round = 0; round < (quick ? 5 : 20); round++)
      samples.add(contender.name, await microsAnAppend(store, session));
    await store.close();
  }
  const more = samples.median("encrypted") - samples.median("sidecar");
  return {
    what: "append of one entry, plain and encrypted, µs of processor time",
    figures: {
      sidecar: `${samples.median("sidecar").toFixed(0)} and ${samples.median("encrypted").toFixed(0)}`,
    },
    ratio: `+ ${more.toFixed(1)} µs`,
    wanted: "≤ + 15 µs",
    met: more <= 15,
  };
}

/** By processor time: others at work on the machine change that least. */
async function microsAnAppend(store, session) {
  const began = process.cpuUsage();
  for (let i = 0; i < appendsPerRound; i++) {
    const update = entry("update", { update: messageUpdate(i) });
    session.head = await store.append(session.id, session.head, [update], session.lease);
  }
  const { user, system } = process.cpuUsage(began);
  return (user + system) / appendsPerRound;
}

async function loads(both, folder, quick) {
  const samples = new Samples();
  for (const build of both) build.stored = await prepare(build, folder);
  for (let round = 0; round < (quick ? 3 : 9); round++)
    for (const build of both) await loadOnce(build, folder, samples);
  const rate = samples.median("encrypted");
  return {
    what: "`session/load` of 100,000 encrypted entries, entries/s",
    figures: { sidecar: rate },
    ratio: `${samples.ratio("encrypted", "sidecar").toFixed(2)} × plain`,
    wanted: "≥ 60,000/s",
    met: rate >= 60_000,
  };
}

async function streams(encrypted, folder, quick, options) {
  const samples = new Samples();
  const bytes = contenders(folder, options).find(({ name }) => name === "bytes");
  const all = [bytes, encrypted];
  const count = quick ? 30_000 : 100_000;
  for (let round = 0; round < (quick ? 3 : 7); round++)
    for (const contender of all) samples.add(contender.name, await stream(contender, folder, "text", count));
  const toBytes = samples.ratio("encrypted", "bytes");
  return {
    what: `streaming ${count.toLocaleString("en")} updates (all text) into an encrypted store, updates/s`,
    figures: { bytes: samples.median("bytes"), sidecar: samples.median("encrypted") },
    ratio: `${toBytes.toFixed(2)} × (b)`,
    wanted: "≥ 0.3 × (b)",
    met: toBytes >= 0.3,
  };
}
