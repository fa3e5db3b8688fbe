/** Stores in memory: what a call of the contract costs, and what the least is that such a call can cost. */
import { sidecar } from "../contenders.mjs";
import { Samples } from "../stats.mjs";
import { libraryOf, newSession } from "../store.mjs";
import { micros, millis, perSecond, rowOf } from "../stores/account.mjs";
import { metadataOf, ours } from "../stores/ours.mjs";
import { agentsMemory, keyv, peersInstalled } from "../stores/peers.mjs";
import { atOnce, growth, lists, shortSessions } from "../stores/work.mjs";

/** Large enough for all that is put into them here. */
const cacheUrl = "cache:?ttlMs=3600000&maxBytes=4000000000&maxSessions=1000000";

export async function storesMemory({ folder, quick, options }) {
  const library = await libraryOf(sidecar(folder, options.binary).library);
  const subjects = [
    bare(),
    ours("memory", await library.openStore("memory:"), library),
    ours("cache", await library.openStore(cacheUrl), library),
    ours("layered", await library.openLayers([cacheUrl, "memory:"]), library),
    ...(peersInstalled() ? [await agentsMemory(), await keyv()] : []),
  ];
  const samples = new Samples();
  // Many short ones: most of them pass without another process in between.
  const plan = { rounds: quick ? 11 : 41, spanMs: 4 };
  const sizes = quick ? [1000, 10_000] : [1000, 10_000, 100_000, 1_000_000];
  const sessions = quick ? 10_000 : 100_000;
  await shortSessions(subjects, samples, { ...plan, most: 20_000 });
  await misses(library, samples, { ...plan, folder });
  await atOnce(subjects, samples, plan);
  await lists(subjects, samples, { ...plan, rounds: 5, sessions });
  await growth(subjects, samples, { ...plan, rounds: 5, sizes });
  for (const subject of subjects) await subject.close();
  const names = subjects.map(({ name }) => name);
  return {
    title: "Stores in memory",
    columns: names,
    rows: rows(samples, names, { sizes, sessions }),
    notes,
  };
}

const notes = [
  "a Map: the floor, a Map and arrays of frozen entries behind asynchronous methods that check nothing. `layered` is",
  "`cache:` in front of `memory:`. agents SDK: `MemorySession` of @openai/agents-core, the only session of it that",
  "keeps anything by itself; it keeps no list. keyv: Keyv over a Map, a session being one value; it knows no order.",
];

/** What any store in memory does at the least: a Map behind asynchronous methods, entries frozen, nothing checked. */
function bare() {
  const records = new Map();
  const session = async (metadata) => {
    const id = `session ${records.size}`;
    records.set(id, { record: Object.freeze({ id, metadata }), entries: [] });
    return { id, head: 0 };
  };
  return {
    name: "a Map",
    session,
    get: async ({ id }) => records.get(id)?.record,
    append: async ({ id }, given) => {
      const { entries } = records.get(id);
      for (const { kind, atMs, data } of given) {
        entries.push(Object.freeze({ seq: entries.length + 1, kind, atMs, data }));
      }
      return entries.length;
    },
    read: async ({ id }, from = 1) => records.get(id).entries.slice(from - 1).length,
    close: async () => {},
  };
}

/** Records that only the slower layer has: each is asked for once, and is in the faster one afterwards. */
async function misses(library, samples, { rounds }) {
  const [truth, cache] = [await library.openStore("memory:"), await library.openStore(cacheUrl)];
  const layers = await library.openLayers([cacheUrl, truth]);
  const acts = {
    miss: (id) => layers.get(id),
    "by hand": async (id) => cache.create(await truth.get(id)),
  };
  for (let round = -1; round < rounds; round++) {
    for (const [name, act] of Object.entries(acts)) {
      const ids = [];
      for (let i = 0; i < 1000; i++) ids.push(await newSession(truth, library, "/project", metadataOf(i)));
      const startMs = performance.now();
      for (const id of ids) await act(id);
      const took = (performance.now() - startMs) / ids.length;
      if (round >= 0) samples.add(`layered ${name}`, took);
    }
  }
  await Promise.all([layers.close(), cache.close()]);
}

function rows(samples, names, { sizes, sessions }) {
  const at = (size) => `10^${Math.log10(size)}`;
  const row = (title, what, as, wanted) => rowOf(samples, names, { title, what, as, wanted });
  const list = `of a list of ${sessions.toLocaleString("en")} sessions`;
  return [
    row("get, µs", "get", micros, {
      memory: { atMost: 0.5 },
      cache: { atMost: 0.8 },
      layered: { atMost: 1 },
    }),
    row("get of what the faster layer lacks, written back, µs", "miss", micros, { layered: { atMost: 2 } }),
    row("the same by hand: get from `memory:`, create in `cache:`, µs", "by hand", micros),
    row("append of 1 entry, µs", "append", micros, { memory: { atMost: 1 }, layered: { atMost: 3 } }),
    row("append of 100 entries, µs", "batch", micros),
    row("read of 10,000 entries, ms", "read", millis),
    row(`first page of 50 ${list}, ms`, "first", millis),
    row(`page after nine tenths ${list}, ms`, "deep", millis),
    row(`search for 1 in 1,000 by metadata, ms`, "search", millis),
    ...[1, 8, 64].map((n) => row(`appends to ${n} sessions at once, 1/s`, `${n} at once`, perSecond)),
    ...sizes.map((size) =>
      row(`append to a session of ${at(size)} entries, µs`, `append at ${size}`, micros),
    ),
    ...sizes.map((size) => row(`read of its last 100 at ${at(size)} entries, µs`, `tail at ${size}`, micros)),
  ];
}
