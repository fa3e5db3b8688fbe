/** The sending half of a stream: whole messages in the order of the calls, with back-pressure. */
import type { Writable } from "node:stream";
import { frameText, type Framing } from "./framing.ts";

const done = Promise.resolve();

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

  /** Sends one message. The promise settles when the stream takes more; a closed stream takes all and drops it. */
  send(text: string): Promise<void> {
    return this.#write(frameText(text, this.#framing()));
  }

  /** Sends many messages in one write; a text may be several, one on each line. */
  sendAll(texts: readonly string[]): Promise<void> {
    if (texts.length === 0) return done;
    const framing = this.#framing();
    if (framing === "ndjson") return this.#write([...texts, ""].join("\n"));
    const each = texts.flatMap((text) => text.split("\n"));
    return this.#write(each.map((text) => frameText(text, framing)).join(""));
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

  #write(bytes: string): Promise<void> {
    if (!this.#open) return done;
    if (this.#stream.write(bytes, "utf8") && this.#drained === undefined) return done;
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
