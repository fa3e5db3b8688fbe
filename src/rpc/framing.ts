/**
 * Bytes to message texts: newline-delimited JSON, or `Content-Length` headers when the peer begins with
 * them. Every buffer is bounded: of a message beyond the limit nothing is held.
 */
import { StringDecoder } from "node:string_decoder";
import { Outline, type OutlineFields } from "./outline.ts";

export type Framing = "ndjson" | "headers";

/** What was cut from the stream: a message's text, or why there is none. */
export type Frame =
  | string
  /** Longer than the limit; its bytes were skipped. How it began, and what it says in outline. */
  | { readonly fault: "oversized"; readonly start: string; readonly outline: OutlineFields }
  /** A header block that names no length. */
  | { readonly fault: "bad-header" };

const newline = 0x0a;
const headerStart = "content-";
const maxHeaderBytes = 8 * 1024;
/** How much is kept of the beginning of a message that is skipped. */
const excerptChars = 200;

/** Takes whole lines in one piece, if it can; otherwise each line is a frame. */
type TakeLines<T> = (lines: string) => T | undefined;

/** Cuts the chunks of one stream into frames. The first bytes decide the framing, once. */
export class FrameDecoder<T = never> {
  readonly #limitBytes: number;
  readonly #takeLines: TakeLines<T> | undefined;
  #decoder: NdjsonDecoder<T> | HeaderDecoder | undefined;
  #start: Buffer = Buffer.alloc(0);

  /** @param takeLines asked for every piece of whole lines: what it returns takes the place of their frames */
  constructor(limitBytes: number, takeLines?: TakeLines<T>) {
    this.#limitBytes = limitBytes;
    this.#takeLines = takeLines;
  }

  /** Undecided until the first bytes that are not white space have come. */
  get framing(): Framing | undefined {
    if (this.#decoder === undefined) return undefined;
    return this.#decoder instanceof HeaderDecoder ? "headers" : "ndjson";
  }

  push(chunk: Buffer): (Frame | T)[] {
    if (this.#decoder !== undefined) return this.#decoder.push(chunk);
    const seen = this.#start.length === 0 ? chunk : Buffer.concat([this.#start, chunk]);
    const framing = guessFraming(seen);
    if (framing === undefined) {
      this.#start = Buffer.from(seen);
      return [];
    }
    this.#start = Buffer.alloc(0);
    this.#decoder =
      framing === "headers"
        ? new HeaderDecoder(this.#limitBytes)
        : new NdjsonDecoder(this.#limitBytes, this.#takeLines);
    return this.#decoder.push(seen);
  }

  /** What stands at the end of the stream without its newline. */
  end(): (Frame | T)[] {
    return this.push(Buffer.from("\n"));
  }
}

/** One message as bytes on the wire. */
export function frameText(text: string, framing: Framing): string {
  if (framing === "ndjson") return `${text}\n`;
  return `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

function guessFraming(seen: Buffer): Framing | undefined {
  const start = seen.toString("latin1", 0, 256).trimStart().slice(0, headerStart.length).toLowerCase();
  if (start === headerStart) return "headers";
  return start.length < headerStart.length && headerStart.startsWith(start) && seen.length < 256
    ? undefined
    : "ndjson";
}

/** A message that comes in pieces: its text, or its outline once it is longer than the limit. */
class Pieces {
  readonly #limitBytes: number;
  #bytes = 0;
  #texts: string[] = [];
  #decoder = new StringDecoder("utf8");
  #outline: Outline | undefined;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Copied: a small rest must not keep the whole chunk alive. */
  add(part: Buffer): void {
    if (part.length === 0) return;
    this.#bytes += part.length;
    if (this.#bytes > this.#limitBytes) this.#skip(part);
    else this.#texts.push(this.#decoder.write(part));
  }

  /** The message, whole; the next piece begins another. */
  take(): Frame {
    const start = (this.#texts[0] ?? "").slice(0, excerptChars);
    const frame: Frame =
      this.#outline === undefined
        ? this.#texts.join("") + this.#decoder.end()
        : { fault: "oversized", start, outline: this.#outline.fields };
    this.#bytes = 0;
    this.#texts = [];
    this.#decoder = new StringDecoder("utf8");
    this.#outline = undefined;
    return frame;
  }

  #skip(part: Buffer): void {
    if (this.#outline === undefined) {
      this.#outline = new Outline();
      for (const text of [...this.#texts, this.#decoder.end()]) this.#outline.add(Buffer.from(text));
      const start = this.#texts[0] ?? part.toString("utf8", 0, excerptChars);
      this.#texts = [start.slice(0, excerptChars)];
    }
    this.#outline.add(part);
  }
}

class NdjsonDecoder<T> {
  readonly #limitBytes: number;
  readonly #takeLines: TakeLines<T> | undefined;
  /** A line whose end has not come. */
  readonly #held: Pieces;

  constructor(limitBytes: number, takeLines: TakeLines<T> | undefined) {
    this.#limitBytes = limitBytes;
    this.#takeLines = takeLines;
    this.#held = new Pieces(limitBytes);
  }

  push(chunk: Buffer): (Frame | T)[] {
    const frames: (Frame | T)[] = [];
    const last = chunk.lastIndexOf(newline);
    if (last < 0) {
      this.#held.add(chunk);
      return frames;
    }
    let start = 0;
    if (this.#held.bytes > 0) {
      start = chunk.indexOf(newline) + 1;
      this.#held.add(chunk.subarray(0, start - 1));
      const line = this.#held.take();
      if (typeof line === "string") this.#add(line, frames);
      else frames.push(line);
    }
    // Whole lines, decoded in one go: this is the hot path.
    if (start <= last) this.#add(chunk.toString("utf8", start, last), frames);
    this.#held.add(chunk.subarray(last + 1));
    return frames;
  }

  #add(text: string, frames: (Frame | T)[]): void {
    const taken = this.#isOversized(text) ? undefined : this.#takeLines?.(text);
    if (taken !== undefined) {
      frames.push(taken);
      return;
    }
    for (const line of text.split("\n")) {
      if (this.#isOversized(line)) frames.push(this.#skipped(line));
      else if (line !== "" && line.trim() !== "") frames.push(line);
    }
  }

  /** The limit is one of bytes, however the line was cut; three are the most that a code unit takes. */
  #isOversized(line: string): boolean {
    return line.length * 3 > this.#limitBytes && Buffer.byteLength(line) > this.#limitBytes;
  }

  #skipped(line: string): Frame {
    const pieces = new Pieces(this.#limitBytes);
    pieces.add(Buffer.from(line));
    return pieces.take();
  }
}

class HeaderDecoder {
  #header = "";
  #missingBytes = 0;
  readonly #body: Pieces;

  constructor(limitBytes: number) {
    this.#body = new Pieces(limitBytes);
  }

  push(chunk: Buffer): Frame[] {
    const frames: Frame[] = [];
    let at = 0;
    while (at < chunk.length) {
      at +=
        this.#missingBytes === 0 ? this.#readHeader(chunk, at, frames) : this.#readBody(chunk, at, frames);
    }
    return frames;
  }

  #readHeader(chunk: Buffer, at: number, frames: Frame[]): number {
    const before = this.#header.length;
    const text = this.#header + chunk.toString("latin1", at, at + maxHeaderBytes);
    const end = /\r?\n\r?\n/.exec(text);
    if (end === null) {
      const tooLong = text.length > maxHeaderBytes;
      if (tooLong) frames.push({ fault: "bad-header" });
      this.#header = tooLong ? "" : text;
      return text.length - before;
    }
    this.#header = "";
    const headerBytes = end.index + end[0].length;
    const length = /^\s*content-length[ \t]*:[ \t]*(\d+)[ \t]*$/im.exec(text.slice(0, end.index))?.[1];
    // Blank lines between messages are no header block.
    if (length === undefined && text.slice(0, end.index).trim() !== "") frames.push({ fault: "bad-header" });
    if (length !== undefined) this.#missingBytes = Number(length);
    return headerBytes - before;
  }

  #readBody(chunk: Buffer, at: number, frames: Frame[]): number {
    const part = chunk.subarray(at, at + this.#missingBytes);
    this.#missingBytes -= part.length;
    this.#body.add(part);
    if (this.#missingBytes === 0) frames.push(this.#body.take());
    return part.length;
  }
}
