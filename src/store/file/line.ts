/**
 * The lines of a journal file: one JSON object each, closed by its own checksum.
 *
 *   {"seq":7,"at":"2025-01-01T12:00:00.000Z","kind":"update","batch":{…},"data":{…},"crc":"0f1e2d3c"}
 *   {"op":"release","fence":3,"crc":"…"}
 *
 * A line with `seq` is an entry, one with `op` says something about the session. Lines that were written
 * together count together or not at all: the first of them has `batch` and says how many they are.
 */
import type { SessionId } from "../../base/ids.ts";
import type {
  Entry,
  EntryKind,
  Holder,
  LeaseState,
  NewEntry,
  SessionPatch,
  SessionRecord,
} from "../contract.ts";
import { crc32 } from "../../base/crc32.ts";

/** Under which lease lines were written, and what the writing did to it. */
export interface Batch {
  /** Lines of the batch, this one included. */
  readonly of: number;
  /** Fencing number of the writer. */
  readonly by: number;
  readonly until: number;
  readonly turn: boolean;
  /** Bytes of this file that are on the medium, as far as the writer knows; when there is news of it. */
  readonly safe?: number;
}

/** A compressed file of final entries. */
export interface Segment {
  readonly file: string;
  readonly from: number;
  readonly through: number;
  readonly bytes: number;
}

/** What every journal file begins with; `of - 1` entries that are not in a segment follow. */
export interface HeadLine {
  readonly op: "journal";
  readonly version: 1;
  readonly of: number;
  readonly record: SessionRecord;
  readonly fence: number;
  readonly forks: readonly SessionId[];
  readonly deleted: boolean;
  readonly segments: readonly Segment[];
}

export type OpLine =
  | HeadLine
  /** The entries of this batch stand in the place of entries `from` … `head`, and all are final. */
  | { readonly op: "seal"; readonly from: number; readonly head: number; readonly batch: Batch }
  | { readonly op: "set"; readonly patch: SessionPatch; readonly batch?: Batch }
  | { readonly op: "lease"; readonly lease: LeaseState; readonly over: Seen }
  | { readonly op: "renew"; readonly holder?: Holder; readonly batch: Batch }
  | { readonly op: "release"; readonly fence: number }
  | { readonly op: "fork"; readonly id: SessionId }
  | { readonly op: "delete"; readonly batch?: Batch }
  /** The journal goes on in `file`, if this line stands at `at`, so that nothing came between. */
  | { readonly op: "next"; readonly file: string; readonly at: number }
  /** What stands between `from` and this line is left from an interrupted write. */
  | { readonly op: "torn"; readonly from: number };

/** The lease as a taker saw it; its claim counts only if that is still so where its line stands. */
export interface Seen {
  readonly fence: number;
  readonly held: boolean;
  readonly turn: boolean;
  /** Given when the taker relies on its having run out. */
  readonly until?: number;
}

export interface EntryLine {
  readonly seq: number;
  readonly at: string | number;
  readonly kind: EntryKind;
  readonly batch?: Batch;
}

/** What `bytes`, which begin at `base` of the file, hold as far as they go. */
export interface Slice {
  readonly bytes: Buffer;
  readonly base: number;
  /** The file ends where the bytes end. */
  readonly isLast: boolean;
}

export interface Line {
  /** Undefined when it is not sound. */
  readonly parsed: EntryLine | OpLine | undefined;
  readonly end: number;
}

export const lineBreak = 10;
const closingBytes = `,"crc":"00000000"}`.length;
const crcMark = `,"crc":"`;
const seqMark = Buffer.from(`{"seq":`);

export function encodeOp(line: OpLine): string {
  return closed(JSON.stringify(line).slice(0, -1));
}

export function encodeEntry(seq: number, entry: NewEntry, batch?: Batch): string {
  const group = batch === undefined ? "" : `,"batch":${JSON.stringify(batch)}`;
  const start = `{"seq":${seq},"at":${encodeTime(entry.atMs)},"kind":${JSON.stringify(entry.kind)}${group}`;
  const { data } = entry;
  return closed(needsEscape(data) ? `${start},"text":${JSON.stringify(data)}` : `${start},"data":${data}`);
}

/** What the line of one JSON object cannot hold as it is: a line break, half of a surrogate pair. */
function needsEscape(data: string): boolean {
  return data.includes("\n") || !data.isWellFormed();
}

function closed(body: string): string {
  return `${body},"crc":"${crc32(body).toString(16).padStart(8, "0")}"}\n`;
}

let timeMs = NaN;
let timeText = "";

/** ISO for people where it says the same; entries of one batch mostly share it. */
function encodeTime(atMs: number): string {
  if (atMs === timeMs) return timeText;
  const plain = Number.isInteger(atMs) && atMs >= 0 && atMs < 253_402_300_800_000;
  timeText = plain ? `"${new Date(atMs).toISOString()}"` : JSON.stringify(atMs);
  timeMs = atMs;
  return timeText;
}

export function timeOf(line: EntryLine): number {
  return typeof line.at === "number" ? line.at : Date.parse(line.at);
}

/** Undefined when the bytes end within the line. */
export function lineAt({ bytes, isLast }: Slice, at: number): Line | undefined {
  const end = bytes.indexOf(lineBreak, at);
  if (end >= 0) return { parsed: parseLine(bytes.subarray(at, end)), end: end + 1 };
  // Whoever writes next ends the line, so it counts already if nothing but its break is missing.
  const parsed = isLast ? parseLine(bytes.subarray(at)) : undefined;
  return parsed && { parsed, end: bytes.length };
}

/** The object of a whole line (without its line break), or undefined when it is not as it was written. */
export function parseLine(bytes: Buffer): EntryLine | OpLine | undefined {
  const end = soundBody(bytes);
  if (end === undefined) return undefined;
  const isEntry = bytes.compare(seqMark, 0, seqMark.length, 0, seqMark.length) === 0;
  if (!isEntry) return JSON.parse(`${bytes.toString("utf8", 0, end)}}`) as OpLine;
  const start = bytes.toString("latin1", 0, Math.min(end, prefixBytes));
  return JSON.parse(`${start.slice(0, payloadIn(start).at)}}`) as EntryLine;
}

/** An entry, or undefined when the line is no sound one. */
export function parseEntry(bytes: Buffer): Entry | undefined {
  const end = soundBody(bytes);
  if (end === undefined) return undefined;
  const start = bytes.toString("latin1", 0, Math.min(end, prefixBytes));
  const [known, seq, at, kind] = entryStart.exec(start) ?? [];
  if (known === undefined || seq === undefined || at === undefined) return undefined;
  const { at: payload, escaped } = payloadIn(start, known.length);
  const text = bytes.toString("utf8", payload + payloadMarkBytes, end);
  return {
    seq: Number(seq),
    kind: kind as EntryKind,
    atMs: at.startsWith('"') ? Date.parse(at.slice(1, -1)) : Number(at),
    data: escaped ? (JSON.parse(text) as string) : text,
  };
}

/** What an entry's line begins with is never longer. */
const prefixBytes = 512;
const entryStart = /^\{"seq":([0-9]+),"at":("[^"]+"|[0-9.e+-]+),"kind":"([a-z]+)"/;
const payloadMarkBytes = `,"data":`.length;

function payloadIn(start: string, from = 0): { at: number; escaped: boolean } {
  const data = start.indexOf(`,"data":`, from);
  if (data === from) return { at: data, escaped: false };
  const text = start.indexOf(`,"text":`, from);
  const escaped = data < 0 || (text >= 0 && text < data);
  return { at: escaped ? text : data, escaped };
}

/** Where the checksum begins that fits what stands before it. */
function soundBody(bytes: Buffer): number | undefined {
  const end = bytes.length - closingBytes;
  if (end <= 0) return undefined;
  const closing = bytes.toString("latin1", end);
  if (!closing.startsWith(crcMark)) return undefined;
  return Number.parseInt(closing.slice(8, 16), 16) === crc32(bytes.subarray(0, end)) ? end : undefined;
}
