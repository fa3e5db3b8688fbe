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
  const escaped = escapedBy(text);
  const safe = escaped === text ? lines : escaped.split("\n");
  let html = "";
  let isOpen = false;
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    if (line === "") {
      if (isOpen) html += "</p>\n";
      isOpen = false;
      continue;
    }
    const drawn = lineHtml(line, safe[at] ?? "", isCalm);
    if (drawn === undefined) return undefined;
    html += (isOpen ? "\n" : "<p>") + drawn;
    isOpen = true;
  }
  return isOpen ? `${html}</p>\n` : html;
}

/** Every second part between backticks is code; it ends on its line, and has one of them on each side. */
function lineHtml(line: string, safe: string, isCalm: boolean): string | undefined {
  if (!hasPlainEnds(line)) return undefined;
  if (!line.includes("`")) return isCalm || !special.test(line) ? safe : undefined;
  const parts = safe.split("`");
  if (parts.length % 2 === 0 || line.includes("``") || !(isCalm || hasPlainText(line))) return undefined;
  let html = parts[0] ?? "";
  for (let at = 1; at + 1 < parts.length; at += 2)
    html += `<code>${withoutFrame(parts[at] ?? "")}</code>${parts[at + 1] ?? ""}`;
  return html;
}

/** Nearly every line begins with a letter that is told by its number, and ends with what is no space. */
function hasPlainEnds(line: string): boolean {
  const first = line.charCodeAt(0) | 32;
  if (!(first >= 97 && first <= 122) && !plainStart.test(line)) return false;
  const last = line.charCodeAt(line.length - 1);
  return last > 32 && last < 127 ? true : !/\s$/.test(line.slice(-1));
}

function hasPlainText(line: string): boolean {
  return line.split("`").every((part, at) => (at % 2 === 1 ? !/[\r\0]/.test(part) : !special.test(part)));
}

/** Code between backticks may have a space at each end that is no part of it. */
function withoutFrame(code: string): string {
  return code.startsWith(" ") ? code.replace(/^ (.+) $/, "$1") : code;
}

/** As markdown-it escapes. Where there is nothing to escape, a look is all that it costs. */
export function escapedBy(text: string): string {
  let safe = text;
  if (safe.includes("&")) safe = safe.replaceAll("&", "&amp;");
  if (safe.includes("<")) safe = safe.replaceAll("<", "&lt;");
  if (safe.includes(">")) safe = safe.replaceAll(">", "&gt;");
  return safe.includes('"') ? safe.replaceAll('"', "&quot;") : safe;
}
