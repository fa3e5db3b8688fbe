/**
 * What most messages are: paragraphs with no more Markdown in them than a name between backticks. They are drawn as
 * markdown-it draws them, at a fraction of its time; whatever might mean more is left to it.
 */

/** What can begin no list, heading, quote, table or fence. */
const plainStart = /^(?:[A-Za-z"'(`]|\d+(?![\d.)])|\p{L})/u;
/** What marks, escapes, links, is an entity or no text, outside of code. */
const special = /[\\~*_[<&\r\0]/;

/** Undefined for any other text. */
export function plainParagraphs(text: string): string | undefined {
  const isCalm = !special.test(text);
  const lines = text.split("\n");
  const safe = escapedBy(text).split("\n");
  let html = "";
  let isOpen = false;
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    if (line === "") {
      if (isOpen) html += "</p>\n";
      isOpen = false;
      continue;
    }
    if (!isPlain(line, isCalm)) return undefined;
    html += (isOpen ? "\n" : "<p>") + withCode(safe[at] ?? "");
    isOpen = true;
  }
  return isOpen ? `${html}</p>\n` : html;
}

/** Every second part between backticks is code; it ends on its line, and has one of them on each side. */
function isPlain(line: string, isCalm: boolean): boolean {
  if (!plainStart.test(line) || /\s$/.test(line.slice(-1))) return false;
  if (!line.includes("`")) return isCalm || !special.test(line);
  const parts = line.split("`");
  if (parts.length % 2 === 0 || line.includes("``")) return false;
  return isCalm || parts.every((part, at) => (at % 2 === 1 ? !/[\r\0]/.test(part) : !special.test(part)));
}

function withCode(line: string): string {
  if (!line.includes("`")) return line;
  const parts = line.split("`");
  let html = parts[0] ?? "";
  for (let at = 1; at + 1 < parts.length; at += 2)
    html += `<code>${(parts[at] ?? "").replace(/^ (.+) $/, "$1")}</code>${parts[at + 1] ?? ""}`;
  return html;
}

/** As markdown-it escapes. Where there is nothing to escape, a look is all that it costs. */
export function escapedBy(text: string): string {
  let safe = text;
  if (safe.includes("&")) safe = safe.replaceAll("&", "&amp;");
  if (safe.includes("<")) safe = safe.replaceAll("<", "&lt;");
  if (safe.includes(">")) safe = safe.replaceAll(">", "&gt;");
  return safe.includes('"') ? safe.replaceAll('"', "&quot;") : safe;
}
