/** An agent's stderr: passed on as it comes, without secrets; its last lines are kept for errors. */
import type { Readable } from "node:stream";
import type { Outlet } from "../base/outlet.ts";
import type { Secrets } from "../base/secrets.ts";

const maxLines = 20;
const maxLineChars = 500;

export class StderrTail {
  #lines: string[] = [];
  #rest = "";

  constructor(stream: Readable, errors: Outlet | undefined, secrets: Secrets | undefined) {
    const safe = secrets?.inPieces();
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => this.#take(safe?.push(text) ?? text, errors));
    stream.on("end", () => {
      this.#take(safe?.end() ?? "", errors);
      this.#add(this.#rest);
      this.#rest = "";
    });
    stream.on("error", () => undefined);
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  #take(text: string, errors: Outlet | undefined): void {
    errors?.pass(text);
    const lines = (this.#rest + text).split("\n");
    this.#rest = (lines.pop() ?? "").slice(0, maxLineChars);
    for (const line of lines) this.#add(line);
  }

  #add(line: string): void {
    const short = line.slice(0, maxLineChars).trimEnd();
    if (short === "") return;
    this.#lines.push(short);
    if (this.#lines.length > maxLines) this.#lines = this.#lines.slice(-maxLines);
  }
}

const telling = /\b(?:\w*(?:Error|Exception)|error|fatal|panic(?:ked)?|cannot|denied|not found|no such)\b/i;
/** Frames of a stack, what encloses them, and what a runtime says of itself. */
const empty = /^\s*(?:at |File ")|^[\s{}^~|]*$|^Node\.js v\d|^Traceback /;

/** The line that tells most: programs say what went wrong, and then much else. */
export function tellingLine(lines: readonly string[]): string | undefined {
  const said = lines.filter((line) => !empty.test(line));
  return said.findLast((line) => telling.test(line)) ?? said.at(-1) ?? lines.at(-1);
}
