/**
 * Markdown that somebody wrote, as a part of a page of ours: tags outside of code become text, a code block that is open
 * at its end is closed. Line by line, in pieces of any size.
 */
import { visible } from "../../base/visible.ts";

export class SafeMarkdown {
  /** A line without its end yet. */
  #rest = "";
  /** The fence of the code block that is open. */
  #fence: string | undefined;

  push(text: string): string {
    const all = this.#rest + text;
    const end = all.lastIndexOf("\n") + 1;
    this.#rest = all.slice(end);
    if (end === 0) return "";
    return visible(all.slice(0, end))
      .split("\n")
      .map((line) => this.#line(line))
      .join("\n");
  }

  /** What is left, and the end of a block that is open. */
  end(): string {
    const last = this.#rest === "" ? "" : `${this.#line(visible(this.#rest))}\n`;
    const close = this.#fence === undefined ? "" : `${this.#fence}\n`;
    this.#rest = "";
    this.#fence = undefined;
    return last + close;
  }

  #line(line: string): string {
    const [, fence, info = ""] = /^ {0,3}(`{3,}|~{3,})(.*)$/.exec(line) ?? [];
    if (this.#fence !== undefined) {
      if (fence?.startsWith(this.#fence) === true && info.trim() === "") this.#fence = undefined;
      return line;
    }
    if (fence !== undefined && !(fence.startsWith("`") && info.includes("`"))) {
      this.#fence = fence;
      return line;
    }
    return line.includes("<") ? tagsAsText(line) : line;
  }
}

/** Code between backticks stays as it is, if it ends on its line. */
function tagsAsText(line: string): string {
  const runs = Array.from(line.matchAll(/\\.|`+/g), ({ 0: run, index }) => ({ run, index }));
  // Where each run of backticks is closed: by the next one of its length.
  const closes = new Map<number, number>();
  const next = new Map<string, number>();
  for (const { run, index } of runs.toReversed()) {
    const close = next.get(run);
    if (close !== undefined) closes.set(index, close + run.length);
    if (!run.startsWith("\\")) next.set(run, index);
  }
  let safe = "";
  let done = 0;
  for (const { index } of runs) {
    const close = index < done ? undefined : closes.get(index);
    if (close === undefined) continue;
    safe += escaped(line.slice(done, index)) + line.slice(index, close);
    done = close;
  }
  return safe + escaped(line.slice(done));
}

/** What could begin a tag; addresses between angle brackets do not. */
function escaped(text: string): string {
  return text.replace(/<(?!https?:\/\/)(?=[A-Za-z/!?])/g, "&lt;");
}
