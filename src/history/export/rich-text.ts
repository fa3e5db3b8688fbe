/** Markdown as HTML that does nothing: no tags of the text's own, no images, links only to the web and to mail. */
import { SidecarError } from "../../base/errors.ts";
import { inPieces, visible } from "../../base/visible.ts";
import { escapedBy, plainParagraphs } from "./plain-paragraphs.ts";

/** What is longer is shown as it was written: a parser's time is not to be a stranger's to choose. */
export const maxRichChars = 1 << 15;

async function load() {
  try {
    return (await import("markdown-it")).default;
  } catch (cause) {
    throw new SidecarError("INTERNAL", "markdown-it cannot be loaded; install acp-sidecar again", { cause });
  }
}

const MarkdownIt = await load();

const markdown = new MarkdownIt({ html: false, linkify: false, breaks: false, maxNesting: 30 }).disable([
  "image",
]);
markdown.validateLink = (url) => /^(?:https?:\/\/|mailto:)[^\s]+$/i.test(url);
const { rules } = markdown.renderer;
rules["link_open"] = (tokens, at, options, _, self) => {
  tokens[at]?.attrSet("rel", "noopener noreferrer nofollow");
  return self.renderToken(tokens, at, options);
};
// The page has headings of its own, which a message's are below.
for (const name of ["heading_open", "heading_close"])
  rules[name] = (tokens, at, options, _, self) => {
    const token = tokens[at];
    if (token !== undefined && /^h[1-6]$/.test(token.tag))
      token.tag = `h${Math.min(6, Number(token.tag[1]) + 3)}`;
    return self.renderToken(tokens, at, options);
  };
rules["fence"] = (tokens, at) =>
  codeBlock(tokens[at]?.content ?? "", tokens[at]?.info.trim().split(/\s/, 1)[0]);
rules["code_block"] = (tokens, at) => codeBlock(tokens[at]?.content ?? "");

export function richText(text: string): string {
  // What was written as an entity is a character by now.
  return visible(plainParagraphs(text) ?? markdown.render(text));
}

export function plainText(text: string): string {
  return `<div class="plain">${escapeHtml(text)}</div>`;
}

export function codeBlock(text: string, language = ""): string {
  const name = language === "" ? "" : ` data-language="${escapeHtml(language.slice(0, 40))}"`;
  return `<pre${name}><code>${escapeHtml(text)}</code></pre>\n`;
}

/** For text and for attributes; what steers the direction of writing is spelled out. */
export function escapeHtml(text: string): string {
  return inPieces(text, (piece) => escapedBy(visible(piece)).replaceAll("'", "&#39;"));
}
