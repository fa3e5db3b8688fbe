/** Texts of any length: what is short as Markdown or code, what is long piece by piece as somebody asks for it. */
import { visible } from "../base/visible.ts";
import { button, h } from "./elements.ts";
import { codeBlock, markdownOf } from "./markdown/draw.ts";
import { sizeText } from "./when.ts";

/** What is longer is no text that somebody wrote. */
const [maxMarkdownChars, maxCodeChars, firstChars, moreChars] = [60_000, 20_000, 12_000, 100_000];

export function richText(text: string): HTMLElement {
  if (text.length > maxMarkdownChars) return longText(text);
  return h("div", { class: "text" }, markdownOf(text));
}

/** Output, input, what is no Markdown. */
export function plainCode(text: string, label = ""): HTMLElement {
  if (text.length <= maxCodeChars) return codeBlock(visible(text), "", label);
  return h("div", { class: "code" }, h("span", { class: "code-head" }, label), longText(text));
}

function longText(text: string): HTMLElement {
  const pre = h("pre", { class: "long", tabindex: 0, dir: "auto" });
  const rest = h("p", { class: "rest" });
  let shown = 0;
  const more = (chars: number) => {
    const end = wholeEnd(text, shown + chars);
    pre.append(visible(text.slice(shown, end)));
    shown = end;
    const left = text.length - shown;
    rest.replaceChildren();
    if (left > 0)
      rest.append(
        button(`Show more`, () => more(moreChars)),
        ` ${sizeText(left)} of ${sizeText(text.length)} are not shown`,
      );
  };
  more(firstChars);
  return h("div", { class: "text" }, pre, rest);
}

/** Not in the middle of a character. */
function wholeEnd(text: string, end: number): number {
  const last = text.charCodeAt(end - 1);
  return end < text.length && last >= 0xd800 && last < 0xdc00 ? end + 1 : end;
}
