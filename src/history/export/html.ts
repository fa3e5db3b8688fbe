/**
 * A session as one page of HTML: no script, nothing fetched, everything that anybody said is text. What was done is
 * folded in details, subagents stand together.
 */
import { createHash } from "node:crypto";
import { version } from "../../base/version.ts";
import { happeningsIn } from "../../session/conversation.ts";
import { drawn } from "../drawn.ts";
import type { Wording } from "../edits.ts";
import type { Thread } from "../threads.ts";
import type { Stretch } from "../../session/rewinds.ts";
import type { Exported } from "./exported.ts";
import { HtmlDrawer } from "./html-drawer.ts";
import { folded, line } from "./html-parts.ts";
import { style } from "./html-style.ts";
import { escapeHtml } from "./rich-text.ts";
import { factsOf, titleOf } from "../about-session.ts";
import { editedText, utcText } from "../words.ts";

const styleHash = createHash("sha256").update(style).digest("base64");
/** Whatever might have slipped through does nothing: no script, no address, no form. */
const policy = `default-src 'none'; style-src 'sha256-${styleHash}'; img-src data:; base-uri 'none'; form-action 'none'`;

export async function* htmlOf({ record, pages, thoughts, ...passed }: Exported): AsyncGenerator<string> {
  const title = escapeHtml(titleOf(record));
  const facts = factsOf(record).map(([name, value]) => `<dt>${name}</dt><dd>${escapeHtml(value)}</dd>`);
  yield `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer"><meta name="color-scheme" content="light dark">
<title>${title}</title><style>${style}</style></head><body>
<header><h1>${title}</h1><dl>${facts.join("")}</dl></header>
<main>
`;
  const drawer = (depth: number) => new HtmlDrawer(depth, thoughts);
  yield* drawn(happeningsIn(pages), { drawer, wrap, edited, superseded: marks }, passed);
  yield `</main>
<footer>Exported by acp-sidecar ${escapeHtml(version)}.</footer></body></html>
`;
}

const marks = {
  begin: ({ through }: Stretch) =>
    `<section class="superseded"><p class="note">Superseded from here to #${through}: the session went back.</p>\n`,
  end: () => "</section>\n",
};

function edited(earlier: readonly Wording[]): string {
  const items = earlier.map(({ seq, atMs, text, isCut }) => {
    const words = `<div class="plain">${escapeHtml(text)}${isCut ? "…" : ""}</div>`;
    return `<li><a class="seq" href="#e${seq}">#${seq}</a> <time>${utcText(atMs)}</time>${words}</li>`;
  });
  return folded(
    "edited",
    `<span class="mark">✎</span>${editedText(earlier.length)}`,
    `<ol>${items.join("")}</ol>`,
  );
}

function wrap({ title, session, from, through }: Thread, body: string): string {
  const place = from === through ? `#${from}` : `#${from}–#${through}`;
  const summary = `<span class="mark">▸</span><span class="kind">subagent</span>${line(title ?? session ?? "")} <span class="facts">${place}</span>`;
  return folded("agent", summary, body);
}
