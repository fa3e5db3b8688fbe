/**
 * Bytes to message texts: newline-delimited JSON, or `Content-Length` headers when the peer begins with
 * them. Every buffer is bounded: of a message beyond the limit nothing is held.
 */

export type Framing = "ndjson" | "headers";

/** What was cut from the stream: a message's text, or why there is none. */
export type Frame =
  | string
  /** Longer than the limit; its bytes were skipped. How it began and ended. */
  | { readonly fault: "oversized"; readonly start: string; readonly end: string }
  /** A header block that names no length. */
  | { readonly fault: "bad-header" };

const newline = 0x0a;
const headerStart = "content-";
const maxHeaderBytes = 8 * 1024;
/** Of what is skipped so much is kept at either end: enough to see what it was. */
const edgeBytes = 200;

/** What takes whole lines in one piece, if it can; one by one they are frames. */
type TakeLines<T> = (lines: string) => T | undefined;

/** Cuts the chunks of one stream into frames. The first bytes decide the framing, once. */
export class FrameDecoder<T = never> {
  readonly #limitBytes: number;
  readonly #takeLines: TakeLines<T> | undefined;
  #decoder: NdjsonDecoder<T> | HeaderDecoder | undefined;
  #start: Buffer = Buffer.alloc(0);

  /** @param takeLines asked for every piece of whole lines that is read: what it makes of it stands for its frames */
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

/** What is left of a message that is skipped. */
class Skipped {
  #start = Buffer.alloc(0);
  #end = Buffer.alloc(0);

  add(part: Buffer): void {
    const missing = edgeBytes - this.#start.length;
    if (missing > 0) this.#start = Buffer.concat([this.#start, part.subarray(0, missing)]);
    this.#end = Buffer.from(Buffer.concat([this.#end, part.subarray(-edgeBytes)]).subarray(-edgeBytes));
  }

  get frame(): Frame {
    return { fault: "oversized", start: this.#start.toString("utf8"), end: this.#end.toString("utf8") };
  }
}

class NdjsonDecoder<T> {
  readonly #limitBytes: number;
  readonly #takeLines: TakeLines<T> | undefined;
  /** The start of a line whose end has not come; joined once, when it has. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Of the line that comes, when it is too long. */
  #skipped: Skipped | undefined;

  constructor(limitBytes: number, takeLines: TakeLines<T> | undefined) {
    this.#limitBytes = limitBytes;
    this.#takeLines = takeLines;
  }

  push(chunk: Buffer): (Frame | T)[] {
    const frames: (Frame | T)[] = [];
    const last = chunk.lastIndexOf(newline);
    if (last < 0) {
      this.#hold(chunk);
      return frames;
    }
    let start = 0;
    if (this.#skipped !== undefined || this.#heldBytes > 0) {
      const first = chunk.indexOf(newline);
      this.#hold(chunk.subarray(0, first));
      if (this.#skipped !== undefined) frames.push(this.#skipped.frame);
      else this.#add(Buffer.concat(this.#held, this.#heldBytes), frames);
      this.#reset();
      start = first + 1;
    }
    if (start <= last) this.#add(chunk.subarray(start, last), frames);
    if (last + 1 < chunk.length) this.#hold(chunk.subarray(last + 1));
    return frames;
  }

  /** Whole lines, decoded in one go: this is the hot path. */
  #add(lines: Buffer, frames: (Frame | T)[]): void {
    const text = lines.toString("utf8");
    const taken = this.#isOversized(text) ? undefined : this.#takeLines?.(text);
    if (taken !== undefined) {
      frames.push(taken);
      return;
    }
    for (const line of text.split("\n")) {
      if (this.#isOversized(line))
        frames.push({ fault: "oversized", start: line.slice(0, edgeBytes), end: line.slice(-edgeBytes) });
      else if (line !== "" && line.trim() !== "") frames.push(line);
    }
  }

  /** The limit is one of bytes, however the line was cut; three are the most that a code unit takes. */
  #isOversized(line: string): boolean {
    return line.length * 3 > this.#limitBytes && Buffer.byteLength(line) > this.#limitBytes;
  }

  #hold(part: Buffer): void {
    if (part.length === 0) return;
    if (this.#skipped === undefined && this.#heldBytes + part.length > this.#limitBytes) {
      const skipped = new Skipped();
      for (const held of this.#held) skipped.add(held);
      this.#reset();
      this.#skipped = skipped;
    }
    if (this.#skipped !== undefined) return this.#skipped.add(part);
    // A copy: a small rest must not keep the whole chunk alive.
    this.#held.push(Buffer.from(part));
    this.#heldBytes += part.length;
  }

  #reset(): void {
    this.#held = [];
    this.#heldBytes = 0;
    this.#skipped = undefined;
  }
}

class HeaderDecoder {
  readonly #limitBytes: number;
  #header = "";
  #body: { parts: Buffer[]; missingBytes: number; skipped: Skipped | undefined } | undefined;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  push(chunk: Buffer): Frame[] {
    const frames: Frame[] = [];
    let at = 0;
    while (at < chunk.length) {
      at +=
        this.#body === undefined ? this.#readHeader(chunk, at, frames) : this.#readBody(chunk, at, frames);
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
    if (length !== undefined) this.#startBody(Number(length));
    return headerBytes - before;
  }

  #startBody(lengthBytes: number): void {
    if (lengthBytes === 0) return;
    const skipped = lengthBytes > this.#limitBytes ? new Skipped() : undefined;
    this.#body = { parts: [], missingBytes: lengthBytes, skipped };
  }

  #readBody(chunk: Buffer, at: number, frames: Frame[]): number {
    const body = this.#body;
    if (body === undefined) return 0;
    const part = chunk.subarray(at, at + body.missingBytes);
    body.missingBytes -= part.length;
    if (body.skipped !== undefined) body.skipped.add(part);
    else body.parts.push(Buffer.from(part));
    if (body.missingBytes === 0) {
      frames.push(body.skipped?.frame ?? Buffer.concat(body.parts).toString("utf8"));
      this.#body = undefined;
    }
    return part.length;
  }
}
