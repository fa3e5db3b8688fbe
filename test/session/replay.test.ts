import { describe, expect, it } from "vitest";
import { newSessionId } from "../../src/base/ids.ts";
import { replay } from "../../src/session/replay.ts";
import type { ReplayedState, ReplayOptions } from "../../src/session/replay-options.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import type { Entry, Store } from "../../src/store/contract.ts";
import {
  chunk,
  compaction,
  end,
  entriesOf,
  piece,
  plan,
  prompt,
  tool,
  type Item,
  type Update,
} from "./entries.ts";

async function newSession(store: Store) {
  const id = newSessionId();
  const lists = { additionalDirectories: [], mcpServerNames: [], agentSessionIds: [] };
  await store.create({ id, createdAtMs: 1, updatedAtMs: 1, cwd: "/", settings: {}, metadata: {}, ...lists });
  const request = { holder: { host: "h", pid: 1, startedAt: "1" }, ttlMs: 1e6, mayTake: () => false };
  const { lease } = await store.acquire(id, request);
  return { id, lease };
}

/** What a replay sends, and the state that it gathers. */
async function replayed(items: readonly Item[], sealed = items.length, options: ReplayOptions = {}) {
  const store = openMemoryStore();
  const { id, lease } = await newSession(store);
  const entries: Entry[] = entriesOf(items);
  await store.append(id, 0, entries.slice(0, sealed), lease);
  await store.seal(id, { from: sealed + 1, head: sealed }, [], lease);
  await store.append(id, sealed, entries.slice(sealed), lease);
  const state: ReplayedState = new Map();
  const pages: string[][] = [];
  for await (const page of replay(store, id, { sealedSeq: sealed, headSeq: items.length }, state, options))
    pages.push(page);
  const parse = (text: string) => (JSON.parse(text) as { update: Update }).update;
  return { updates: pages.flat().map(parse), state: [...state.values()].map(parse), pages };
}

const mode = (currentModeId: string) => ({ sessionUpdate: "current_mode_update", currentModeId });
const info = (fields: object) => ({ sessionUpdate: "session_info_update", ...fields });
/** A prompt or an added message, as it is shown. */
const user = (text: string, seq: number, kind = "prompt") =>
  chunk(text, `acp-sidecar:${kind}:${seq}`, "user_message_chunk");

describe("a replay", () => {
  it("gives prompts and added messages as chunks of who said them, in order", async () => {
    const blocks: Item = {
      kind: "prompt",
      data: {
        prompt: [
          { type: "text", text: "a" },
          { type: "image", data: "" },
        ],
      },
    };
    const added = (role: string): Item => ({
      kind: "message",
      data: { role, content: [{ type: "text", text: role }] },
    });
    const { updates } = await replayed([
      blocks,
      chunk("b"),
      end,
      added("system"),
      added("user"),
      added("assistant"),
    ]);
    expect(updates).toEqual([
      user("a", 1),
      { ...user("", 1), content: { type: "image", data: "" } },
      chunk("b"),
      user("user", 5, "message"),
      chunk("assistant", "acp-sidecar:message:6"),
    ]);
  });

  it("leaves out what is no part of the history: requests, answers, settings, ends, notices", async () => {
    const items: Item[] = [
      { kind: "request", data: { id: 1 } },
      { kind: "response", data: { id: 1 } },
      { kind: "setting", data: { method: "session/set_mode" } },
      { sessionUpdate: "notice", severity: "info", title: "now" },
      { sessionUpdate: "_unknown", kept: true },
      end,
    ];
    expect((await replayed(items)).updates).toEqual([{ sessionUpdate: "_unknown", kept: true }]);
  });

  it("gathers what is state: each kind once, with its last value, in the order of those", async () => {
    const usage = { sessionUpdate: "usage_update", used: 1, size: 2 };
    const { updates, state } = await replayed([
      mode("a"),
      info({ title: "t", a: 1 }),
      chunk("x"),
      usage,
      info({ a: 2 }),
      mode("b"),
    ]);
    expect(updates).toEqual([chunk("x")]);
    expect(state).toEqual([usage, info({ title: "t", a: 2 }), mode("b")]);
  });

  it("folds a turn that runs on the way, and goes on where the sealed part ends", async () => {
    const items = [
      prompt("one"),
      chunk("ab"),
      end,
      prompt("two"),
      chunk("c", "1"),
      mode("x"),
      chunk("d", "1"),
      mode("y"),
    ];
    const { updates, state } = await replayed(items, 3);
    expect(updates).toEqual([user("one", 1), chunk("ab"), user("two", 4), chunk("cd", "1")]);
    expect(state).toEqual([mode("y")]);
  });

  it("of nothing is nothing", async () => {
    expect(await replayed([])).toEqual({ updates: [], state: [], pages: [] });
  });

  it("comes in pages, however long the history", async () => {
    const items = Array.from({ length: 3000 }, (_, n) => chunk(`${n} `, String(n)));
    const { updates, pages } = await replayed(items);
    expect(updates).toEqual(items);
    expect(Math.max(...pages.map((page) => page.length))).toBeLessThanOrEqual(1000);
  });
});

describe("prompts in a replay", () => {
  const given = (messageId: string): Item => ({
    kind: "prompt",
    data: { prompt: [{ type: "text", text: "x" }], messageId },
  });

  it("have message ids, so that two with nothing between them stay two; one of their own is kept [issue 14.15]", async () => {
    const { updates } = await replayed([prompt("a"), end, prompt("a"), end, given("mine")]);
    expect(updates.map(({ messageId }) => messageId)).toEqual([
      "acp-sidecar:prompt:1",
      "acp-sidecar:prompt:3",
      "mine",
    ]);
  });

  it("keep what stands in them to the letter", async () => {
    const store = openMemoryStore();
    const { id, lease } = await newSession(store);
    const deep = `${"[".repeat(20_000)}${"]".repeat(20_000)}`;
    const block = `{"type":"text","text":"a","n":12345678901234567890,"deep":${deep}}`;
    await store.append(id, 0, [{ kind: "prompt", atMs: 1, data: `{"prompt": [ ${block} , 5]}` }], lease);
    const pages: string[][] = [];
    for await (const page of replay(store, id, { sealedSeq: 0, headSeq: 1 }, new Map())) pages.push(page);
    const shown = `{"update":{"sessionUpdate":"user_message_chunk","content":${block},"messageId":"acp-sidecar:prompt:1"}}`;
    expect(pages.flat().map((text) => text === shown)).toEqual([true]);
  });

  it("are shown once where the agent says them back [issue 14.13]", async () => {
    const link = { type: "resource_link", uri: "file:///a", name: "a" };
    const said = (content: object): Update => ({ sessionUpdate: "user_message_chunk", content });
    const two: Item = { kind: "prompt", data: { prompt: [{ type: "text", text: "look at " }, link] } };
    const { updates } = await replayed([
      ...[prompt("hello "), said({ type: "text", text: "hello" }), chunk("hi"), end],
      ...[two, said({ type: "text", text: "look at" }), said({ ...link, title: "A" }), end],
      ...[prompt("hello"), said({ type: "text", text: "hello" }), said({ type: "text", text: "hello" })],
      ...[said({ type: "text", text: "something else" }), end, said({ type: "text", text: "hello" })],
    ]);
    const texts = updates.map(({ sessionUpdate, content }) => [
      sessionUpdate,
      (content as { text?: string }).text,
    ]);
    expect(texts).toEqual([
      ["user_message_chunk", "hello "],
      ["agent_message_chunk", "hi"],
      ["user_message_chunk", "look at "],
      ["user_message_chunk", undefined],
      ["user_message_chunk", "hello"],
      ["user_message_chunk", "hello"],
      ["user_message_chunk", "something else"],
      ["user_message_chunk", "hello"],
    ]);
  });
});

describe("tool calls in a replay", () => {
  const text = (said: string) => ({ type: "content", content: { type: "text", text: said } });

  it("that will never end are shown as failed, with the reason [issue 14.14]", async () => {
    const running = tool({ title: "T", status: "in_progress", content: [text("half")] }, "tool_call");
    const ended = async (data: object) => {
      const items: Item[] = [
        prompt(),
        tool({ title: "D", status: "completed" }, "tool_call", "d"),
        running,
        { kind: "end", data },
      ];
      return (await replayed(items)).updates.slice(3);
    };
    const failed = (reason: string) => [tool({ status: "failed", content: [text("half"), text(reason)] })];
    expect(await ended({ result: { stopReason: "end_turn" } })).toEqual(
      failed("The turn ended before this did."),
    );
    expect(await ended({ result: { stopReason: "cancelled" } })).toEqual(
      failed("This was cancelled with its turn."),
    );
    expect(await ended({ interrupted: true })).toEqual(
      failed("This was cut off: the program that ran it was ended."),
    );
    expect(await ended({ error: { code: 1, message: "The agent died" } })).toEqual(
      failed("This was cut off: The agent died"),
    );
  });

  it("that go on are left alone, unless nothing goes on in the session", async () => {
    const items = [prompt(), tool({ title: "T" }, "tool_call")];
    expect((await replayed(items, 1)).updates.length).toBe(2);
    const { updates } = await replayed(items, 1, { isAtRest: true });
    expect(updates[2]).toMatchObject({ toolCallId: "t", status: "failed" });
  });

  it.each([
    ["first what it is", (fields: object) => tool(fields, "tool_call_update", "a")],
    ["first how it went", (fields: object) => tool({ ...fields, _meta: {} }, "tool_call_update", "a")],
  ])("that are taken up again when they had ended keep what they had said: %s", async (_what, update) => {
    const said = update({ status: "failed", content: [text("said")] });
    const again = tool({ title: "T", status: "pending" }, "tool_call", "a");
    const { updates } = await replayed([prompt(), said, again, end]);
    expect(updates.slice(2)).toEqual([again, tool({ status: "failed" }, "tool_call_update", "a")]);
  });

  it("that end behind their turn have ended", async () => {
    const items = [prompt(), tool({ title: "T" }, "tool_call"), end, tool({ status: "completed" })];
    const { updates } = await replayed(items, items.length, { isAtRest: true });
    expect(updates.map(({ status }) => status)).toEqual([undefined, undefined, "failed", "completed"]);
  });

  describe("show a terminal that the client made for the agent as what it said [issue 14.12]", () => {
    const asked = (id: number, method: string, params: object): Item => ({
      kind: "request",
      data: { id, method, params },
    });
    const answered = (id: number, method: string, result: object): Item => ({
      kind: "response",
      data: { id, method, result },
    });
    const made = [
      asked(1, "terminal/create", { command: "ls" }),
      answered(1, "terminal/create", { terminalId: "x" }),
    ];
    const said = (id: number, output: string, more: object = {}) => [
      asked(id, "terminal/output", { terminalId: "x" }),
      answered(id, "terminal/output", { output, truncated: false, ...more }),
    ];
    const shown = { type: "terminal", terminalId: "x" };
    const call = (...content: object[]) => tool({ title: "T", status: "completed", content }, "tool_call");
    const contentOf = async (items: readonly Item[], sealed?: number) =>
      (await replayed(items, sealed)).updates.find(({ sessionUpdate }) => sessionUpdate === "tool_call")?.[
        "content"
      ];

    it("at the end of its turn, wherever the call stands, and also in a turn that runs", async () => {
      const items = [
        prompt(),
        call(text("before"), shown),
        ...made,
        ...said(2, "a"),
        ...said(3, "a```\nb\n"),
        end,
        ...said(4, "later"),
      ];
      const expected = [text("before"), text("````\na```\nb\n````")];
      expect(await contentOf(items)).toEqual(expected);
      expect(await contentOf(items, 1)).toEqual(expected);
      expect(
        await contentOf([...made, prompt(), ...said(2, "a"), call(shown), ...said(3, "b"), end]),
      ).toEqual([text("```\nb\n```")]);
      expect(
        await contentOf([
          ...made,
          prompt(),
          ...said(2, "old"),
          end,
          prompt(),
          call(shown),
          ...said(3, "new"),
          end,
        ]),
      ).toEqual([text("```\nnew\n```")]);
    });

    it("over many pages", async () => {
      const between = Array.from({ length: 3000 }, (_, n) => chunk(`${n}`, String(n)));
      expect(await contentOf([...made, prompt(), call(shown), ...between, ...said(2, "far"), end])).toEqual([
        text("```\nfar\n```"),
      ]);
    });

    it("with how it ended, where it did not go well", async () => {
      const exit = (status: object) =>
        contentOf([...made, ...said(2, "a", { truncated: true, exitStatus: status }), call(shown)]);
      expect(await exit({ exitCode: 2 })).toEqual([
        text("```\na\n```\n\nIts beginning was left out.\n\nExit code 2."),
      ]);
      expect(await exit({ signal: "SIGKILL" })).toEqual([
        text("```\na\n```\n\nIts beginning was left out.\n\nEnded by SIGKILL."),
      ]);
      const waited = [
        asked(3, "terminal/wait_for_exit", { terminalId: "x" }),
        answered(3, "terminal/wait_for_exit", { exitCode: 1 }),
      ];
      expect(await contentOf([...made, ...said(2, "a"), ...waited, call(shown)])).toEqual([
        text("```\na\n```\n\nExit code 1."),
      ]);
    });

    it("and where nothing was asked of it, says so; one that the agent made known stays as it is", async () => {
      expect(await contentOf([...made, call(shown), end])).toEqual([
        text("(The terminal's output was not recorded.)"),
      ]);
      expect(await contentOf([call(shown), ...said(1, "not made here"), end])).toEqual([shown]);
    });
  });
});

describe("what a client did not ask for [issue 14.16]", () => {
  const all = { session: { compaction: {} }, plan: {}, subagents: {} };
  const planUpdate = (more: object): Update => ({
    sessionUpdate: "plan_update",
    plan: { planId: "p", ...more },
  });
  const entries = [{ content: "a", priority: "low", status: "pending" }];
  const removed: Update = { sessionUpdate: "plan_removed", planId: "p" };
  const subagent = (more: object): Update => ({
    sessionUpdate: "subagent_update",
    sessionId: "child",
    ...more,
  });
  const items: Update[] = [
    compaction({ status: "in_progress" }),
    piece("sum"),
    planUpdate({ type: "items", entries }),
    removed,
    planUpdate({ type: "markdown", content: "# Do" }),
    subagent({ title: "Helper", state: { state: "running" } }),
    subagent({ state: { state: "idle" } }),
    { sessionUpdate: "session_message", messageId: "m", content: [{ type: "text", text: "to you" }] },
    compaction({ status: "completed" }),
  ];

  it("is shown as the nearest thing that every client knows", async () => {
    const thought = (said: string, id: string) => chunk(said, `acp-sidecar:${id}`, "agent_thought_chunk");
    const helper = (fields: object, kind: string) => tool(fields, kind, "acp-sidecar:subagent:child");
    expect((await replayed(items)).updates).toEqual([
      plan("a"),
      plan(),
      thought("# Do", "p"),
      helper({ title: "Helper", kind: "other", status: "in_progress" }, "tool_call"),
      helper({ status: "completed" }, "tool_call_update"),
      thought("to you", "m"),
      thought("The conversation was compacted.\n\nsum", "c"),
    ]);
    expect((await replayed([compaction({ status: "failed", error: "Full" })])).updates).toEqual([
      thought("The conversation was not compacted. Full", "c"),
    ]);
  });

  it("is shown as ended where nothing says that it goes on", async () => {
    const shown = tool(
      { title: "Helper", kind: "other", status: "completed" },
      "tool_call",
      "acp-sidecar:subagent:child",
    );
    expect((await replayed([subagent({ title: "Helper" })])).updates).toEqual([shown]);
  });

  it("and what it asked for as it is", async () => {
    expect((await replayed(items, items.length, { capabilities: all })).updates).toEqual(items);
    const { updates } = await replayed([compaction({ status: "x" }), piece("a"), piece("b")], 2, {
      capabilities: all,
    });
    expect(updates).toEqual([compaction({ status: "x" }), piece("a"), piece("b")]);
  });
});

describe("a title that the client gave [issue 14.17]", () => {
  it("is what the session is called, until the agent says otherwise", async () => {
    const set: Item = { kind: "setting", data: { method: "session/set_title", params: { title: "mine" } } };
    expect((await replayed([info({ title: "t", updatedAt: "now" }), set])).state).toEqual([
      info({ title: "mine", updatedAt: "now" }),
    ]);
    expect((await replayed([set, info({ title: "t" })])).state).toEqual([info({ title: "t" })]);
  });
});

describe("an entry that cannot be shown [issue 14.31]", () => {
  it("costs itself alone", async () => {
    const store = openMemoryStore();
    const { id, lease } = await newSession(store);
    const deep = `${"[".repeat(20_000)}${"]".repeat(20_000)}`;
    const bad = [
      "{",
      "5",
      '{"update":[]}',
      `{"update":{"sessionUpdate":"plan_update","plan":{"planId":"p","entries":[${deep}]}}}`,
    ];
    const kinds = [
      "update",
      "prompt",
      "message",
      "request",
      "response",
      "setting",
      "end",
      "rewind",
      "summary",
    ] as const;
    const odd = bad.flatMap((data) => kinds.map((kind) => ({ kind, atMs: 1, data })));
    const entries = [...odd, ...entriesOf([chunk("after")])];
    await store.append(id, 0, entries, lease);
    const shown: string[] = [];
    for await (const page of replay(store, id, { sealedSeq: 0, headSeq: entries.length }, new Map()))
      shown.push(...page);
    // What is only deep is shown as all else is.
    const plan = `{"update":{"sessionUpdate":"plan","entries":[${deep}]}}`;
    expect(shown.filter((text) => text !== plan).map((text) => JSON.parse(text) as unknown)).toEqual([
      { update: chunk("after") },
    ]);
    expect(shown).toHaveLength(2);
  });
});
