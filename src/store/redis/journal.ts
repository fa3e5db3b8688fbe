/** Entries written: appended and sealed. */
import type { SessionId } from "../../base/ids.ts";
import { cutBlock, encodeBlocks, type Block } from "../server/blocks.ts";
import { alreadySealed, journalConflict, sessionNotFound } from "../refusals.ts";
import type { Lease, NewEntry } from "../contract.ts";
import type { Medium } from "./medium.ts";
import { moveActivity } from "./place.ts";
import { mostOvertaken, refusal } from "./records.ts";
import { append, locate, seal } from "./scripts.ts";

/** What an append and a seal have in common, taken down when they are called. */
export interface JournalWrite {
  readonly id: SessionId;
  readonly lease: Lease;
  readonly entries: readonly NewEntry[];
  /** Unique to the call: by it a second try learns that the first one got through. */
  readonly writeId: string;
}

/** Adds after `after`; `seals` marks all as final. Returns the new head. */
export async function appendEntries(
  medium: Medium,
  write: JournalWrite,
  after: number,
  seals = false,
): Promise<number> {
  const { id, entries } = write;
  const newHead = after + entries.length;
  const place = [after, lastTime(write), seals ? 1 : 0, newHead];
  const args = [...headOf(medium, write), ...place, ...textsOf(encodeBlocks(after + 1, entries))];
  const answer = (await medium.server.run(append, medium.writeKeys(id), args)) as string[];
  return concluded(medium, write, answer, after);
}

/** Errors: `SESSION_NOT_FOUND`, `LEASE_LOST`, `STORE_CONFLICT`. */
export async function sealEntries(
  medium: Medium,
  write: JournalWrite,
  { from, head }: { readonly from: number; readonly head: number },
): Promise<number> {
  if (from === head + 1) return appendEntries(medium, write, head, true);
  const { id, entries } = write;
  const place = [from, head, lastTime(write), from - 1 + entries.length];
  const blocks = textsOf(encodeBlocks(from, entries));
  for (let tries = 0; tries < mostOvertaken; tries += 1) {
    const { lastWrite, kept, cut } = await locateBlock(medium, id, from);
    const args = [...headOf(medium, write), ...place, lastWrite, kept, ...cut, ...blocks];
    const answer = (await medium.server.run(seal, medium.writeKeys(id), args)) as string[];
    if (answer[0] === "sealed") throw alreadySealed(id, from, Number(answer[1]));
    if (answer[0] !== "overtaken") return concluded(medium, write, answer, head);
  }
  throw await refusal(medium, id, "overtaken");
}

/**
 * What is before entry `from`: how many whole blocks, and what remains of one that it cuts in two. A seal
 * may make a journal shorter, so it names the write that this was true after: should it arrive late, it finds
 * itself out of date.
 */
async function locateBlock({ server, keys }: Medium, id: SessionId, from: number) {
  const reply = await server.run(locate, [keys.record(id), keys.entries(id)], [from]);
  const [answer, lastWrite = "", kept = "", block] = reply as string[];
  if (answer === "gone") throw sessionNotFound(id);
  return { lastWrite, kept, cut: block ? textsOf(cutBlock(block, from)) : [] };
}

function textsOf(blocks: readonly Block[]): readonly string[] {
  return blocks.map(({ text }) => text);
}

function lastTime({ entries }: JournalWrite): number | "" {
  return entries.at(-1)?.atMs ?? "";
}

function headOf({ retention }: Medium, { id, lease, writeId }: JournalWrite): readonly (string | number)[] {
  // A lease of another session has no fence that this one could know.
  const fence = lease.sessionId === id ? lease.fence : "";
  return [id, writeId, fence, lease.ttlMs, lease.turnRunning ? 1 : 0, retention];
}

async function concluded(
  medium: Medium,
  { id }: JournalWrite,
  [answer = "", head, now, before]: readonly string[],
  expected: number,
): Promise<number> {
  if (answer === "conflict") throw journalConflict(id, expected, Number(head));
  if (answer !== "done") throw await refusal(medium, id, answer);
  await moveActivity(medium, id, before, now);
  return Number(head);
}
