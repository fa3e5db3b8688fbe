/** Stores on this machine's disk: ours as they are opened by their URL, and what others keep sessions in. */
import { readdirSync, statSync } from "node:fs";
import path from "node:path";
import { sidecar } from "../contenders.mjs";
import { Samples } from "../stats.mjs";
import { libraryOf } from "../store.mjs";
import { micros, millis, perSecond, rowOf } from "../stores/account.mjs";
import { jsonFiles } from "../stores/naive.mjs";
import { ours, sampleEntries } from "../stores/ours.mjs";
import { keyv, langGraph, peersInstalled } from "../stores/peers.mjs";
import { atOnce, growth, lists, shortSessions } from "../stores/work.mjs";

export async function storesDurable({ folder, quick, options }) {
  const library = await libraryOf(sidecar(folder, options.binary).library);
  const samples = new Samples();
  const plan = { rounds: quick ? 3 : 11, spanMs: quick ? 20 : 60 };
  const sizes = quick ? [1000, 10_000] : [1000, 10_000, 100_000, 1_000_000];
  const sessions = quick ? 2000 : 100_000;
  const makers = makersOf(library);
  const names = Object.keys(makers);
  const inFolder = async (part, measure) => {
    const subjects = [];
    for (const [name, make] of Object.entries(makers))
      subjects.push(await make(path.join(folder, part, name)));
    await measure(subjects);
    for (const subject of subjects) await subject.close();
  };
  await inFolder("short", async (subjects) => {
    await shortSessions(subjects, samples, { ...plan, most: 5000 });
    await atOnce(subjects, samples, { ...plan, rounds: Math.min(plan.rounds, 5) });
  });
  await inFolder("long", (subjects) => growth(subjects, samples, { ...plan, rounds: 5, sizes }));
  await inFolder("many", (subjects) => lists(subjects, samples, { ...plan, rounds: 5, sessions }));
  for (const [name, make] of Object.entries(makers)) {
    samples.add(`${name} bytes`, await bytesPerEntry(make, path.join(folder, "bytes", name)));
  }
  return { title: "Stores on disk", columns: names, rows: rows(samples, names, { sizes, sessions }), notes };
}

const notes = [
  "`layered` is a cache in front of `sqlite`, which is asked for the record each time, for others may write to it.",
  "JSON files: one per session, written anew by each append. LangGraph: its SQLite checkpointer, a checkpoint of the",
  "whole conversation per append, on the same build of SQLite. keyv-file: Keyv with a file per key, a session being",
  "one value; it knows no order. None of the three syncs, checks who writes, or keeps two writers apart. A call of",
  "theirs that takes over half a second is made once, and none at ten times the size.",
];

/** By name: opens one in a folder of its own, which is made if need be. */
function makersOf(library) {
  const at = (name, url) => async (folder) => ours(name, await library.openStore(url(folder)), library);
  const sqlite = (folder) => `sqlite:${path.join(folder, "sessions.db")}`;
  return {
    sqlite: at("sqlite", sqlite),
    file: at("file", (folder) => `file:${folder}`),
    layered: at("layered", (folder) => `layered:${JSON.stringify(["cache:", sqlite(folder)])}`),
    "JSON files": async (folder) => jsonFiles(folder),
    ...(peersInstalled() && { LangGraph: langGraph, "keyv-file": keyv }),
  };
}

/** Bytes on disk per entry of a session of 10,000, appended 100 at a time, when the store has been closed. */
async function bytesPerEntry(make, folder) {
  const subject = await make(folder);
  const session = await subject.session({});
  const batch = sampleEntries(10_000);
  for (let at = 0; at < 10_000; at += 100)
    session.head = await subject.append(session, batch.slice(at, at + 100));
  await subject.close();
  const files = readdirSync(folder, { recursive: true }).map((name) => statSync(path.join(folder, name)));
  return files.filter((file) => file.isFile()).reduce((sum, { size }) => sum + size, 0) / 10_000;
}

function rows(samples, names, { sizes, sessions }) {
  const at = (size) => `10^${Math.log10(size)}`;
  const row = (title, what, as, wanted) => rowOf(samples, names, { title, what, as, wanted });
  const list = `of a list of ${sessions.toLocaleString("en")} sessions`;
  const page = { sqlite: { atMost: 2 } };
  const dataBytes = sampleEntries(100).reduce((sum, { data }) => sum + data.length, 0) / 100;
  const perEntry = (ms) => 100_000 / ms;
  return [
    row("get, µs", "get", micros),
    row("append of 1 entry, entries/s", "append", perSecond, { sqlite: { atLeast: 30_000 } }),
    row("append of 100 entries, entries/s", "batch", perEntry, { sqlite: { atLeast: 250_000 } }),
    row("append of 1 entry and flush (fsync), ms", "flush", millis),
    row("read of 10,000 entries, ms", "read", millis),
    row(`first page of 50 ${list}, ms`, "first", millis, page),
    row(`page after nine tenths ${list}, ms`, "deep", millis, page),
    row("the same of one folder, ms", "deep cwd", millis, page),
    row("the same of those before an instant, ms", "deep before", millis, page),
    row(`search for 1 in 1,000 by metadata, ms`, "search", millis, page),
    ...[1, 8, 64].map((n) => row(`appends to ${n} sessions at once, 1/s`, `${n} at once`, perSecond)),
    ...sizes.map((size) =>
      row(`append to a session of ${at(size)} entries, µs`, `append at ${size}`, micros),
    ),
    ...sizes.map((size) => row(`read of its last 100 at ${at(size)} entries, µs`, `tail at ${size}`, micros)),
    row(`bytes on disk per entry of ${Math.round(dataBytes)} bytes`, "bytes"),
  ];
}
