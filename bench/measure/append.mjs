/** The cost of an append to a short session and to a very long one, by turns, each in a database of its own. */
import path from "node:path";
import { sidecar } from "../contenders.mjs";
import { median } from "../stats.mjs";
import { entry, heldSession, libraryOf } from "../store.mjs";
import { messageUpdate } from "../updates.mjs";

const appendsPerRound = 200;

export async function append({ folder, quick, options }) {
  const { library: file } = sidecar(folder, options.binary);
  const library = await libraryOf(file);
  const small = await library.openStore(`sqlite:${path.join(folder, "short.db")}`);
  const large = await library.openStore(`sqlite:${path.join(folder, "long.db")}`);
  const longEntries = quick ? 100_000 : 1_000_000;
  const long = await filled(large, library, folder, longEntries);
  const times = { short: [], long: [] };
  for (let round = 0; round < (quick ? 10 : 40); round++) {
    // A new one each time: measuring must not make it long.
    const short = await filled(small, library, folder, 1000);
    times.short.push(...(await appendMany(small, short)));
    times.long.push(...(await appendMany(large, long)));
  }
  await Promise.all([small.close(), large.close()]);
  return row(times, longEntries);
}

async function filled(store, library, cwd, entries) {
  const session = { ...(await heldSession(store, library, cwd)), head: 0 };
  while (session.head < entries) {
    const some = Array.from({ length: Math.min(500, entries - session.head) }, (_, i) => updateEntry(i));
    session.head = await store.append(session.id, session.head, some, session.lease);
  }
  return session;
}

async function appendMany(store, session) {
  const times = [];
  for (let i = 0; i < appendsPerRound; i++) {
    const startMs = performance.now();
    session.head = await store.append(session.id, session.head, [updateEntry(i)], session.lease);
    times.push(performance.now() - startMs);
  }
  return times;
}

function updateEntry(i) {
  return entry("update", { update: messageUpdate(i) });
}

function row({ short, long }, longEntries) {
  const ratio = median(long) / median(short);
  const size = `10^${Math.log10(longEntries)}`;
  return [
    {
      what: `append to a session of 10^3 and of ${size} entries, µs`,
      figures: { sidecar: `${micros(short)} and ${micros(long)}` },
      ratio: `${ratio.toFixed(2)} × the short one's`,
      wanted: "does not grow",
      met: ratio <= 1.25,
    },
  ];
}

function micros(times) {
  return (median(times) * 1000).toFixed(0);
}
