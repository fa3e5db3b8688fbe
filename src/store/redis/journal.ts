/** Entries written: appended and sealed. */
import { SidecarError } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import { cutBlock, encodeBlocks, type Block } from "../server/blocks.ts";
import { alreadySealed, journalConflict, sessionNotFound } from "../refusals.ts";
import type { SealRange } from "../contract.ts";
import type { JournalWrite } from "../driver.ts";
import type { Argument, Connection } from "./connection.ts";
import { followActivity, mostOvertaken, refusal } from "./records.ts";
import locate from "./scripts/locate.lua";
import write from "./scripts/write.lua";

/** At three bytes for a character, three quarters of what a server takes as one command. */
const mostChars = 256 << 20;

/** Adds after `after`. Returns the new head. Errors: `SESSION_NOT_FOUND`, `LEASE_LOST`, `STORE_CONFLICT`; `STORE_UNSUPPORTED` for too much at once. */
export async function appendEntries(redis: Connection, given: JournalWrite, after: number): Promise<number> {
  const place = [after, lastTime(given), after + given.entries.length, "", "", ""];
  const blocks = blocksFrom(after + 1, given);
  return written(redis, given, after, await run(redis, given, [...place, ...blocks]));
}

/** Puts entries in the place of `from` … `head` and makes all final. Errors: as `appendEntries`. */
export async function sealEntries(
  redis: Connection,
  given: JournalWrite,
  { from, head }: SealRange,
): Promise<number> {
  const place = [head, lastTime(given), from - 1 + given.entries.length, from];
  const blocks = blocksFrom(from, given);
  for (let tries = 0; tries < mostOvertaken; tries += 1) {
    const kept = from > head ? ["", ""] : await keptBefore(redis, given.id, from);
    const answer = await run(redis, given, [...place, ...kept, ...blocks]);
    if (answer[0] === "sealed") throw alreadySealed(given.id, from, Number(answer[1]));
    if (answer[0] !== "overtaken") return written(redis, given, head, answer);
  }
  throw await refusal(redis, given.id, "overtaken");
}

async function run(
  redis: Connection,
  { id, lease, writeId }: JournalWrite,
  rest: readonly Argument[],
): Promise<readonly string[]> {
  // A lease of another session has no fence that this one could know.
  const fence = lease.sessionId === id ? lease.fence : "";
  const args = [id, writeId, fence, lease.ttlMs, lease.turnRunning ? 1 : 0, redis.retention, ...rest];
  return (await redis.run(write, redis.writeKeys(id), args)) as string[];
}

/** The new head that a script's answer tells of. */
async function written(
  redis: Connection,
  { id }: JournalWrite,
  expected: number,
  [answer = "", head, now, before]: readonly string[],
): Promise<number> {
  if (answer === "conflict") throw journalConflict(id, expected, Number(head));
  if (answer !== "done") throw await refusal(redis, id, answer);
  await followActivity(redis, id, before, now);
  return Number(head);
}

/**
 * What comes before entry `from`: the number of whole blocks, and what remains of one that it cuts in two. A seal
 * may make a journal shorter, so the write is named after which this was true: a seal that arrives late finds that
 * it is out of date.
 */
async function keptBefore(redis: Connection, id: SessionId, from: number): Promise<readonly string[]> {
  const keys = [redis.keys.record(id), redis.keys.entries(id)];
  const [answer, lastWrite = "", kept = "", block] = (await redis.run(locate, keys, [from])) as string[];
  if (answer === "gone") throw sessionNotFound(id);
  return [lastWrite, kept, ...(block ? textsOf(cutBlock(block, from)) : [])];
}

function blocksFrom(first: number, { id, entries }: JournalWrite): readonly string[] {
  let chars = 0;
  for (const { data } of entries) chars += data.length;
  if (chars <= mostChars) return textsOf(encodeBlocks(first, entries));
  throw new SidecarError(
    "STORE_UNSUPPORTED",
    `Redis takes ${mostChars} characters of a session at once, and these entries have ${chars}; write fewer at once`,
    { data: { sessionId: id, chars, mostChars } },
  );
}

function textsOf(blocks: readonly Block[]): readonly string[] {
  return blocks.map(({ text }) => text);
}

function lastTime({ entries }: JournalWrite): number | "" {
  return entries.at(-1)?.atMs ?? "";
}
