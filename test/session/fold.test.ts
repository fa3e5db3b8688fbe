import { describe, expect, it, vi } from "vitest";
import { withChild } from "../../src/acp/child-mark.ts";
import { foldEntries } from "../../src/session/fold.ts";
import type { NewEntry } from "../../src/store/contract.ts";
import {
  chunk,
  compaction,
  contentsOf,
  entriesOf,
  image,
  newEntry,
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
    const texts = Array.from({ length: 40 }, (_, n) => String.fromCharCode(65 + (n % 26)).repeat(20_000));
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

  it("keeps what it does not understand as it came, in its place [issue 14.3]", () => {
    const terminal = (_meta: object) => tool({ _meta });
    const items = [
      tool(
        { title: "Shell", status: "in_progress", _meta: { terminal_info: { terminal_id: "x" } } },
        "tool_call",
      ),
      terminal({ terminal_output: { terminal_id: "x", data: "one\n" } }),
      terminal({ terminal_output: { terminal_id: "x", data: "two\n" } }),
      tool({ status: "in_progress", vendor: { progress: 3 } }),
      terminal({ terminal_output: { terminal_id: "x", data: "two\n" } }),
      tool({ status: "completed", _meta: { terminal_exit: { exit_code: 0 } } }),
    ];
    expect(fold(...items)).toEqual(items);
    const outside = {
      kind: "update",
      atMs: 1,
      data: `{"_meta":{"a":1},"update":${JSON.stringify(tool({ title: "x" }))}}`,
    } as const;
    expect(foldEntries([newEntry(tool({}, "tool_call")), outside])).toEqual([
      newEntry(tool({}, "tool_call")),
      outside,
    ]);
  });

  it("with the same `_meta` on each update is one, and keeps it; another one begins anew", () => {
    const meta = { claudeCode: { toolName: "Bash", parentToolUseId: null } };
    const done = { claudeCode: { toolName: "Bash", parentToolUseId: "p" } };
    expect(
      fold(
        tool({ title: "Shell", status: "pending", _meta: meta }, "tool_call"),
        tool({ rawInput: { command: "a" }, _meta: meta }),
        chunk("meanwhile"),
        tool({ rawInput: { command: "ab" }, status: "in_progress", _meta: meta }),
        tool({ _meta: done }),
        tool({ status: "completed", _meta: done }),
        tool({ _meta: meta }),
      ),
    ).toEqual([
      tool({ title: "Shell", status: "in_progress", _meta: meta, rawInput: { command: "ab" } }, "tool_call"),
      chunk("meanwhile"),
      tool({ _meta: done, status: "completed" }),
      tool({ _meta: meta }),
    ]);
    const usage = (used: number, _meta: object) => ({ sessionUpdate: "usage_update", used, size: 9, _meta });
    expect(fold(usage(1, meta), usage(2, meta), usage(3, done))).toEqual([usage(2, meta), usage(3, done)]);
  });

  it.each([
    { terminal_output: { terminal_id: "x", data: "." } },
    { terminal_output_delta: { data: "." } },
    { vendor: { logs: ["."] } },
    { a: 1 },
    { claudeCode: { toolName: "Bash", toolResponse: { stdout: "." } } },
    { vendor: { chunk: "." } },
    { many: Array.from({ length: 100 }, () => 0) },
  ])("keeps every piece that is sent in `_meta`, though two are the same: %j", (_meta) => {
    const items = [tool({ _meta }, "tool_call"), tool({ _meta }), tool({ _meta }), tool({ _meta })];
    expect(fold(...items)).toEqual(items);
  });

  it("takes an update with an own spelling of the same `_meta` for another", () => {
    const entries = ['{"kind":1}', '{"kind": 1}', '{"kind":1,"kind":1}'].map((meta) => ({
      kind: "update" as const,
      atMs: 1,
      data: `{"update":{"sessionUpdate":"tool_call_update","toolCallId":"t","_meta":${meta}}}`,
    }));
    expect(foldEntries(entries)).toEqual(entries);
    expect(foldEntries([...entries.slice(0, 1), ...entries.slice(0, 1)])).toHaveLength(1);
  });

  it("takes up what it understands before and behind what it does not, and never across it", () => {
    const odd = tool({ status: "in_progress", _meta: { a: 1 } });
    expect(
      fold(
        tool({ title: "T" }, "tool_call"),
        tool({ status: "pending" }),
        tool({ kind: "read" }),
        odd,
        tool({ status: "completed" }),
        tool({ rawOutput: 1 }),
      ),
    ).toEqual([
      tool({ title: "T", status: "pending", kind: "read" }, "tool_call"),
      odd,
      tool({ status: "completed", rawOutput: 1 }),
    ]);
  });

  it("that is announced twice is announced twice: whether the second replaces or adds is the client's to say", () => {
    const items = [tool({ title: "A", content: [] }, "tool_call"), tool({ title: "B" }, "tool_call")];
    expect(fold(...items, tool({ status: "completed" }))).toEqual([
      items[0],
      tool({ title: "B", status: "completed" }, "tool_call"),
    ]);
  });

  it("keeps every value to the letter: numbers, depth, odd names [issue 14.5]", () => {
    const update = (fields: string): NewEntry => ({
      kind: "update",
      atMs: 1,
      data: `{"update": {"toolCallId":"t" , ${fields}, "sessionUpdate":"tool_call_update"} }`,
    });
    const deep = `${"[".repeat(20_000)}{"]": "}"}${"]".repeat(20_000)}`;
    const output = `{"n":12345678901234567890, "x":1e400,"__proto__":{"a":1.0},"q":"a\\\\"}`;
    const folded = foldEntries([
      update(`"rawInput":${output}`),
      update(`"rawOutput":${deep}`),
      update('"status":"completed"'),
    ]);
    expect(folded.map(({ data }) => data)).toEqual([
      `{"update":{"sessionUpdate":"tool_call_update","toolCallId":"t","rawInput":${output},"rawOutput":${deep},"status":"completed"}}`,
    ]);
  });

  it("is folded alike when it is large: of what is large only the type is looked at", () => {
    const items = (filler: string) => {
      const big = (fields: object) => tool({ ...fields, status: "in_progress" });
      const text = { type: "text", text: filler };
      return [
        tool({ title: "T", rawInput: { a: filler } }, "tool_call"),
        big({ content: [{ type: "content", content: text }], rawOutput: filler }),
        big({ rawOutput: { list: [filler] }, title: null }),
        big({ vendor: filler }),
        big({ content: { wrong: filler } }),
        big({ _meta: { lasting: true }, rawOutput: filler }),
        big({ _meta: { lasting: true }, rawOutput: [filler] }),
        big({ title: filler }),
      ];
    };
    const small = contentsOf(foldEntries(entriesOf(items("~"))));
    const large = contentsOf(foldEntries(entriesOf(items("~".repeat(300_000)))));
    const shortened = JSON.stringify(large).replace(/~+/g, "~");
    expect(JSON.parse(shortened)).toEqual(small);
    // Large `_meta` is content, and every piece of it stays.
    const pieces = [1, 2, 3].map(() => tool({ _meta: { lasting: "~".repeat(300_000) } }));
    expect(fold(...pieces)).toHaveLength(3);
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
    expect(fold(info({ title: "T", updatedAt: "then" }), info({ updatedAt: "now" }))).toEqual([
      info({ title: "T", updatedAt: "now" }),
    ]);
    expect(fold(info({ title: "T" }), info({ title: null }))).toEqual([info({ title: null })]);
  });

  it("state with something that we do not know stays, and what came before it too", () => {
    const usage = (fields: object) => ({ sessionUpdate: "usage_update", used: 1, size: 9, ...fields });
    const odd = [usage({ used: 1 }), usage({ used: 2, _meta: { turn: 1 } }), usage({ used: 3, vendor: 1 })];
    expect(fold(...odd, usage({ used: 4 }), usage({ used: 5 }))).toEqual([...odd, usage({ used: 5 })]);
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

describe("a compaction that goes on behind the end of a stretch [issue 14.42]", () => {
  const inTwo = (first: readonly Item[], second: readonly Item[]) => {
    const earlier = new Set<string>();
    return [first, second].flatMap((items) => contentsOf(foldEntries(entriesOf(items), earlier)));
  };
  const text = (...texts: string[]) => texts.map((each) => ({ type: "text", text: each }));

  it("keeps the pieces of a summary that is begun: a whole one would take the place of what came before", () => {
    expect(
      inTwo(
        [compaction({ status: "in_progress" }), piece("a"), piece("b")],
        [piece("c"), piece("d"), compaction({ status: "completed" })],
      ),
    ).toEqual([
      compaction({ status: "in_progress", summary: text("a", "b") }),
      piece("c"),
      piece("d"),
      compaction({ status: "completed" }),
    ]);
  });

  it("is joined where all of the summary is known", () => {
    expect(
      inTwo(
        [piece("a")],
        [compaction({ status: "x", summary: text("all") }), piece("b"), compaction({ status: "y" })],
      ),
    ).toEqual([piece("a"), compaction({ status: "y", summary: text("all", "b") })]);
    expect(
      inTwo([piece("a")], [compaction({ status: "x" }), piece("b"), compaction({ status: "y" })]),
    ).toEqual([piece("a"), compaction({ status: "x" }), piece("b"), compaction({ status: "y" })]);
  });
});

describe("whatever stands in a journal [issue 14.31]", () => {
  it.each([
    ["no JSON", "{"],
    ["no object", "[1]"],
    ["no update", '{"update":5}'],
    ["an update of no kind", '{"update":{"sessionUpdate":7}}'],
    ["a chunk without content", '{"update":{"sessionUpdate":"agent_message_chunk"}}'],
    [
      "a chunk that ends early",
      '{"update":{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"a',
    ],
    ["a plan of nothing", '{"update":{"sessionUpdate":"plan_update","plan":null}}'],
    ["a name of the language", '{"update":{"sessionUpdate":"constructor"}}'],
  ])("%s stays as it came, and so does all around it", (_, data) => {
    const odd = (kind: NewEntry["kind"]): NewEntry => ({ kind, atMs: 1, data });
    for (const kind of [
      "update",
      "prompt",
      "message",
      "request",
      "response",
      "setting",
      "end",
      "rewind",
      "summary",
    ] as const) {
      const folded = foldEntries([
        newEntry(chunk("a", "1")),
        odd(kind),
        newEntry(chunk("b", "2")),
        odd(kind),
      ]);
      expect(folded).toEqual([newEntry(chunk("a", "1")), odd(kind), newEntry(chunk("b", "2")), odd(kind)]);
    }
  });
});

describe("what subagents say", () => {
  it("is folded by child, where each first said it", () => {
    const data = (text: string) => JSON.stringify({ update: chunk(text) });
    const entries = (texts: readonly (readonly [child: string | undefined, text: string])[]) =>
      texts.map(([child, text]): NewEntry => {
        const own = data(text);
        return { kind: "update", atMs: 1, data: child === undefined ? own : withChild(own, child) };
      });
    const streamed = entries([
      [undefined, "I "],
      ["A", "a1"],
      [undefined, "wait"],
      ["B", "b1"],
      ["A", "a2"],
      ["B", "b2"],
    ]);
    expect(foldEntries(streamed)).toEqual(
      entries([
        [undefined, "I wait"],
        ["A", "a1a2"],
        ["B", "b1b2"],
      ]),
    );
  });
});

describe("the work of folding [issue 14.36]", () => {
  /** Characters read and written by JSON, and members set. */
  function workOf(items: readonly Item[]): number {
    const entries = entriesOf(items);
    let work = 0;
    const parse = vi.spyOn(JSON, "parse");
    const stringify = vi.spyOn(JSON, "stringify");
    const set = vi.spyOn(Map.prototype, "set");
    const folded = foldEntries(entries);
    for (const [text] of parse.mock.calls) work += text.length;
    for (const { value } of stringify.mock.results) work += String(value).length;
    work += set.mock.calls.length;
    vi.restoreAllMocks();
    return work + folded.reduce((sum, { data }) => sum + data.length, 0);
  }

  it.each<[string, (n: number) => Item]>([
    ["of a tool call with a new field in every update", (n) => tool({ [`field${n}`]: n })],
    [
      "of a tool call with the same fields in every update",
      (n) => tool({ status: "in_progress", rawOutput: n }),
    ],
    [
      "of a tool call with the same `_meta` in every update",
      (n) => tool({ rawOutput: n, _meta: { phase: 1 } }),
    ],
    [
      "of a tool call whose `_meta` is one thing and then another",
      (n) => tool({ rawOutput: n, _meta: { phase: n % 2 } }),
    ],
    ["of chunks with `_meta`", (n) => ({ ...chunk(`${n}`), _meta: { trace: n } })],
    ["of updates of a kind that nobody knows", (n) => ({ sessionUpdate: "_odd/sparkle", n })],
    ["of a compaction's pieces", (n) => piece(`${n}`)],
    ["of chunks", (n) => chunk(`${n}`)],
    ["of session info", (n) => ({ sessionUpdate: "session_info_update", title: `${n}` })],
    ["of plans", (n) => plan(`${n}`)],
  ])("%s grows with what is folded, not with its square", (_, item) => {
    const many = (count: number) => Array.from({ length: count }, (_unused, n) => item(1000 + n));
    expect(workOf(many(4000))).toBeLessThan(2.2 * workOf(many(2000)));
  });
});
