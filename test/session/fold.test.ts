import { describe, expect, it } from "vitest";
import { foldEntries } from "../../src/session/fold.ts";
import {
  chunk,
  compaction,
  contentsOf,
  entriesOf,
  image,
  piece,
  plan,
  prompt,
  thought,
  tool,
  unknown,
  type Item,
  type Update,
} from "./entries.ts";

const fold = (...items: readonly Item[]) => contentsOf(foldEntries(entriesOf(items)));

describe("folded messages", () => {
  it("are whole, in order of first appearance, however their chunks were interleaved", () => {
    expect(
      fold(chunk("a", "1"), chunk("x", "2"), thought("t", "1"), chunk("b", "1"), chunk("y", "2")),
    ).toEqual([chunk("ab", "1"), chunk("xy", "2"), thought("t", "1")]);
  });

  it("without an id end where another sender or anything that is shown comes between", () => {
    expect(
      fold(chunk("a"), chunk("b"), thought("t"), chunk("c"), unknown(1), chunk("d"), chunk("e")),
    ).toEqual([chunk("ab"), thought("t"), chunk("c"), unknown(1), chunk("de")]);
  });

  it("without an id go on past state, plans, progress of tools and the client's answers", () => {
    const usage = { sessionUpdate: "usage_update", used: 1, size: 2 };
    const asked: Item = { kind: "request", data: { id: 1, method: "fs/read_text_file" } };
    expect(
      fold(
        tool({ title: "T" }, "tool_call"),
        chunk("a"),
        usage,
        plan("p"),
        tool({ status: "completed" }),
        asked,
        chunk("b"),
      ),
    ).toEqual([
      tool({ title: "T", status: "completed" }, "tool_call"),
      chunk("ab"),
      usage,
      plan("p"),
      "request",
    ]);
  });

  it("keep content of another kind in its place among the text", () => {
    expect(fold(chunk("a", "1"), chunk("b", "1"), image("1"), chunk("c", "1"), chunk("d", "1"))).toEqual([
      chunk("ab", "1"),
      image("1"),
      chunk("cd", "1"),
    ]);
    const annotated = chunk("!", "1", "agent_message_chunk", { annotations: { priority: 1 } });
    expect(fold(chunk("a", "1"), annotated, chunk("b", "1"))).toEqual([
      chunk("a", "1"),
      annotated,
      chunk("b", "1"),
    ]);
    const withMeta = { ...chunk("m"), _meta: { a: 1 } };
    expect(fold(chunk("a"), withMeta, chunk("b"))).toEqual([chunk("a"), withMeta, chunk("b")]);
  });

  it("do not reach over a prompt or an added message", () => {
    const added: Item = { kind: "message", data: { role: "user", content: [] } };
    expect(fold(chunk("a", "1"), prompt(), chunk("b", "1"), added, chunk("c", "1"))).toEqual([
      chunk("a", "1"),
      "prompt",
      chunk("b", "1"),
      "message",
      chunk("c", "1"),
    ]);
  });

  it("are cut at a million characters, and nothing of them is lost", () => {
    const texts = Array.from({ length: 40 }, (_, n) => String.fromCharCode(65 + (n % 26)).repeat(100_000));
    const folded = fold(...texts.map((text) => chunk(text, "long"))) as Update[];
    const parts = folded.map(({ content }) => (content as { text: string }).text);
    expect(Math.max(...parts.map((part) => part.length))).toBeLessThanOrEqual(1 << 20);
    expect(parts.length).toBeLessThanOrEqual(5);
    expect(parts.join("") === texts.join("")).toBe(true);
  });
});

describe("a folded tool call", () => {
  it("stands once where it began, in its final state", () => {
    const content = [{ type: "content", content: { type: "text", text: "done" } }];
    expect(
      fold(
        tool(
          { title: "Read", kind: "read", rawInput: { path: "/a" }, content: [], _meta: { a: 1 } },
          "tool_call",
        ),
        chunk("meanwhile"),
        tool({ status: "in_progress", title: null }),
        tool({ status: "completed", content, rawOutput: { lines: 3 }, locations: [{ path: "/a" }] }),
      ),
    ).toEqual([
      tool(
        {
          title: "Read",
          kind: "read",
          rawInput: { path: "/a" },
          content,
          _meta: { a: 1 },
          status: "completed",
          rawOutput: { lines: 3 },
          locations: [{ path: "/a" }],
        },
        "tool_call",
      ),
      chunk("meanwhile"),
    ]);
  });

  it("that began before the stretch stays an update", () => {
    expect(fold(tool({ status: "in_progress" }), tool({ status: "failed" }))).toEqual([
      tool({ status: "failed" }),
    ]);
    expect(fold(tool({ status: "pending" }), tool({ title: "Late" }, "tool_call"))).toEqual([
      tool({ status: "pending", title: "Late" }, "tool_call"),
    ]);
  });

  it("is told from others by its id, and one without an id stays as it is", () => {
    const nameless = { sessionUpdate: "tool_call", title: "no id" };
    expect(
      fold(tool({ n: 1 }, "tool_call", "a"), tool({ n: 2 }, "tool_call", "b"), nameless, nameless),
    ).toEqual([tool({ n: 1 }, "tool_call", "a"), tool({ n: 2 }, "tool_call", "b"), nameless, nameless]);
  });
});

describe("of what is told again and again", () => {
  it("a plan stays once in each turn, in its last form, where it first came", () => {
    expect(fold(plan("a"), chunk("x"), plan("a", "b"), prompt(), plan("c"), plan("d"))).toEqual([
      plan("a", "b"),
      chunk("x"),
      "prompt",
      plan("d"),
    ]);
  });

  it("state stays with its last value, in the place of that", () => {
    const mode = (currentModeId: string) => ({ sessionUpdate: "current_mode_update", currentModeId });
    const commands = (...names: string[]) => ({
      sessionUpdate: "available_commands_update",
      availableCommands: names.map((name) => ({ name, description: "" })),
    });
    expect(fold(mode("a"), commands("x"), prompt(), mode("b"), chunk("t"), mode("c"))).toEqual([
      commands("x"),
      "prompt",
      chunk("t"),
      mode("c"),
    ]);
  });

  it("session info keeps the last word on each field", () => {
    const info = (fields: object) => ({ sessionUpdate: "session_info_update", ...fields });
    expect(fold(info({ title: "T", a: 1 }), info({ updatedAt: "now", a: 2 }))).toEqual([
      info({ title: "T", a: 2, updatedAt: "now" }),
    ]);
    expect(fold(info({ title: "T" }), info({ title: null }))).toEqual([info({ title: null })]);
  });

  it("what nobody knows stays as often as it came, to the letter", () => {
    const entries = entriesOf([
      unknown(1),
      unknown(1),
      { sessionUpdate: "future_chunk", content: { text: "a" } },
    ]);
    expect(foldEntries(entries)).toEqual(entries.map(({ kind, atMs, data }) => ({ kind, atMs, data })));
  });
});

describe("a folded compaction", () => {
  it("gathers its summary, and its status is the last one", () => {
    const text = (...texts: string[]) => texts.map((each) => ({ type: "text", text: each }));
    expect(
      fold(
        compaction({ status: "in_progress" }),
        piece("a"),
        piece("b"),
        compaction({ status: "completed" }),
      ),
    ).toEqual([compaction({ status: "completed", summary: text("a", "b") })]);
    expect(fold(piece("a"), chunk("x"), compaction({ status: "failed", error: "no" }))).toEqual([
      compaction({ status: "failed", summary: text("a"), error: "no" }),
      chunk("x"),
    ]);
    expect(fold(piece("a"), piece("b"))).toEqual([
      compaction({ status: "in_progress", summary: text("a", "b") }),
    ]);
  });

  it("is patched: null clears, a new summary replaces", () => {
    const whole = [{ type: "text", text: "all" }];
    expect(fold(piece("a"), compaction({ status: "completed", summary: whole }), piece("b"))).toEqual([
      compaction({ status: "completed", summary: [...whole, { type: "text", text: "b" }] }),
    ]);
    expect(
      fold(compaction({ status: "x", summary: whole }), compaction({ status: "x", summary: null })),
    ).toEqual([compaction({ status: "x", summary: null })]);
  });
});
