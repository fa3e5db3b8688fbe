/** A prompt that was said anew has its earlier wordings beside it, where what is superseded is shown. */
import { beforeAll, describe, expect, it } from "vitest";
import { exportSession } from "../../src/history/export/export.ts";
import { Edits } from "../../src/history/edits.ts";
import { happeningsIn } from "../../src/session/conversation.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { openSqliteStore } from "../../src/store/sql/sqlite/store.ts";
import type { NewEntry } from "../../src/store/contract.ts";
import { cli, scratchFolder } from "../cli/harness.ts";
import { end, entry, prompt, say, update, written } from "./talk.ts";

const back = (toSeq: number) => entry("rewind", { toSeq });
const usage = update("usage_update", { used: 1, size: 2 });

/** Earlier wordings by the prompt that counts. */
async function told(entries: readonly NewEntry[], gone: readonly number[]) {
  const rewinds = entries.flatMap(({ kind, data }, at) =>
    kind === "rewind" ? [{ at: at + 1, ...(JSON.parse(data) as { toSeq: number }) }] : [],
  );
  const edits = new Edits(rewinds);
  const pages = (async function* () {
    yield entries.map((each, i) => ({ ...each, seq: i + 1 }));
  })();
  const found: Record<number, readonly string[]> = {};
  for await (const happening of happeningsIn(pages)) {
    const earlier = edits.before(happening, !gone.includes(happening.seq));
    if (earlier.length > 0) found[happening.seq] = earlier.map(({ seq, text }) => `${seq} ${text}`);
  }
  return found;
}

describe("the wordings of a prompt", () => {
  it("are grouped at the one that counts, the first one first, whatever was between", async () => {
    const entries = [
      prompt("begin"),
      end(),
      usage,
      prompt("one"), // 4
      say("1"),
      end(),
      prompt("of one"), // 7
      end(),
      back(3), // 9
      prompt("two"), // 10
      end(),
      back(2), // 12, the same place by another number
      prompt("three"), // 13
      end(),
    ];
    expect(await told(entries, [4, 5, 6, 7, 8, 9, 10, 11, 12])).toEqual({ 13: ["4 one", "10 two"] });
  });

  it("of one place are not those of another; what goes on behind a message is no edit", async () => {
    const entries = [
      prompt("a"),
      say("A"),
      end(),
      prompt("b"), // 4
      end(),
      back(2), // 6: behind the message
      prompt("c"), // 7
      end(),
    ];
    expect(await told(entries, [3, 4, 5, 6])).toEqual({});
  });

  it("of the very first prompt are known, and cost no more than what there is", async () => {
    const entries = [prompt("x"), end()];
    for (let at = 0; at < 5000; at += 1) entries.push(back(0), prompt(`x${at}`));
    const gone = Array.from({ length: entries.length - 1 }, (_, at) => at + 1);
    const found = await told(entries, gone);
    expect(Object.keys(found)).toEqual([`${entries.length}`]);
    expect(found[entries.length]).toHaveLength(5000);
  });
});

describe("shown with what is superseded", () => {
  const path = `${scratchFolder()}/edits.db`;
  const url = `sqlite:${path}`;
  let id: string;

  beforeAll(async () => {
    const store = await openSqliteStore({ path });
    const made = await written(store, [prompt("first <b>words</b>"), say("1"), end()]);
    const registry = new SessionRegistry({ store });
    await registry.rewind(made.id, 0);
    const { journal } = await registry.open(made.id);
    await journal.seal([prompt("second words"), say("2"), end()]);
    await journal.release();
    ({ id } = made);
    await store.close();
  });

  it.each(["markdown", "html"] as const)("in %s, safely", async (format) => {
    const store = await openSqliteStore({ path });
    const texts: string[] = [];
    for (const superseded of [true, false]) {
      let text = "";
      for await (const piece of await exportSession(new SessionRegistry({ store }), id as never, {
        format,
        superseded,
      }))
        text += piece;
      texts.push(text);
    }
    await store.close();
    const [all = "", counting = ""] = texts;
    expect(all).toContain("Said anew: 1 earlier wording");
    expect(all.lastIndexOf("first ")).toBeGreaterThan(all.indexOf("Said anew"));
    const shown = all.slice(all.indexOf("Said anew"));
    expect(shown).toContain(
      format === "html" ? "first &lt;b&gt;words&lt;/b&gt;" : "\n```\nfirst <b>words</b>\n```\n",
    );
    expect(counting).not.toContain("Said anew");
  });

  it("on a terminal", async () => {
    const { out } = await cli(["sessions", "show", id, "--superseded", "--store", url]);
    expect(out).toContain("✎ Said anew: 1 earlier wording\n    #1  first <b>words</b>\n");
    expect((await cli(["sessions", "show", id, "--store", url])).out).not.toContain("Said anew");
  });
});
