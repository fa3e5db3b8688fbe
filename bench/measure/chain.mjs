/** What the integrity chain costs: an entry that is linked at its turn's end, and a million that are checked. */
import { build } from "esbuild";
import crypto from "node:crypto";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { Samples } from "../stats.mjs";
import { messageUpdate } from "../updates.mjs";

const entriesPerTurn = 20;
const atMs = 1_700_000_000_000;
const noStore = { read: async function* () {} };

export async function chain({ folder, quick }) {
  const { Chain, ChainCheck } = await parts(folder);
  const samples = new Samples();
  const count = quick ? 20_000 : 100_000;
  // The same ones in all rounds, so that no round pays for the garbage of the making of them.
  const turns = Array.from({ length: count / entriesPerTurn }, (_, at) => turn(at * entriesPerTurn));
  const rounds = quick ? 3 : 9;
  for (let round = 0; round < rounds; round++) {
    samples.add("link", (await microsToLink(Chain, turns)) / count);
    samples.add("hash", microsToHash(turns) / count);
    samples.add("check", await secondsToCheck(Chain, ChainCheck));
  }
  const [link, hash, check] = ["link", "hash", "check"].map((name) => samples.median(name));
  return [
    {
      what: `an entry of the integrity chain, in turns of ${entriesPerTurn}, µs of processor time`,
      figures: { sidecar: link.toFixed(2) },
      ratio: `+ ${link.toFixed(2)} µs, ${(link / hash).toFixed(1)} × the ${hash.toFixed(2)} of its data's SHA-256`,
      wanted: "≤ 1.5 µs",
      met: link <= 1.5,
    },
    {
      what: "the chain of 1,000,000 entries checked, beside their reading, s of processor time",
      figures: { sidecar: check.toFixed(2) },
      ratio: `+ ${check.toFixed(2)} s, ${(check / hash).toFixed(1)} × the SHA-256 of their data`,
      wanted: "≤ 3 s",
      met: check <= 3,
    },
  ];
}

/** From the source: the library does not hand them out by themselves. */
async function parts(folder) {
  const outfile = path.resolve(folder, "chain.mjs");
  const contents = `export { Chain } from "./chain.ts"; export { ChainCheck } from "./chain-check.ts";`;
  const resolveDir = new URL("../../src/session/", import.meta.url).pathname;
  await build({
    stdin: { contents, resolveDir, loader: "ts" },
    outfile,
    bundle: true,
    packages: "external",
    format: "esm",
    platform: "node",
    target: "node20",
    logLevel: "error",
  });
  return import(pathToFileURL(outfile).href);
}

function turn(from) {
  const entries = [];
  for (let at = 1; at < entriesPerTurn; at++)
    entries.push({
      kind: "update",
      atMs: atMs + at,
      data: JSON.stringify({ update: messageUpdate(from + at) }),
    });
  return [...entries, { kind: "end", atMs, data: '{"result":{"stopReason":"end_turn"}}' }];
}

async function microsToLink(Chain, turns) {
  const links = new Chain(noStore, "");
  const began = process.cpuUsage();
  let sealed = 0;
  for (const entries of turns) {
    await links.linked(entries, sealed);
    links.written();
    sealed += entries.length;
  }
  return microsSince(began);
}

/** The floor under both: the SHA-256 of the same data alone. */
function microsToHash(turns) {
  const began = process.cpuUsage();
  for (const entries of turns) for (const { data } of entries) sha256Of(data);
  return microsSince(began);
}

/** In one step where Node has that. */
function sha256Of(data) {
  return crypto.hash?.("sha256", data, "hex") ?? crypto.createHash("sha256").update(data).digest("hex");
}

async function secondsToCheck(Chain, ChainCheck) {
  const [million, block] = [1_000_000, 20_000];
  const links = new Chain(noStore, "");
  const check = new ChainCheck();
  let [seq, micros] = [0, 0];
  while (seq < million) {
    const page = [];
    for (let of = 0; of < block; of += entriesPerTurn) {
      const entries = turn(seq + of);
      entries[entriesPerTurn - 1] = await links.linked(entries, seq + of);
      links.written();
      for (const [at, entry] of entries.entries()) page.push({ seq: seq + of + at + 1, ...entry });
    }
    const began = process.cpuUsage();
    for (const entry of page) check.take(entry);
    micros += microsSince(began);
    seq += block;
  }
  if (check.report.damage !== undefined) throw new Error("the chain does not hold");
  return micros / 1e6;
}

function microsSince(began) {
  const { user, system } = process.cpuUsage(began);
  return user + system;
}
