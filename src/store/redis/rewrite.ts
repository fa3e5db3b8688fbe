/** Final entries that are replaced by as many others. */
import type { SessionId } from "../../base/ids.ts";
import { checkRewrite } from "../rules.ts";
import { sessionNotFound } from "../refusals.ts";
import { cutBlock, encodeBlocks, restOfBlock } from "../server/blocks.ts";
import type { Connection } from "./connection.ts";
import type { JournalWrite } from "../driver.ts";
import { findKept, mostOvertaken, refusal } from "./records.ts";
import locate from "./scripts/locate.lua";
import rewrite from "./scripts/rewrite.lua";

/** Errors: as `Store.rewrite`. */
export async function rewriteEntries(
  redis: Connection,
  { id, lease, entries, writeId }: JournalWrite,
  from: number,
): Promise<void> {
  const kept = await findKept(redis, id);
  if (kept === undefined) throw sessionNotFound(id);
  if (lease.sessionId !== id) throw await refusal(redis, id, "lost");
  checkRewrite(id, { baseSeq: kept.baseSeq, sealedSeq: kept.record.sealedSeq }, from, entries.length);
  const next = from + entries.length;
  const under = [id, writeId, lease.fence, lease.ttlMs, lease.turnRunning ? 1 : 0, redis.retention];
  const blocks = encodeBlocks(from, entries);
  let answer = "overtaken";
  for (let tries = 0; answer === "overtaken" && tries < mostOvertaken; tries += 1) {
    const begin = await placeOf(redis, id, from);
    const end = await placeOf(redis, id, next);
    if (begin.lastWrite !== end.lastWrite) continue;
    const before = begin.block === "" ? [] : cutBlock(begin.block, from);
    const behind = end.block === "" ? [] : restOfBlock(end.block, next);
    const texts = [...before, ...blocks, ...behind].map(({ text }) => text);
    const place = [begin.lastWrite, begin.at, end.block === "" ? end.at : end.at + 1];
    const args = [...under, ...place, ...texts];
    [answer = ""] = (await redis.run(rewrite, redis.writeKeys(id), args)) as string[];
  }
  if (answer !== "done") throw await refusal(redis, id, answer);
}

/** After which write, the number of the block that holds an entry, and that block if it begins before the entry. */
async function placeOf(redis: Connection, id: SessionId, seq: number) {
  const keys = [redis.keys.record(id), redis.keys.entries(id)];
  const [answer, lastWrite = "", at, block = ""] = (await redis.run(locate, keys, [seq])) as string[];
  if (answer === "gone") throw sessionNotFound(id);
  return { lastWrite, at: Number(at), block };
}
