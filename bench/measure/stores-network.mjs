/** PostgreSQL and Redis, each beside its driver alone, which reads and writes the same in the same rounds. */
import { randomUUID } from "node:crypto";
import pg from "pg";
import { sidecar } from "../contenders.mjs";
import { Samples } from "../stats.mjs";
import { libraryOf } from "../store.mjs";
import { micros, millis, perSecond, rowOf } from "../stores/account.mjs";
import { ours, sampleEntries } from "../stores/ours.mjs";
import { postgresFloor } from "../stores/postgres-floor.mjs";
import { atOnce, growth, lists, shortSessions } from "../stores/work.mjs";

const how = 'eval "$(bash .ci/servers.sh)" starts servers and names them';

export async function storesNetwork({ folder, quick, options }) {
  const library = await libraryOf(sidecar(folder, options.binary).library);
  const { TEST_POSTGRES_URL: postgres, TEST_REDIS_URL: redis } = process.env;
  const samples = new Samples();
  const plan = { rounds: quick ? 3 : 15, spanMs: quick ? 30 : 100 };
  const sizes = quick ? [1000, 10_000] : [1000, 10_000, 100_000, 1_000_000];
  const sessions = quick ? 2000 : 100_000;
  const notes = [
    "pg and ioredis: the same rows or values read and written by the driver alone, as few round trips as it can, no",
    "fence, head or type checked, nothing decoded. Wanted is the ratio to it in the same round.",
  ];
  const names = [];
  for (const [name, url, measure] of [
    ["TEST_POSTGRES_URL", postgres, withPostgres],
    ["TEST_REDIS_URL", redis, withRedis],
  ]) {
    if (url === undefined) {
      notes.push(`Without ${name}: ${how}.`);
      continue;
    }
    await measure(url, library, async (store, floor) => {
      names.push(store.name, floor.name);
      samples.add(`${store.name} bytes`, await bytesPerEntry(store));
      await shortSessions([store, floor], samples, { ...plan, most: 2000 });
      await atOnce([store, floor], samples, plan);
      await lists([store, floor], samples, { ...plan, sessions, makersAtOnce: 64 });
      await growth([store], samples, { ...plan, rounds: 5, sizes });
    });
  }
  const rows = names.length === 0 ? [] : rowsOf(samples, names, { sizes, sessions });
  return { title: "Stores on a server", columns: names, rows, notes };
}

/** In a schema of its own, which goes when it is done. */
async function withPostgres(url, library, measure) {
  const schema = `acp_bench_${randomUUID().slice(0, 8)}`;
  const at = new URL(url);
  at.searchParams.set("schema", schema);
  const store = ours("postgres", await library.openStore(at.href), library);
  const floor = await postgresFloor(store, url, schema);
  try {
    await measure(store, floor);
  } finally {
    await Promise.all([store.close(), floor.close()]);
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(`DROP SCHEMA ${schema} CASCADE`);
    await client.end();
  }
}

/** Under a prefix of its own, whose keys go when it is done. */
async function withRedis(url, library, measure) {
  // Not before: once ioredis is loaded, texts are slow in all of the process until our store has mended that.
  const [{ Redis }, { redisFloor }] = [await import("ioredis"), await import("../stores/redis-floor.mjs")];
  const prefix = `acp-bench-${randomUUID().slice(0, 8)}:`;
  const at = new URL(url);
  at.searchParams.set("prefix", prefix);
  const store = ours("redis", await library.openStore(at.href), library);
  const floor = await redisFloor(store, url, prefix);
  try {
    await measure(store, floor);
  } finally {
    await Promise.all([store.close(), floor.close()]);
    const client = new Redis(url);
    for await (const keys of client.scanStream({ match: `${prefix}*`, count: 5000 })) {
      if (keys.length > 0) await client.unlink(...keys);
    }
    client.disconnect();
  }
}

/** Bytes that 10,000 entries add to the server, appended 100 at a time to one session. */
async function bytesPerEntry({ store, session, append }) {
  const made = await session({});
  const before = await store.stats();
  const batch = sampleEntries(10_000);
  for (let at = 0; at < 10_000; at += 100) made.head = await append(made, batch.slice(at, at + 100));
  return ((await store.stats()).bytes - before.bytes) / 10_000;
}

function rowsOf(samples, names, { sizes, sessions }) {
  const at = (size) => `10^${Math.log10(size)}`;
  const within = { postgres: { times: 1.5, of: "pg" }, redis: { times: 1.5, of: "ioredis" } };
  const row = (title, what, as, wanted) => rowOf(samples, names, { title, what, as, wanted });
  const list = `of a list of ${sessions.toLocaleString("en")} sessions`;
  return [
    row("get, µs", "get", micros, within),
    row("append of 1 entry, µs", "append", micros, within),
    row("append of 100 entries, µs", "batch", micros, within),
    row("read of 10,000 entries, ms", "read", millis, within),
    row(`first page of 50 ${list}, ms`, "first", millis, within),
    row(`page after nine tenths ${list}, ms`, "deep", millis, within),
    row("search for 1 in 1,000 by metadata, ms", "search", millis, within),
    ...[1, 8, 64].map((n) => row(`appends to ${n} sessions at once, 1/s`, `${n} at once`, perSecond, within)),
    ...sizes.map((size) =>
      row(`append to a session of ${at(size)} entries, µs`, `append at ${size}`, micros),
    ),
    ...sizes.map((size) => row(`read of its last 100 at ${at(size)} entries, µs`, `tail at ${size}`, micros)),
    row("bytes on the server per entry", "bytes"),
  ];
}
