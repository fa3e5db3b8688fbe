/** A stream that perhaps nobody reads, such as our stderr: whoever writes to it never waits. */
import type { Writable } from "node:stream";

/** What may wait to be read; beyond it all is dropped until somebody reads. */
const maxUnreadBytes = 256 * 1024;

export class Outlet {
  readonly #stream: Writable;
  #dropped = 0;
  #isInLine = false;

  constructor(stream: Writable) {
    this.#stream = stream;
    // There is nowhere left to say that it is closed.
    stream.on("error", () => undefined);
  }

  /** Whether a person sees what is written. */
  get isTerminal(): boolean {
    return "isTTY" in this.#stream && this.#stream.isTTY === true;
  }

  /** Whole lines, each with its end: on lines of their own, whatever others have begun. */
  write(lines: string): void {
    this.#put(this.#isInLine ? `\n${lines}` : lines, "\n");
  }

  /** What somebody else writes, as it comes. */
  pass(text: string): void {
    if (text !== "") this.#put(text, text.slice(-1));
  }

  #put(text: string, last: string): void {
    if (this.#stream.writableLength > maxUnreadBytes) {
      if (this.#dropped === 0) this.#stream.once("drain", () => this.#sayDropped());
      this.#dropped += text.length;
      return;
    }
    this.#isInLine = last !== "\n";
    this.#stream.write(text);
  }

  #sayDropped(): void {
    const dropped = this.#dropped;
    this.#dropped = 0;
    this.write(`acp-sidecar: ${dropped} characters were dropped here, because nobody read them in time\n`);
  }
}
