/**
 * What stands within a paragraph: emphasis, code, links. One pass with a stack, of which each opening goes once; what was
 * not closed is text again.
 */
import { codeSpans } from "./code-spans.ts";
import { addressAt, bareAddressAt, destinationAt } from "./links.ts";
import type { Inline } from "./tree.ts";

/** What is nested deeper stays text. */
const maxDepth = 16;

type Wrap = "strong" | "em" | "del" | "[" | "![";

interface Opening {
  readonly wrap: Wrap;
  /** As it stood there. */
  readonly mark: string;
  readonly children: Inline[];
}

const entities: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
  "&nbsp;": "\u00a0",
};

export function inlinesOf(text: string): readonly Inline[] {
  return new Inlines(text).parsed();
}

class Inlines {
  readonly #text: string;
  readonly #code: ReadonlyMap<number, number>;
  readonly #stack: Opening[] = [{ wrap: "[", mark: "", children: [] }];
  /** How many of each are open. */
  readonly #open = new Map<Wrap, number>();
  #plain = "";
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#code = codeSpans(text);
  }

  parsed(): readonly Inline[] {
    const text = this.#text;
    while (this.#at < text.length) {
      const next = nextSpecial(text, this.#at);
      this.#plain += text.slice(this.#at, next);
      this.#at = next;
      if (next < text.length && !this.#special(text[next] ?? "")) this.#take(1);
    }
    while (this.#stack.length > 1) this.#unopen();
    this.#flush();
    return this.#stack[0]?.children ?? [];
  }

  #take(length: number): void {
    this.#plain += this.#text.slice(this.#at, this.#at + length);
    this.#at += length;
  }

  /** False for a character that is nothing special here. */
  #special(character: string): boolean {
    switch (character) {
      case "\\":
        return this.#escaped();
      case "`":
        return this.#codeSpan();
      case "*":
      case "_":
      case "~":
        return this.#emphasis(character);
      case "!":
        return this.#text[this.#at + 1] === "[" && this.#opens("![", "![");
      case "[":
        return this.#opens("[", "[");
      case "]":
        return this.#closesLink();
      case "<":
        return this.#address();
      case "&":
        return this.#entity();
      case "\n":
        return this.#lineEnd();
      default:
        return this.#bareAddress();
    }
  }

  #escaped(): boolean {
    const next = this.#text[this.#at + 1] ?? "";
    if (next === "\n") return this.#push({ type: "break" }, 2);
    if (!/[!-/:-@[-`{-~]/.test(next)) return false;
    this.#at += 1;
    this.#take(1);
    return true;
  }

  #codeSpan(): boolean {
    const end = this.#code.get(this.#at);
    let run = 1;
    while (this.#text[this.#at + run] === "`") run += 1;
    if (end === undefined) {
      this.#take(run);
      return true;
    }
    const inner = this.#text.slice(this.#at + run, end - run).replaceAll("\n", " ");
    const isPadded = inner.startsWith(" ") && inner.endsWith(" ") && inner.trim() !== "";
    return this.#push({ type: "code", text: isPadded ? inner.slice(1, -1) : inner }, end - this.#at);
  }

  #emphasis(character: string): boolean {
    let run = 1;
    while (this.#text[this.#at + run] === character) run += 1;
    const [before = " ", after = " "] = [this.#text[this.#at - 1], this.#text[this.#at + run]];
    const isInWord = character === "_" && isLetter(before) && isLetter(after);
    const wanted = character === "~" ? [2] : run >= 3 ? [2, 1] : [run];
    if (run > 3 || isInWord || (character === "~" && run !== 2)) {
      this.#take(run);
      return true;
    }
    const [canClose, canOpen] = [!/\s/.test(before), !/\s/.test(after)];
    for (const length of canClose ? wanted.toReversed() : wanted) {
      const wrap = character === "~" ? "del" : length === 2 ? "strong" : "em";
      const mark = character.repeat(length);
      if (canClose && this.#closes(wrap, mark)) continue;
      if (!(canOpen && this.#opens(wrap, mark))) this.#take(length);
    }
    return true;
  }

  #opens(wrap: Wrap, mark: string): boolean {
    if (this.#stack.length >= maxDepth) return false;
    this.#flush();
    this.#stack.push({ wrap, mark, children: [] });
    this.#open.set(wrap, (this.#open.get(wrap) ?? 0) + 1);
    this.#at += mark.length;
    return true;
  }

  #closes(wrap: "strong" | "em" | "del", mark: string): boolean {
    if ((this.#open.get(wrap) ?? 0) === 0) return false;
    const place = this.#stack.findLastIndex((each) => each.wrap === wrap && each.mark === mark);
    // What stands in brackets ends with them.
    if (place < 1 || this.#stack.slice(place + 1).some(({ wrap: w }) => w === "[" || w === "!["))
      return false;
    while (this.#stack.length > place + 1) this.#unopen();
    this.#flush();
    const { children } = this.#pop();
    return this.#push({ type: wrap, children }, mark.length);
  }

  #closesLink(): boolean {
    const place = this.#stack.findLastIndex(
      ({ wrap, mark }) => mark !== "" && (wrap === "[" || wrap === "!["),
    );
    if (place < 1) return false;
    while (this.#stack.length > place + 1) this.#unopen();
    const found = destinationAt(this.#text, this.#at + 1);
    if (found === undefined) {
      this.#unopen();
      return false;
    }
    this.#flush();
    const { wrap, children } = this.#pop();
    const length = found.end - this.#at;
    const isImage = wrap === "![";
    const shown: readonly Inline[] =
      children.length > 0 ? children : [{ type: "text", text: isImage ? "image" : found.href }];
    // Whatever leads elsewhere than to the web is text; what stands in a link is none.
    if (found.isWeb && !(this.#open.get("[") ?? 0))
      return this.#push({ type: "link", href: found.href, children: shown }, length);
    for (const child of shown) this.#push(child, 0);
    const isSaid = isImage || children.length === 0;
    return this.#push({ type: "text", text: isSaid ? "" : ` (${found.href})` }, length);
  }

  #address(): boolean {
    const found = addressAt(this.#text, this.#at);
    if (found !== undefined) return this.#push(linkTo(found.href), found.end - this.#at);
    return /^<br ?\/?>/i.test(this.#text.slice(this.#at, this.#at + 6))
      ? this.#push({ type: "break" }, this.#text.indexOf(">", this.#at) + 1 - this.#at)
      : false;
  }

  #bareAddress(): boolean {
    const found = (this.#open.get("[") ?? 0) > 0 ? undefined : bareAddressAt(this.#text, this.#at);
    return found !== undefined && this.#push(linkTo(found.href), found.end - this.#at);
  }

  #entity(): boolean {
    const end = this.#text.slice(this.#at, this.#at + 7).indexOf(";");
    const meant = entities[this.#text.slice(this.#at, this.#at + end + 1)];
    if (end < 0 || meant === undefined) return false;
    this.#plain += meant;
    this.#at += end + 1;
    return true;
  }

  #lineEnd(): boolean {
    this.#plain = this.#plain.trimEnd();
    return this.#push({ type: "break" }, 1);
  }

  #push(inline: Inline, length: number): true {
    this.#flush();
    this.#stack.at(-1)?.children.push(inline);
    this.#at += length;
    return true;
  }

  #flush(): void {
    if (this.#plain !== "") this.#stack.at(-1)?.children.push({ type: "text", text: this.#plain });
    this.#plain = "";
  }

  #pop(): Opening {
    const top = this.#stack.pop() as Opening;
    this.#open.set(top.wrap, (this.#open.get(top.wrap) ?? 1) - 1);
    return top;
  }

  /** The last opening was none: its mark is text, what stands in it belongs to what it stands in. */
  #unopen(): void {
    this.#flush();
    const { mark, children } = this.#pop();
    const below = this.#stack.at(-1)?.children;
    below?.push({ type: "text", text: mark });
    for (const child of children) below?.push(child);
  }
}

function linkTo(href: string): Inline {
  return { type: "link", href, children: [{ type: "text", text: href }] };
}

function isLetter(character: string): boolean {
  return /[\p{L}\p{N}]/u.test(character);
}

const special = /[\\`*_~![\]<&\n]|(?<![\p{L}\p{N}])https?:\/\//gu;

function nextSpecial(text: string, from: number): number {
  special.lastIndex = from;
  return special.exec(text)?.index ?? text.length;
}
