/**
 * The blocks of a Markdown text. Line by line, each line once for every container that it stands in, of which there are
 * a bounded number: the time is linear whatever stands there.
 */
import type { Block, ListItem } from "./tree.ts";
import { tableAt } from "./table.ts";

/** What is nested deeper stays text. */
const maxDepth = 12;

const fence = /^ {0,3}(`{3,}|~{3,})([^\n]*)$/;
const heading = /^ {0,3}(#{1,6})(?:[ \t]+([^\n]*))?$/;
const quote = /^ {0,3}>/;
/** An indent of at most so much: more is no list of its own. */
const bullet = /^( {0,9})([-+*]|(\d{1,9})[.)])(?:( {1,4})(?! )|[ \t]+|$)/;
const task = /^\[([ xX])\][ \t]+/;

export function blocksOf(text: string): readonly Block[] {
  return new Lines(text.replaceAll("\r\n", "\n").split("\n"), 0).blocks();
}

class Lines {
  readonly #lines: readonly string[];
  readonly #depth: number;
  #at = 0;
  #blocks: Block[] = [];
  #paragraph: string[] = [];

  constructor(lines: readonly string[], depth: number) {
    this.#lines = lines;
    this.#depth = depth;
  }

  blocks(): readonly Block[] {
    while (this.#at < this.#lines.length) {
      const line = this.#lines[this.#at] ?? "";
      if (line.trim() === "") this.#endParagraph();
      else if (this.#fenced(line) || this.#head(line) || this.#rule(line) || this.#contained(line)) continue;
      else if (this.#table()) continue;
      else this.#paragraph.push(line);
      this.#at += 1;
    }
    this.#endParagraph();
    return this.#blocks;
  }

  #add(block: Block): true {
    this.#endParagraph();
    this.#blocks.push(block);
    return true;
  }

  #endParagraph(): void {
    if (this.#paragraph.length === 0) return;
    const text = this.#paragraph.map((line) => line.trimStart()).join("\n");
    this.#paragraph = [];
    this.#blocks.push({ type: "paragraph", text: text.trimEnd() });
  }

  #fenced(line: string): boolean {
    const [, mark, info = ""] = fence.exec(line) ?? [];
    if (mark === undefined || (mark.startsWith("`") && info.includes("`"))) return false;
    const indent = line.length - line.trimStart().length;
    const code: string[] = [];
    for (this.#at += 1; this.#at < this.#lines.length; this.#at += 1) {
      const next = this.#lines[this.#at] ?? "";
      const [, end, rest = ""] = fence.exec(next) ?? [];
      if (end?.startsWith(mark) === true && rest.trim() === "") break;
      code.push(withoutIndent(next, indent));
    }
    this.#at += 1;
    return this.#add({ type: "code", language: info.trim().split(/\s/, 1)[0] ?? "", text: code.join("\n") });
  }

  #head(line: string): boolean {
    const [, marks, text = ""] = heading.exec(line) ?? [];
    if (marks === undefined) return false;
    this.#at += 1;
    return this.#add({ type: "heading", level: marks.length, text: withoutClosing(text) });
  }

  #rule(line: string): boolean {
    if (!isRule(line)) return false;
    this.#at += 1;
    return this.#add({ type: "rule" });
  }

  #contained(line: string): boolean {
    if (this.#depth >= maxDepth) return false;
    if (quote.test(line)) return this.#quoted();
    const [, , , number] = bullet.exec(line) ?? [];
    if (!bullet.test(line)) return false;
    // In the middle of a paragraph a number is more likely part of a sentence.
    if (this.#paragraph.length > 0 && number !== undefined && number !== "1") return false;
    return this.#list(number === undefined ? undefined : Number(number));
  }

  #quoted(): boolean {
    const inner: string[] = [];
    let isLazy = false;
    for (; this.#at < this.#lines.length; this.#at += 1) {
      const line = this.#lines[this.#at] ?? "";
      const isQuoted = quote.test(line);
      if (!isQuoted && !(isLazy && isPlain(line))) break;
      const text = isQuoted ? line.trimStart().replace(/^> ?/, "") : line;
      isLazy = isPlain(text);
      inner.push(text);
    }
    return this.#add({ type: "quote", blocks: this.#inside(inner) });
  }

  #list(start: number | undefined): boolean {
    const items: ListItem[] = [];
    const isOrdered = start !== undefined;
    const [, first = ""] = bullet.exec(this.#lines[this.#at] ?? "") ?? [];
    while (this.#at < this.#lines.length) {
      const line = this.#lines[this.#at] ?? "";
      const [mark = "", indent = "", , number, space] = bullet.exec(line) ?? [];
      if (mark === "" || isRule(line) || (number !== undefined) !== isOrdered) break;
      if (indent.length > first.length + 1 || indent.length < first.length) break;
      const width = space === undefined ? mark.trimEnd().length + 1 : mark.length;
      items.push(this.#item(line.slice(mark.length), indent.length, width));
    }
    return this.#add({ type: "list", start, items });
  }

  /** What is indented as far as the text of the first line, what goes on with its paragraph, and blank lines between. */
  #item(first: string, own: number, width: number): ListItem {
    const [done, state] = task.exec(first) ?? [];
    const inner = [done === undefined ? first : first.slice(done.length)];
    let isLazy = isPlain(first);
    for (this.#at += 1; this.#at < this.#lines.length; this.#at += 1) {
      const line = this.#lines[this.#at] ?? "";
      const indent = line.length - line.trimStart().length;
      if (line.trim() === "") {
        const next = this.#lines[this.#at + 1] ?? "";
        if (next.trim() === "" || next.length - next.trimStart().length < width) {
          if (next.trim() !== "" && bullet.test(next)) this.#at += 1;
          break;
        }
        isLazy = false;
      } else if (indent < Math.min(width, 2) && !(isLazy && isPlain(line))) break;
      else if (indent < width && bullet.test(line) && indent <= own + 1) break;
      else isLazy = isPlain(line);
      inner.push(withoutIndent(line, width));
    }
    return { isDone: state === undefined ? undefined : state !== " ", blocks: this.#inside(inner) };
  }

  #table(): boolean {
    const found = this.#paragraph.length === 0 ? tableAt(this.#lines, this.#at) : undefined;
    if (found === undefined) return false;
    this.#at = found.end;
    return this.#add(found.table);
  }

  #inside(lines: readonly string[]): readonly Block[] {
    return new Lines(lines, this.#depth + 1).blocks();
  }
}

/** Three or more of one mark, and nothing else. */
function isRule(line: string): boolean {
  const marks = line.replaceAll(" ", "").replaceAll("\t", "");
  const [mark = ""] = marks;
  return marks.length >= 3 && "-*_".includes(mark) && marks === mark.repeat(marks.length);
}

/** Whether a paragraph may go on with it. */
function isPlain(line: string): boolean {
  return (
    line.trim() !== "" &&
    !(fence.test(line) || heading.test(line) || quote.test(line) || bullet.test(line) || isRule(line))
  );
}

function withoutIndent(line: string, most: number): string {
  let at = 0;
  while (at < most && line[at] === " ") at += 1;
  return line[at] === "\t" && at < most ? line.slice(at + 1) : line.slice(at);
}

function withoutClosing(text: string): string {
  const trimmed = text.trim();
  let end = trimmed.length;
  while (end > 0 && trimmed[end - 1] === "#") end -= 1;
  return end === 0 || trimmed[end - 1] === " " ? trimmed.slice(0, end).trim() : trimmed;
}
