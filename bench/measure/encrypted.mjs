/** What encryption at rest costs: an append, a load, a stream, each beside the same on a plain store. */
import { createCipheriv, randomBytes } from "node:crypto";
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

/** The first ones of a process are slower: V8 has not compiled yet what they use. */
const firstAppends = 2000;

/**
 * One by one in turn, and by their medians: so they meet the same machine, and whoever else is at work there changes
 * little. The floor is the cipher alone, over the same bytes.
 */
async function appends(both, folder, quick) {
  const samples = new Samples();
  const stores = [];
  for (const contender of both) {
    const store = await openStoreOf(contender);
    const session = await heldSession(store, await libraryOf(contender.library), path.resolve(folder));
    stores.push({ name: contender.name, store, session: { ...session, head: 0 } });
  }
  for (let i = 0; i < (quick ? 6000 : 20_000); i++) {
    const update = entry("update", { update: messageUpdate(i) });
    for (const each of i % 2 ? stores : stores.toReversed()) {
      const micros = await microsToAppend(each, update);
      if (i >= firstAppends) samples.add(each.name, micros);
    }
    const micros = microsToEncrypt(update.data);
    if (i >= firstAppends) samples.add("cipher", micros);
  }
  for (const { store } of stores) await store.close();
  const [plain, encrypted, cipher] = ["sidecar", "encrypted", "cipher"].map((name) => samples.median(name));
  const more = encrypted - plain;
  return {
    what: "append of one entry, plain and encrypted, µs",
    figures: { sidecar: `${plain.toFixed(1)} and ${encrypted.toFixed(1)}` },
    ratio: `+ ${more.toFixed(1)} µs, ${(more / cipher).toFixed(1)} × the cipher's ${cipher.toFixed(1)}`,
    wanted: "≤ + 15 µs",
    met: more <= 15,
  };
}

async function microsToAppend({ store, session }, update) {
  const began = performance.now();
  session.head = await store.append(session.id, session.head, [update], session.lease);
  return (performance.now() - began) * 1000;
}

const [key, nonce] = [randomBytes(32), randomBytes(12)];
const about = Buffer.from("entry 01JD4XQ9H5M4Z8T6W2E3R7Y1AB 1000 update 1700000000000");

/** As plainly as Node can. What it gives is stored nowhere, so the nonce may be the same. */
function microsToEncrypt(text) {
  const bytes = Buffer.from(text);
  const began = performance.now();
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(about);
  cipher.update(bytes);
  cipher.final();
  cipher.getAuthTag();
  return (performance.now() - began) * 1000;
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
