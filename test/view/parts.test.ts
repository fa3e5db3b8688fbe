import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { webPage } from "../../src/http/page.ts";
import { merged } from "../../src/view/merged.ts";
import { EventLines, type StreamEvent } from "../../src/view/sse.ts";
import { apiOn } from "../http/rig.ts";
import { say } from "../history/talk.ts";
import { rich } from "./scenes.ts";
import type { Item } from "../../src/history/pages/items.ts";

describe("the page", () => {
  it("is small, all in one, and may do nothing but what stands in it", async () => {
    const { html, policy } = await webPage();
    expect(gzipSync(html).length).toBeLessThan(60_000);
    expect(html).not.toMatch(/\b(?:src|href)="(?!data:|#)/);
    expect(policy).toMatch(
      /^default-src 'none'; script-src 'sha256-[^ ]+' 'sha256-[^ ]+'; style-src 'sha256-[^ ]+';/,
    );
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    const { ask } = await apiOn();
    const answer = await ask("GET", "/", { token: "" });
    expect(answer).toMatchObject({ status: 200, text: html });
    expect(answer.headers.get("content-security-policy")).toBe(policy);
  });

  it("never reads a text as HTML", async () => {
    const { html } = await webPage();
    expect(html).not.toMatch(
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(|new Function/,
    );
  });
});

describe("pages of a conversation", () => {
  it("are the same together as in one, wherever they were cut", async () => {
    const { ask, owner } = await apiOn();
    const { id } = await owner.create({ cwd: "/p" });
    const { journal } = await owner.open(id);
    // What is final stands whole where it began; of a turn that runs each update stands for itself.
    await journal.append([...rich().slice(0, -1), say("and "), say("so on")]);
    const include = "include=thoughts,tools,state,superseded";
    const page = async (query: string) =>
      (await ask("GET", `/api/sessions/${id}/history?${include}&${query}`)).json;
    const whole = (await page("limit=500")).items as unknown as Item[];
    for (const limit of [1, 3]) {
      let items: Item[] = [];
      for (let [after, isMore] = [0, true]; isMore;) {
        const next = await page(`limit=${limit}&after=${after}`);
        items = [...merged([...items, ...(next.items as unknown as Item[])])];
        [after, isMore] = [next.after, next.isMoreAfter];
      }
      expect(items).toEqual(whole);
    }
    await journal.release();
  });
});

describe("events of a stream", () => {
  it("are the same in pieces of any size", () => {
    const text = ": hello\n\nevent: a\nid: 7\ndata: one\ndata: two\n\ndata:x\r\n\r\nevent: nothing\n\n";
    const wanted: StreamEvent[] = [
      { event: "a", data: "one\ntwo", id: "7" },
      { event: "message", data: "x", id: "7" },
    ];
    for (const size of [1, 2, 5, 100]) {
      const lines = new EventLines();
      const events = Array.from({ length: Math.ceil(text.length / size) }, (_, at) =>
        text.slice(at * size, (at + 1) * size),
      );
      expect(events.flatMap((piece) => lines.push(piece))).toEqual(wanted);
    }
  });

  it("do not grow without an end", () => {
    const lines = new EventLines();
    for (let at = 0; at < 20; at += 1) expect(lines.push(`data: ${"x".repeat(1 << 20)}`)).toEqual([]);
    expect(lines.push("\n\ndata: y\n\n")).toEqual([{ event: "message", data: "y", id: undefined }]);
  });
});
