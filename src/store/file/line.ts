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
  const [start, text] = bodyOf(seq, entry, batch);
  return closed(start + text);
}

/** A line up to its checksum: what we say of the entry, and its data. */
function bodyOf(seq: number, { kind, atMs, data }: NewEntry, batch: Batch | undefined): [string, string] {
  const group = batch === undefined ? "" : `,"batch":${JSON.stringify(batch)}`;
  const start = `{"seq":${seq},"at":${encodeTime(atMs)},"kind":${JSON.stringify(kind)}${group}`;
  return needsEscape(data) ? [`${start},"text":`, JSON.stringify(data)] : [`${start},"data":`, data];
}

/** What is larger is written as bytes. */
const largeChars = 1 << 20;

/** The line of an entry as it is written. */
export function lineOf(seq: number, entry: NewEntry, batch?: Batch): string | Buffer {
  return entry.data.length < largeChars ? encodeEntry(seq, entry, batch) : encodeLarge(seq, entry, batch);
}

/** The same as bytes, in one piece: of what is large no copy is made but this. */
function encodeLarge(seq: number, entry: NewEntry, batch: Batch | undefined): Buffer {
  const [start, text] = bodyOf(seq, entry, batch);
  const textAt = Buffer.byteLength(start);
  const end = textAt + Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(end + closingBytes + 1);
  bytes.write(start);
  bytes.write(text, textAt);
  bytes.write(closing(crc32(bytes.subarray(0, end))), end);
  return bytes;
}

/** What the line of one JSON object cannot hold as it is: a line break, half of a surrogate pair. */
function needsEscape(data: string): boolean {
  return data.includes("\n") || !data.isWellFormed();
}

function closed(body: string): string {
  return body + closing(crc32(body));
}

function closing(crc: number): string {
  return `,"crc":"${crc.toString(16).padStart(8, "0")}"}\n`;
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

/**
 * The line of an entry as it would be alone, without what concerns a lease; undefined when it is not sound. One that is
 * large and has nothing of that is not taken apart: the bytes themselves, to be ended by a line break.
 */
export function aloneOf(bytes: Buffer): Buffer | string | undefined {
  if (bytes.length >= largeChars && isAlone(bytes) && soundBody(bytes) !== undefined) return bytes;
  const entry = parseEntry(bytes);
  return entry && encodeEntry(entry.seq, entry);
}

function isAlone(bytes: Buffer): boolean {
  const start = bytes.toString("latin1", 0, prefixBytes);
  const [known] = entryStart.exec(start) ?? [];
  return known !== undefined && payloadIn(start, known.length).at === known.length;
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
  const tail = bytes.toString("latin1", end);
  if (!tail.startsWith(crcMark)) return undefined;
  return Number.parseInt(tail.slice(8, 16), 16) === crc32(bytes.subarray(0, end)) ? end : undefined;
}
