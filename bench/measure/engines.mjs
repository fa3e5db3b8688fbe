/**
 * The two SQLite engines beside each other, on a Node that has both: the store is the same above them. Where
 * better-sqlite3 is installed for another Node, or was built with headers with which it aborts on this one (24.19 and
 * newer), SIDECAR_SQLITE_ENGINE names the file of one that was built for this Node with older ones.
 */
import path from "node:path";
import process from "node:process";
import { sidecar } from "../contenders.mjs";
import { Samples } from "../stats.mjs";
import { libraryOf } from "../store.mjs";
import { micros, millis, perSecond, rowOf } from "../stores/account.mjs";
import { ours } from "../stores/ours.mjs";
import { shortSessions } from "../stores/work.mjs";

const variable = "SIDECAR_SQLITE_ENGINE";

export async function engines({ folder, quick, options }) {
  const library = await libraryOf(sidecar(folder, options.binary).library);
  const given = process.env[variable];
  const samples = new Samples();
  const subjects = [];
  for (const engine of ["node:sqlite", given ?? "better-sqlite3"]) {
    process.env[variable] = engine;
    const name = engine.replace(/^.*\.node$/, "better-sqlite3");
    const url = `sqlite:${path.join(folder, `${name.replace(":", "-")}.db`)}`;
    const store = await library.openStore(url).catch(() => undefined);
    if (store !== undefined) subjects.push(ours(name, store, library));
  }
  if (given === undefined) delete process.env[variable];
  else process.env[variable] = given;
  const rounds = quick ? 3 : 21;
  await shortSessions(subjects, samples, { rounds, spanMs: quick ? 20 : 100, most: 20_000 });
  for (const subject of subjects) await subject.close();
  const names = subjects.map(({ name }) => name);
  const row = (title, what, as) => rowOf(samples, names, { title, what, as, wanted: wantedOf(names) });
  const rows = [
    row("get, µs", "get", micros),
    row("append of 1 entry, entries/s", "append", perSecond),
    row("append of 100 entries, entries/s", "batch", (ms) => 100_000 / ms),
    row("append of 1 entry and flush (fsync), ms", "flush", millis),
    row("read of 10,000 entries, ms", "read", millis),
  ];
  return { title: "SQLite engines", columns: names, rows, notes: notesOf(names) };
}

function wantedOf(names) {
  return names.length < 2 ? {} : { "node:sqlite": { times: 1.1, of: "better-sqlite3" } };
}

function notesOf(names) {
  return names.length < 2 ? ["This Node has one of the two only: nothing to compare."] : [];
}
