/** What plain `ioredis` takes for what our store reads and writes: one round trip each, nothing checked. */
import { Redis } from "ioredis";
import { blockOf, termOf } from "./block.mjs";

const fields = ["facts", "state", "holder", "since", "journal", "base", "chain", "revision"];
/** Those of them that a list shows. */
const listed = fields.slice(0, 4);

/** By hand: to split a block costs as much as to fetch it. */
function countOf(block) {
  const at = block.indexOf(" ") + 1;
  return Number(block.slice(at, block.indexOf(" ", at)));
}

/** `of` is our store under `prefix`: what it keeps is read here too. Appends go to keys of our own. */
export async function redisFloor(of, url, prefix) {
  const redis = new Redis(url);
  const record = (id) => `${prefix}{${id}}:record`;
  const append = async (session, entries) => {
    const { id, floorHead } = session;
    session.floorHead += entries.length;
    const { atMs } = entries[entries.length - 1];
    const state = `1 ${session.floorHead} 0 ${atMs} ${atMs + 3_600_000} 0 ${session.writer}.${floorHead}`;
    await redis
      .pipeline()
      .rpush(`${prefix}{${id}}:floor`, blockOf(floorHead + 1, entries))
      .hset(`${prefix}{${id}}:floor-record`, "state", state)
      .zadd(`${prefix}{list}:floor-activity`, atMs, id)
      .exec();
    return session.floorHead;
  };
  const read = async ({ id }) => {
    let found = 0;
    // Blocks as they were filled, 100 entries each.
    for (let at = 0; ; at += 10) {
      const blocks = await redis.lrange(`${prefix}{${id}}:entries`, at, at + 9);
      if (blocks.length === 0) return found;
      for (const block of blocks) found += countOf(block);
    }
  };
  const page = async (cursor = 0, limit = 50) => {
    const ids = await redis.zrevrange(`${prefix}{list}:activity`, cursor, cursor + limit);
    const pipeline = redis.pipeline();
    for (const id of ids) pipeline.hmget(record(id), ...listed);
    await pipeline.exec();
    return { found: Math.min(ids.length, limit) };
  };
  const find = async ({ project }) => {
    const ids = await redis.smembers(`${prefix}{${termOf("project", project)}}:sessions`);
    const pipeline = redis.pipeline();
    for (const id of ids) pipeline.hmget(record(id), ...listed);
    return (await pipeline.exec()).length;
  };
  return {
    name: "ioredis",
    // As long as the id of a write of the store.
    session: async (metadata) => ({
      ...(await of.session(metadata)),
      floorHead: 0,
      writer: crypto.randomUUID(),
    }),
    fill: of.append,
    get: ({ id }) => redis.hmget(record(id), ...fields),
    append,
    read,
    cursorAt: (offset) => offset,
    page,
    find,
    close: async () => redis.disconnect(),
  };
}
