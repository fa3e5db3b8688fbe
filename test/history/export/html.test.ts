/** An HTML export is safe whatever was said: nothing runs, nothing is fetched, all that was said is text. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exportSession } from "../../../src/history/export/export.ts";
import { maxRichChars, richText } from "../../../src/history/export/rich-text.ts";
import { SessionRegistry } from "../../../src/session/registry.ts";
import type { NewEntry } from "../../../src/store/contract.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { end, prompt, say, talk, text, update, written } from "../talk.ts";

async function page(entries: readonly NewEntry[], title = "T"): Promise<string> {
  const store = openMemoryStore();
  const { id } = await written(store, entries, { title });
  let all = "";
  for await (const piece of await exportSession(new SessionRegistry({ store }), id, { format: "html" }))
    all += piece;
  return all;
}

const tags = new Set(
  "html head meta title style body header h1 h2 h3 h4 h5 h6 dl dt dd main article section time a div p details summary span pre code ins del ul ol li table thead tbody tr th td blockquote em strong s hr br img footer".split(
    " ",
  ),
);
const attributes: Readonly<Record<string, RegExp>> = {
  lang: /^en$/,
  charset: /^utf-8$/,
  "http-equiv": /^Content-Security-Policy$/,
  name: /^[a-z-]+$/,
  content: /^[^<>]*$/,
  class: /^[a-z -]*$/,
  id: /^e\d+$/,
  href: /^(?:#e\d+|https?:\/\/[^\s"'<>]+|mailto:[^\s"'<>]+)$/i,
  rel: /^noopener noreferrer nofollow$/,
  title: /^[^<>"]*$/,
  start: /^\d+$/,
  style: /^text-align:(?:left|right|center)$/,
  "data-language": /^[^<>"]*$/,
  src: /^data:image\/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]*$/,
  alt: /^image$/,
};

/** Every tag and attribute is one of ours. */
function expectSafe(html: string): void {
  expect(html.startsWith("<!doctype html>\n")).toBe(true);
  const body = html.replace("<!doctype html>", "").replace(/<style>[^]*?<\/style>/, "");

  expect(body).not.toMatch(/[\0-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/);
  for (const [tag, close, name = "", rest = ""] of body.matchAll(/<(\/?)([^\s>/]*)((?:[^>"]|"[^"]*")*)>/g)) {
    expect(tags.has(name), tag).toBe(true);
    if (close === "/") continue;
    const left = rest.replace(/\s([a-z-]+)="([^"]*)"/g, (_, attribute: string, value: string) => {
      expect(attributes[attribute]?.test(value), tag).toBe(true);
      return "";
    });
    expect(["", "/", " open"], tag).toContain(left.trim());
  }
  // No bracket of another's is left over.
  expect(body.replace(/<(\/?)([^\s>/]*)((?:[^>"]|"[^"]*")*)>/g, "")).not.toContain("<");
}

const hostile = [
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "</details></main></style><style>*{}</style>",
  "</title><script src=//x.example></script>",
  "[a](javascript:alert(1)) [b](data:text/html,x) [c](JaVaScRiPt:x) [d](vbscript:x) [e](file:///etc/passwd)",
  '![image](https://tracker.example/x.png) <https://x.example/"onclick=alert(1)>',
  '[a](https://x.example/"onmouseover="alert(1) "ti\\"tle<b>")',
  '```x" onclick="a\n</code></pre><script>\n```',
  "\u001b]0;title\u0007\u001b[31m \u202eevil\u2066 \u0000 \u009b \ud800",
  "&lt;b&gt; &#x202e; &#60;script&#62;",
  "<!--",
  "<![CDATA[",
  "<?php",
  "<svg/onload=alert(1)>",
  "</div></article>",
  "[x]: javascript:alert(1)\n\n[x]",
];

/** What says which kind of thing it is, so that it is still drawn as that. */
const structural = new Set(["sessionUpdate", "type", "method", "outcome", "acp-sidecar.child"]);

/** The same with other words in every field that may have any. */
function respelled(value: unknown, words: () => string, name = ""): unknown {
  if (typeof value === "string") return structural.has(name) ? value : words();
  if (Array.isArray(value)) return value.map((each) => respelled(each, words, name));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, respelled(each, words, key)]));
}

const everyField = [
  ...talk(),
  update("tool_call", {
    toolCallId: "x",
    title: "x",
    kind: "x",
    status: "x",
    rawInput: "x",
    locations: [{ path: "x" }],
    content: [
      { type: "terminal", terminalId: "x" },
      { type: "content", content: { type: "image", mimeType: "image/png", data: "x" } },
      { type: "content", content: { type: "resource_link", uri: "x", name: "x", title: "x" } },
      { type: "content", content: { type: "resource", resource: { uri: "x", text: "x" } } },
      { type: "content", content: { type: "audio", mimeType: "x", data: "x" } },
    ],
  }),
  update("tool_call", { toolCallId: "y", title: "y", rawOutput: "x", status: "x" }),
  update("plan", { entries: [{ content: "x", status: "x", priority: "x" }] }),
  update("compaction_update", { compactionId: "x", status: "x", error: "x", summary: [text("x")] }),
  update("session_message", { sessionId: "x", messageId: "x", from: "x", to: "x", content: [text("x")] }),
  update("current_mode_update", { currentModeId: "x" }),
  end({ result: { stopReason: "x" } }),
];

describe("whatever stands in a field", () => {
  it.each([...hostile, "constructor", "__proto__", "toString"])(
    "%j is text, or a name of ours",
    async (words) => {
      const entries = everyField.map((each) => ({
        ...each,
        data: JSON.stringify(respelled(JSON.parse(each.data), () => words)),
      }));
      expectSafe(await page(entries, words));
    },
  );

  it("is text also where each has another", { tags: ["long"] }, async () => {
    const words = fc.oneof(fc.constantFrom(...hostile), fc.string({ unit: "binary", maxLength: 40 }));
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(words), async (stream) => {
        const next = () => (stream.next().value as string | undefined) ?? "";
        const entries = everyField.map((each) => ({
          ...each,
          data: JSON.stringify(respelled(JSON.parse(each.data), next)),
        }));
        expectSafe(await page(entries, next()));
      }),
      { numRuns: 30 },
    );
  });
});

describe("an HTML export [issue 10.2]", () => {
  it.each(hostile)("makes text of %j wherever it stands", async (words) => {
    expectSafe(await page(talk(words), words));
  });

  it("makes text of whatever is made of such pieces", async () => {
    const piece = fc.oneof(
      fc.constantFrom(...hostile, "<", ">", '"', "'", "&", "`", "\n", "(", "]", "*", "  "),
      fc.string(),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        expectSafe(await page(talk(pieces.join("")), pieces.join("")));
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  it("tells a browser to run, fetch and send nothing", async () => {
    const html = await page(talk());
    const policy = /<meta http-equiv="Content-Security-Policy" content="([^"]*)">/.exec(html)?.[1];
    const style = /<style>([^]*?)<\/style>/.exec(html)?.[1] ?? "";
    const hash = createHash("sha256").update(style).digest("base64");
    expect(policy).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'`,
    );
    expect(style).not.toMatch(/@import|url\(/);
    expect(html).not.toMatch(/<(?:script|link|iframe|object|embed|base|form)\b/);
  });

  it("shows Markdown, diffs, images that are in it, and a message that goes on as one", async () => {
    const html = await page([
      prompt("# Big\n\n*soft* [web](https://example.org) <b>no</b>"),
      say("one **bo"),
      say("ld** two"),
      update("agent_message_chunk", { content: { type: "image", mimeType: "image/png", data: "aGk=" } }),
      update("agent_message_chunk", { content: { type: "image", mimeType: "image/svg+xml", data: "aGk=" } }),
      update("agent_message_chunk", { content: { type: "resource_link", uri: "file:///x`y", name: "x" } }),
      update("tool_call", {
        toolCallId: "t",
        title: "E",
        content: [{ type: "diff", path: "/x", newText: "1\n2" }],
      }),
      end(),
    ]);
    expectSafe(html);
    expect(html).toContain("<h4>Big</h4>");
    expect(html).toContain(
      '<a href="https://example.org" rel="noopener noreferrer nofollow">web</a> &lt;b&gt;no&lt;/b&gt;',
    );
    expect(html).toContain("one <strong>bold</strong> two");
    expect(html).toContain('src="data:image/png;base64,aGk="');
    expect(html).not.toContain("svg");
    expect(html).toContain("<ins>+1</ins><ins>+2</ins>");
    expect(html).toContain('<span class="plus">+2</span>');
  });

  it("shows what is too long for a parser as it was written, in pieces", async () => {
    const long = "<b>*[ ".repeat(200_000);
    const html = await page([say(long), say("end of it"), prompt("next")]);
    expectSafe(html);
    expect(html.match(/<article/g)).toHaveLength(2);
    expect(html).toContain('<div class="plain">&lt;b&gt;*[ ');
    expect(html).toContain("end of it</div>");
  });

  it("takes an entry of 64 MiB", { timeout: 60_000, tags: ["long"] }, async () => {
    const big = `${"x".repeat(1023)}<`.repeat(64 << 10);
    const html = await page([
      update("tool_call", {
        toolCallId: "t",
        title: "Big",
        content: [{ type: "content", content: text(big) }],
      }),
    ]);
    expect(html.length).toBeGreaterThan(64 << 20);
    expect(html.slice(0, 20_000)).toContain("x&lt;x");
  });

  it.each([
    "[",
    "*a ",
    "`",
    "![",
    "<a",
    "**_",
    "> ",
    "- ",
    "|a",
    "[a](",
    "\\",
    "&amp",
    "https://a.b ",
    "~~",
    "1. ",
    "](",
    "[a]: b\n",
  ])("is drawn in time that grows with the text, not faster: %j", (part) => {
    const timed = (chars: number) => {
      const text = part.repeat(chars / part.length);
      const before = performance.now();
      richText(text);
      return performance.now() - before;
    };
    timed(4000);
    expect(timed(maxRichChars)).toBeLessThan(3000);
  });
});
