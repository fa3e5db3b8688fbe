/** Exports of every form, from every store. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { newSessionId } from "../../../src/base/ids.ts";
import { exportSession, SessionExport, type ExportOptions } from "../../../src/history/export/export.ts";
import { exportFormats } from "../../../src/history/export/formats.ts";
import { SessionRegistry } from "../../../src/session/registry.ts";
import type { Entry, EntryRange, NewEntry, Store } from "../../../src/store/contract.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { onEveryStore } from "../../session/every-store.ts";
import { emptySession } from "../../../src/session/registry-options.ts";
import { entry, prompt, say, startMs, talk, written } from "../talk.ts";

async function exported(store: Store, entries: readonly NewEntry[], options: ExportOptions): Promise<string> {
  const { id } = await written(store, entries);
  const registry = new SessionRegistry({ store });
  return textOf(await exportSession(registry, id, options));
}

async function textOf(pieces: AsyncIterable<string>): Promise<string> {
  let all = "";
  for await (const piece of pieces) all += piece;
  return all;
}

describe("an export [issue 10.2]", () => {
  onEveryStore((open) => {
    it("is Markdown: who said what, calls and subagents folded, in order", async () => {
      const markdown = await exported(await open(), talk(), { format: "markdown" });
      const at = (part: string) => {
        expect(markdown).toContain(part);
        return markdown.indexOf(part);
      };
      expect(markdown).toMatch(/^# Totals\n\n\| \| \|\n/);
      const order = [
        at("## You · 2026-03-04 09:00:00 UTC · #1\n\nPlease said"),
        at("- ☑ do said"),
        at("<details><summary>Thought</summary>\n\nthinking said"),
        at("## Agent · 2026-03-04 09:00:00 UTC · #4\n\nI begin said"),
        at("<details><summary>✓ · think · Delegate said · #5</summary>"),
        at("Meanwhile said"),
        // What the subagent did stands together, though it came mingled.
        at("<details><summary>▸ Helper said · #7–#9</summary>\n\n### Agent"),
        at("helping said"),
        at("✓ · search · Search said"),
        at("_Permission allowed: Yes said_"),
        at("```diff\n a\n-b\n+said\n c\n```"),
        at("Summary of what came before"),
        at("Done said"),
        at("_The turn failed: no said_"),
      ];
      expect(order).toEqual([...order].sort((a, b) => a - b));
      expect(await exported(await open(), talk(), { format: "markdown", thoughts: false })).not.toContain(
        "thinking said",
      );
    });

    it("is a bundle: header, record, entries to the letter, their count and hash", async () => {
      const store = await open();
      const odd = { ...entry("update", {}), data: '{"update":{"sessionUpdate":"_x","n":1e21,"n":1.0}}' };
      const entries = [...talk(), odd];
      const lines = (await exported(store, entries, { format: "bundle" })).trimEnd().split("\n");
      const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(lines[0]).toBe('{"acp-sidecar.bundle":1}');
      expect(parsed[1]).toMatchObject({ record: { title: "Totals", cwd: "/project" } });
      expect(parsed.slice(2, -1).map(({ data }) => data)).toEqual(entries.map(({ data }) => data));
      const sha256 = createHash("sha256")
        .update(`${lines.slice(0, -1).join("\n")}\n`)
        .digest("hex");
      expect(parsed.at(-1)).toEqual({ end: { entries: entries.length, sha256 } });
    });

    it("leaves out what a rewind superseded, unless it is asked for", async () => {
      const store = await open();
      const registry = new SessionRegistry({ store });
      const entries = [
        prompt("one"),
        say("first"),
        prompt("two"),
        say("second"),
        entry("rewind", { toSeq: 2 }),
        prompt("three"),
      ];
      const { id } = await written(store, entries);
      await store.update(id, { settings: { rewinds: [{ at: 5, toSeq: 2 }] } });
      for (const format of ["markdown", "html", "json", "jsonl"] as const) {
        const without = await textOf(await exportSession(registry, id, { format }));
        expect([without.includes("first"), without.includes("second"), without.includes("three")]).toEqual([
          true,
          false,
          true,
        ]);
        const all = await textOf(await exportSession(registry, id, { format, superseded: true }));
        expect(all).toContain("second");
      }
      const marked = await textOf(
        await exportSession(registry, id, { format: "markdown", superseded: true }),
      );
      expect(marked).toMatch(
        /first[^]*_Superseded from here to #5[^]*second[^]*_Here the session goes on\._[^]*three/,
      );
      expect(await textOf(await exportSession(registry, id, { format: "bundle" }))).toContain("second");
    });
  });

  it("is JSON for programs: what happened, and the entries a line each", async () => {
    const document = JSON.parse(await exported(openMemoryStore(), talk(), { format: "json" })) as {
      readonly session: object;
      readonly happenings: readonly { readonly type: string }[];
    };
    expect(document).toMatchObject({
      format: "acp-sidecar.session",
      version: 1,
      session: { cwd: "/project" },
    });
    expect(document.happenings.map(({ type }) => type)).toEqual(
      "said plan said said call subagent said said call subagent asked decided call compaction said end said end".split(
        " ",
      ),
    );
    const lines = (await exported(openMemoryStore(), talk(), { format: "jsonl" })).trimEnd().split("\n");
    const parsed = lines.map((line) => JSON.parse(line) as { readonly data: object });
    expect(parsed).toMatchObject(
      talk().map(({ kind, atMs, data }, n) => ({ seq: n + 1, kind, atMs, data: JSON.parse(data) as object })),
    );
    expect(parsed.at(-1)?.data).toHaveProperty(["acp-sidecar.chain", "through"], lines.length);
  });

  it("needs what is not there to be named", async () => {
    const registry = new SessionRegistry({ store: openMemoryStore() });
    await expect(exportSession(registry, newSessionId())).rejects.toMatchObject({
      code: "SESSION_NOT_FOUND",
    });
    const { id } = await written(openMemoryStore(), []);
    expect(
      () => new SessionExport(registry, { ...emptySession, id } as never, { format: "pdf" as never }),
    ).toThrow(expect.objectContaining({ code: "INVALID_PARAMS" }));
  });

  for (const format of exportFormats) {
    const tags = format === "html" ? ["long"] : [];
    it(`holds a piece at most of 100,000 turns: ${format}`, { timeout: 60_000, tags }, async () => {
      const page = 200;
      const last = format === "html" ? 300_000 : 30_000;
      let pages = 0;
      const turn = ["prompt", "update", "end"].map(
        (kind, n) => [prompt("p"), say("a".repeat(20)), entry("end", {})][n] ?? entry(kind as never, {}),
      );
      const sessions = {
        superseded: async () => [],
        async *read(_: unknown, { from = 1, through = last }: EntryRange = {}) {
          for (let seq = from; seq <= through; seq += page) {
            pages += 1;
            yield Array.from({ length: page }, (_each, n): Entry => ({
              ...(turn[(seq + n - 1) % 3] as NewEntry),
              seq: seq + n,
            }));
          }
        },
      };
      const record = {
        ...emptySession,
        id: newSessionId(),
        cwd: "/",
        createdAtMs: startMs,
        updatedAtMs: startMs,
        headSeq: last,
        sealedSeq: last,
      };
      let [longest, before] = [0, 0];
      for await (const piece of new SessionExport(sessions, record, { format })) {
        longest = Math.max(longest, piece.length);
        // What has been read and is not written yet is less than one piece.
        expect(pages - before).toBeLessThan(30);
        before = pages;
      }
      expect(pages).toBe(last / page);
      expect(longest).toBeLessThan(1 << 18);
    });
  }
});
