/** What is shown of a message that was found: a line of it with what was looked for. */
import type { Stretch } from "./matching.ts";

/** A piece of a snippet. */
export interface SnippetPart {
  readonly text: string;
  readonly isMatch: boolean;
}

/** Characters before the first match, and in all. */
const [before, longest] = [40, 160];

/** On one line; … stands where the message goes on. */
export function snippetOf(text: string, matches: readonly Stretch[]): readonly SnippetPart[] {
  const first = matches[0]?.from ?? 0;
  const from = startOf(text, first);
  const to = endOf(text, Math.max(from + longest, Math.min(matches[0]?.to ?? 0, from + 2 * longest)));
  const parts: SnippetPart[] = [];
  let at = from;
  const add = (end: number, isMatch: boolean) => {
    const piece = spaced(text.slice(at, end));
    if (piece !== "") parts.push({ text: piece, isMatch });
    at = Math.max(at, end);
  };
  for (const match of matches) {
    if (match.from >= to) break;
    add(match.from, false);
    add(Math.min(match.to, to), true);
  }
  add(to, false);
  if (from > 0) parts.unshift({ text: "…", isMatch: false });
  if (to < text.length) parts.push({ text: "…", isMatch: false });
  return parts;
}

/** Without the marks. */
export function plainSnippet(parts: readonly SnippetPart[]): string {
  return parts.map(({ text }) => text).join("");
}

function startOf(text: string, first: number): number {
  const earliest = Math.max(0, first - before);
  if (earliest === 0) return 0;
  const space = text.slice(earliest, first).search(/\s/);
  return whole(text, space < 0 ? earliest : earliest + space + 1);
}

function endOf(text: string, wanted: number): number {
  if (wanted >= text.length) return text.length;
  const back = text.slice(wanted - before, wanted).search(/\s\S*$/);
  return whole(text, back <= 0 ? wanted : wanted - before + back);
}

/** Never between the halves of a character. */
function whole(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff ? at + 1 : at;
}

function spaced(text: string): string {
  return text.replace(/\s+/g, " ");
}
