/** A terminal's whole screen, drawn again and again, until somebody presses q. What was there before comes back. */
import { Writable } from "node:stream";
import { print } from "./print.ts";
import type { Io } from "./command.ts";

const [enter, leave] = ["\u001b[?1049h\u001b[?25l", "\u001b[?25h\u001b[?1049l"];
const [home, clearLine, clearRest] = ["\u001b[H", "\u001b[K", "\u001b[J"];
/** q, Q, Ctrl-C, Ctrl-D; Escape, which is no more than that: other keys begin with it. */
const quitting = /[qQ\u0003\u0004]|^\u001b$/;

interface Keyboard {
  setRawMode?(isRaw: boolean): unknown;
}

export class Screen {
  readonly #io: Io;
  readonly #ended = new AbortController();

  private constructor(io: Io) {
    this.#io = io;
  }

  static open(io: Io): Screen {
    const screen = new Screen(io);
    io.output.write(enter);
    (io.input as Keyboard).setRawMode?.(true);
    io.input.on("data", screen.#pressed);
    io.input.once("end", screen.#end);
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, screen.#end);
    return screen;
  }

  /** Aborted when nobody wants to see more. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** Draws what `show` prints, as much of it as there is room for. */
  async draw(show: (out: Pick<Io, "output" | "columns">) => Promise<void>): Promise<void> {
    const { output, columns } = this.#io;
    const text = new Text();
    await show({ output: text, columns: columnsOf(output) ?? columns });
    const rows = (output as { readonly rows?: number }).rows ?? 24;
    const lines = text.lines.slice(0, rows - 1);
    await print(this.#io, home + lines.map((line) => `${line}${clearLine}\n`).join("") + clearRest);
  }

  close(): void {
    const { input, output } = this.#io;
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, this.#end);
    input.off("data", this.#pressed);
    input.off("end", this.#end);
    (input as Keyboard).setRawMode?.(false);
    input.pause();
    output.write(leave);
  }

  readonly #end = () => this.#ended.abort();

  readonly #pressed = (key: Buffer | string) => {
    if (quitting.test(String(key))) this.#end();
  };
}

/** A window may have changed its size. */
function columnsOf(output: Writable): number | undefined {
  return (output as { readonly columns?: number }).columns;
}

class Text extends Writable {
  #text = "";

  get lines(): string[] {
    return this.#text.split("\n").slice(0, -1);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#text += chunk.toString("utf8");
    done();
  }
}
