/**
 * Markdown that somebody wrote, as a part of a page of ours: tags outside of code become text, a code block that is open
 * at its end is closed. Line by line, in pieces of any size.
 */
import { visible } from "../../base/visible.ts";

/** Where a list or a quotation begins, maybe behind others: a code block in it ends with it, at a line of any form. */
const container = /^[ \t]*(?:[-+*]|\d{1,9}[.)]|>)/;

const fenceForm = /^( {0,3})(`{3,}|~{3,})(.*)$/;

export class SafeMarkdown {
  /** A line without its end yet. */
  #rest = "";
  /** The fence of the code block that is open. */
  #fence: string | undefined;
  /** Lines may belong to a list or a quotation. */
  #isInside = false;
  /** Whose code block a fence begins or ends cannot be told any more: nothing counts as code from here on. */
  #isUnsure = false;
  /** A line of this paragraph has backticks that a later one may close. */
  #hasOpenCode = false;

  push(text: string): string {
    const all = this.#rest + text;
    const end = all.lastIndexOf("\n") + 1;
    this.#rest = all.slice(end);
    if (end === 0) return "";
    return visible(all.slice(0, end))
      .split("\n")
      .map((line, at, lines) => (at === lines.length - 1 ? line : this.#line(line)))
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
    const mayBeFence = line.includes("```") || line.includes("~~~");
    const [, indent = "", fence, info = ""] = mayBeFence ? (fenceForm.exec(line) ?? []) : [];
    if (this.#fence !== undefined) {
      if (fence?.startsWith(this.#fence) === true && info.trim() === "") this.#fence = undefined;
      return line;
    }
    const isFence = fence !== undefined && !(fence.startsWith("`") && info.includes("`"));
    if (isFence && !this.#isUnsure && (indent === "" || !this.#isInside)) {
      [this.#fence, this.#isInside, this.#hasOpenCode] = [fence, false, false];
      return line;
    }
    this.#isUnsure ||= isFence;
    this.#isInside ||= container.test(line);
    if (line.trim() === "") this.#hasOpenCode = false;
    return this.#tagsAsText(line);
  }

  #tagsAsText(line: string): string {
    if (!line.includes("`")) return escaped(line);
    if (!line.includes("<") && isClosed(line)) return line;
    const { code, isOpen } = codeIn(line);
    const isCode = !this.#isUnsure && !this.#hasOpenCode;
    this.#hasOpenCode ||= isOpen;
    if (!isCode) return escaped(line);
    let [safe, done] = ["", 0];
    for (const { from, to } of code) {
      safe += escaped(line.slice(done, from)) + line.slice(from, to);
      done = to;
    }
    return safe + escaped(line.slice(done));
  }
}

/** Whether all of its backticks are single ones by twos: most lines with code are so, and need no closer look. */
function isClosed(line: string): boolean {
  if (line.includes("``") || line.includes("\\")) return false;
  let count = 0;
  for (let at = line.indexOf("`"); at >= 0; at = line.indexOf("`", at + 1)) count += 1;
  return count % 2 === 0;
}

/** Code between backticks that ends on its line; whether some are left that do not. */
function codeIn(line: string): { code: readonly { from: number; to: number }[]; isOpen: boolean } {
  const runs = Array.from(line.matchAll(/`+/g), ({ 0: run, index }) => ({ length: run.length, index }));
  // Where each run of backticks is closed: by the next one of its length.
  const closes = new Map<number, number>();
  const next = new Map<number, number>();
  for (const { length, index } of runs.toReversed()) {
    const close = next.get(length);
    if (close !== undefined) closes.set(index, close + length);
    next.set(length, index);
  }
  const code = [];
  let [done, isOpen] = [0, false];
  for (const { index } of runs) {
    if (index < done) continue;
    const to = closes.get(index);
    // A backslash before it makes a character of the first one: then nothing on this line is sure to be code.
    if (to === undefined || line[index - 1] === "\\") return { code, isOpen: true };
    code.push({ from: index, to });
    [done, isOpen] = [to, false];
  }
  return { code, isOpen };
}

/** What could begin a tag; addresses between angle brackets do not. */
function escaped(text: string): string {
  if (!text.includes("<")) return text;
  return text.replace(/<(?!https?:\/\/)(?=[A-Za-z/!?])/g, "&lt;");
}
