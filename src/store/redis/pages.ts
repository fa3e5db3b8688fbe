/**
 * The blocks of a page, fetched in one of two ways. A script picks them: it finds the entry wherever it is, stops
 * when there are enough, and head and seal are of the same instant; but whatever goes through Lua costs the server a
 * microsecond per KiB. A plain range costs it a thirtieth of that, but knows no limit in bytes and may see what a seal
 * did in between. So it is asked of journals only that are short altogether, and if what it brings is not what was
 * expected, nothing is believed and the script decides.
 */
import { isSidecarError } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import { firstOf, lastOf } from "../server/blocks.ts";
import type { Connection } from "./connection.ts";
import type { Link } from "./keys.ts";
import page from "./scripts/page.lua";

const pageEntries = 2000;
const pageBytes = 1 << 20;
/** As one entry may be where nothing else is configured, so an answer with all of the journal is no worse. */
const shortBytes = 64 << 20;

/** Where a page begins and where it must end. */
export interface Place {
  readonly link: Link;
  readonly next: number;
  readonly last: number;
  /** The block that may begin with the entry `next`. */
  readonly block: number;
}

interface Picked {
  readonly living: boolean;
  readonly headSeq: number;
  readonly sealedSeq: number;
  readonly blocks: readonly string[];
  readonly nextBlock: number;
}

export async function pickBlocks(redis: Connection, place: Place): Promise<Picked> {
  const { link, next, last, block } = place;
  const { id, journal } = link;
  const { record, entries, kept } = redis.keys;
  const args = [journal, next, last, pageEntries, pageBytes, block];
  const answer = await redis.run(page, [record(id), entries(id), kept(id, journal)], args);
  const [state, head, sealed, nextBlock, ...blocks] = answer as string[];
  return {
    living: state === "living",
    headSeq: Number(head),
    sealedSeq: Number(sealed),
    blocks,
    nextBlock: Number(nextBlock),
  };
}

/** Of a journal that is short enough to be cut unseen. */
export interface Size {
  readonly blocks: number;
  readonly bytes: number;
}

/** Undefined for a journal that is not short or not there, and on a server that does not tell. */
export async function sizeIfShort(redis: Connection, id: SessionId): Promise<Size | undefined> {
  const key = redis.keys.entries(id);
  try {
    const [blocks, bytes] = (await redis.together([
      ["llen", key],
      // Of all its parts, not of some.
      ["memory", "usage", key, "samples", 0],
    ])) as (number | null)[];
    return blocks && bytes && bytes <= shortBytes ? { blocks, bytes } : undefined;
  } catch (error) {
    if (isSidecarError(error, "STORE_FAILED")) return undefined;
    throw error;
  }
}

/**
 * Blocks from `place` on, about as many as make a page. Undefined if the journal is not the living session's any
 * more, if it is not sealed as far as `sealedSeq`, or if another entry comes first. A seal in between is always
 * noticed, because the state is asked after the blocks.
 */
export async function cutBlocks(
  redis: Connection,
  { link, next, last, block }: Place,
  size: Size,
  sealedSeq: number | undefined,
): Promise<readonly string[] | undefined> {
  const { id, journal } = link;
  const wanted = Math.min(last - next + 1, pageEntries) / (link.through - link.base);
  const share = Math.min(wanted, pageBytes / size.bytes);
  const through = block + Math.max(Math.ceil(size.blocks * share), 1) - 1;
  const [blocks, [living, state]] = (await redis.together([
    ["lrange", redis.keys.entries(id), block, through],
    ["hmget", redis.keys.record(id), "journal", "state"],
  ])) as [string[], (string | null)[]];
  const [begin, end] = [blocks[0], blocks.at(-1)];
  if (begin === undefined || end === undefined || living !== journal) return undefined;
  if (firstOf(begin) !== next || lastOf(end) < next) return undefined;
  if (sealedSeq !== undefined && Number(state?.split(" ")[2]) !== sealedSeq) return undefined;
  return blocks;
}

/** What was cut as one may be larger than a page. */
export function* inPages(blocks: readonly string[]): Generator<readonly string[]> {
  for (let from = 0, at = 0; from < blocks.length; from = at) {
    for (let length = 0; at < blocks.length && length < pageBytes; at += 1) length += blocks[at]?.length ?? 0;
    yield blocks.slice(from, at);
  }
}
