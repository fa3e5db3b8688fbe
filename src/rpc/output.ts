/** The sending half of a stream: whole messages in the order of the calls, with back-pressure. */
import type { Writable } from "node:stream";
import { frameText, type Framing } from "./framing.ts";

const done = Promise.resolve();
/** What the peer has not read is bounded: beyond this its calls wait. */
const maxUnreadBytes = 4 << 20;
/** Texts are joined and written up to this size. */
const pieceChars = 1 << 20;

export class Output {
  /** Settles when the stream takes no more: its reader has gone. Noticed by a write only. */
  readonly broken: Promise<void>;
  readonly #stream: Writable;
  readonly #framing: () => Framing;
  #drained: Promise<void> | undefined;
  #settleDrain: () => void = () => undefined;
  #open = true;

  /** @param framing asked at every write: the peer's first bytes decide it. */
  constructor(stream: Writable, framing: () => Framing) {
    this.#stream = stream;
    this.#framing = framing;
    this.broken = new Promise((resolve) => {
      const close = () => {
        this.#close();
        resolve();
      };
      stream.on("error", close);
      stream.on("close", close);
    });
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** Settles when the peer has read what waits for it; undefined when that is not too much. */
  room(): Promise<void> | undefined {
    return this.#open && this.#stream.writableLength > maxUnreadBytes ? this.#drain() : undefined;
  }

  /** Sends one message. The promise settles when the stream takes more; a closed stream takes all and drops it. */
  send(text: string): Promise<void> {
    return this.#write(frameText(text, this.#framing()));
  }

  /** Sends many messages in one write; a text may be several, one on each line. */
  sendAll(texts: readonly string[]): Promise<void> {
    const framing = this.#framing();
    const frames = framing === "ndjson" ? texts : texts.flatMap((text) => text.split("\n"));
    let piece: string[] = [];
    let chars = 0;
    let taken = done;
    for (const text of frames) {
      piece.push(text);
      chars += text.length;
      if (chars < pieceChars) continue;
      taken = this.#write(joined(piece, framing));
      [piece, chars] = [[], 0];
    }
    return piece.length === 0 ? taken : this.#write(joined(piece, framing));
  }

  /** Ends the stream after all that was sent; settles when the stream has it, or is gone. */
  async end(): Promise<void> {
    if (!this.#open) return;
    await new Promise<void>((resolve) => {
      this.#stream.once("close", resolve);
      this.#stream.end(resolve);
    });
    this.#close();
  }

  /** Settles when all that was sent has left the process, or the stream is gone. */
  async flushed(): Promise<void> {
    if (!this.#open || this.#stream.writableLength === 0) return;
    await new Promise<void>((resolve) => {
      this.#stream.once("close", resolve);
      this.#stream.once("error", () => resolve());
      this.#stream.write("", () => resolve());
    });
  }

  /** Takes all from now on and drops it; nobody waits for the stream any more. */
  abandon(): void {
    this.#close();
    this.#settleDrain();
  }

  #write(text: string): Promise<void> {
    if (!this.#open) return done;
    // The stream would turn a string into a buffer of three times its length.
    const bytes = text.length < pieceChars ? text : Buffer.from(text);
    return this.#stream.write(bytes, "utf8") && this.#drained === undefined ? done : this.#drain();
  }

  #drain(): Promise<void> {
    this.#drained ??= this.#nextDrain();
    return this.#drained;
  }

  #nextDrain(): Promise<void> {
    return new Promise((resolve) => {
      const settle = () => {
        this.#settleDrain = () => undefined;
        this.#stream.off("drain", settle);
        this.#stream.off("close", settle);
        this.#stream.off("error", settle);
        this.#drained = undefined;
        resolve();
      };
      this.#settleDrain = settle;
      this.#stream.once("drain", settle);
      this.#stream.once("close", settle);
      this.#stream.once("error", settle);
    });
  }

  #close(): void {
    this.#open = false;
  }
}

/** Joined at once: a text that has grown piece by piece is made flat only when it is written, which costs twice. */
function joined(texts: readonly string[], framing: Framing): string {
  if (framing === "ndjson") return [...texts, ""].join("\n");
  return texts.map((text) => frameText(text, framing)).join("");
}
