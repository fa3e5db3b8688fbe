/** An agent's stderr: passed on as it comes, its last lines kept for errors. */
import type { Readable } from "node:stream";
import type { Outlet } from "../base/outlet.ts";

const maxLines = 20;
const maxLineChars = 500;

export class StderrTail {
  #lines: string[] = [];
  #rest = "";

  constructor(stream: Readable, errors: Outlet | undefined) {
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      errors?.pass(text);
      const lines = (this.#rest + text).split("\n");
      this.#rest = (lines.pop() ?? "").slice(0, maxLineChars);
      for (const line of lines) this.#add(line);
    });
    stream.on("end", () => {
      this.#add(this.#rest);
      this.#rest = "";
    });
    stream.on("error", () => undefined);
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  #add(line: string): void {
    const short = line.slice(0, maxLineChars).trimEnd();
    if (short === "") return;
    this.#lines.push(short);
    if (this.#lines.length > maxLines) this.#lines = this.#lines.slice(-maxLines);
  }
}
