/**
 * Final entries that take less room. A run of them is one compressed text, which the first of the run holds; the others
 * say where it is. All of them keep their `seq` and their time, so nothing else in a store has to know: the shell packs,
 * and gives every reader what was there before.
 *
 *   first of a run: `COUNT BYTES TEXT`: how many entries, how many bytes unpacked, and these packed (seven-bits.ts)
 *   the others:     the first one's `seq`
 *
 * Unpacked: a line with `[kind, length]` of each entry as JSON, and their data, one after the other; lengths are those
 * of JavaScript.
 */
import { promisify } from "node:util";
import { brotliCompress, brotliDecompress, constants } from "node:zlib";
import type { SessionId } from "../base/ids.ts";
import type { Entry, EntryKind, NewEntry } from "./contract.ts";
import { packed } from "./packed-kind.ts";
import { entryDamaged } from "./reading.ts";
import { bytesOfText, textOfBytes } from "./seven-bits.ts";

const compress = promisify(brotliCompress);
const decompress = promisify(brotliDecompress);

/** Beyond 6 a run becomes 3 % smaller and takes three times as long. */
const quality = 6;
/** A damaged number must not cost more memory than entries can. */
const mostBytes = 1 << 30;
const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT, BROTLI_PARAM_MODE, BROTLI_MODE_TEXT } = constants;

/** Entries that follow each other, in the place of as many. Undefined where they would not become smaller. */
export async function packRun(run: readonly Entry[]): Promise<readonly NewEntry[] | undefined> {
  const [first] = run;
  if (first === undefined || !run.every(({ data }) => data.isWellFormed())) return undefined;
  const head = JSON.stringify(run.map(({ kind, data }) => [kind, data.length]));
  const bytes = Buffer.from(`${head}\n${run.map(({ data }) => data).join("")}`);
  const params = {
    [BROTLI_PARAM_QUALITY]: quality,
    [BROTLI_PARAM_SIZE_HINT]: bytes.length,
    [BROTLI_PARAM_MODE]: BROTLI_MODE_TEXT,
  };
  const text = textOfBytes(await compress(bytes, { params }));
  // Each of the others holds a number.
  if (text.length + run.length * 10 > bytes.length * 0.9) return undefined;
  return run.map(({ seq, atMs }) => {
    const data = seq === first.seq ? `${run.length} ${bytes.length} ${text}` : String(first.seq);
    return { kind: packed, atMs, data };
  });
}

/** The `seq` of the first entry of the run that a packed entry belongs to. */
export function runOf({ seq, data }: Entry): number {
  return data.includes(" ") ? seq : Number(data);
}

/** How many entries are in the run whose first one this is; undefined if it is not. */
export function lengthOfRun({ data }: Entry): number | undefined {
  const [, count] = /^(\d{1,9}) /.exec(data) ?? [];
  return count === undefined ? undefined : Number(count);
}

export interface Unpacked {
  readonly from: number;
  readonly entries: readonly Pick<Entry, "kind" | "data">[];
}

/** What the first entry of a run holds. Errors: `STORE_CORRUPT`. */
export async function unpackRun(id: SessionId, { seq, data }: Entry): Promise<Unpacked> {
  const [, count, size, text] = /^(\d{1,9}) (\d{1,10}) ([^]*)$/.exec(data) ?? [];
  try {
    if (!(Number(size) <= mostBytes)) throw entryDamaged(id, seq);
    const bytes = await decompress(bytesOfText(text ?? ""), { maxOutputLength: Number(size) });
    const entries = entriesIn(bytes.toString());
    if (bytes.length === Number(size) && entries?.length === Number(count)) return { from: seq, entries };
  } catch {
    // Told below.
  }
  throw entryDamaged(id, seq);
}

/** Undefined unless the lengths fit. */
function entriesIn(text: string): Unpacked["entries"] | undefined {
  const end = text.indexOf("\n");
  const head = JSON.parse(text.slice(0, end)) as [EntryKind, number][];
  let at = end + 1;
  const entries = head.map(([kind, length]) => ({ kind, data: text.slice(at, (at += length)) }));
  return at === text.length ? entries : undefined;
}
