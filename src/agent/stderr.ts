/** The last lines of an agent's stderr, bounded, for logs and errors. */
import type { Readable } from "node:stream";

const maxLines = 20;
const maxLineChars = 500;

export class StderrTail {
  #lines: string[] = [];
  #rest = "";

  /** @param onLine told every line, for the log */
  constructor(stream: Readable, onLine: (line: string) => void) {
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      const lines = (this.#rest + text).split("\n");
      this.#rest = (lines.pop() ?? "").slice(0, maxLineChars);
      for (const line of lines) this.#add(line, onLine);
    });
    stream.on("end", () => {
      if (this.#rest !== "") this.#add(this.#rest, onLine);
      this.#rest = "";
    });
    stream.on("error", () => undefined);
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  #add(line: string, onLine: (line: string) => void): void {
    const short = line.trimEnd().slice(0, maxLineChars);
    if (short === "") return;
    this.#lines.push(short);
    if (this.#lines.length > maxLines) this.#lines = this.#lines.slice(-maxLines);
    onLine(short);
  }
}
