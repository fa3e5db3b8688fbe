import { describe, expect, it } from "vitest";
import { textOf } from "../../src/acp/content.ts";
import { childMark } from "../../src/acp/child-mark.ts";
import { diffsOf, pathsOf } from "../../src/session/call-parts.ts";
import type { Happening } from "../../src/session/happenings.ts";
import { Teller } from "../../src/session/teller.ts";
import type { Entry } from "../../src/store/contract.ts";
import {
  chunk,
  compaction,
  end,
  entriesOf,
  piece,
  prompt,
  thought,
  tool,
  unknown,
  type Item,
  type Update,
} from "./entries.ts";

function told(
  items: readonly (Item | { readonly child: string; readonly item: Update })[],
  turn?: number,
): Happening[] {
  const teller = new Teller(turn);
  return items.flatMap((item, at) => {
    const seq = at + 1;
    const entry: Entry | undefined =
      "child" in item
        ? {
            seq,
            kind: "update",
            atMs: seq,
            data: JSON.stringify({ [childMark]: item.child, update: item.item }),
          }
        : entriesOf([item])[0];
    return entry === undefined ? [] : (teller.told({ ...entry, seq, atMs: seq }) ?? []);
  });
}

const text = (said: string) => ({ type: "text", text: said });
const asked = (id: number, more: object = {}): Item => ({
  kind: "request",
  data: {
    id,
    method: "session/request_permission",
    params: {
      toolCall: { toolCallId: "t", title: "Remove it" },
      options: [
        { optionId: "y", name: "Yes", kind: "allow_once" },
        { optionId: "n", name: "No", kind: "reject_once" },
      ],
    },
    ...more,
  },
});
const answered = (id: number, result: object): Item => ({
  kind: "response",
  data: { id, method: "session/request_permission", result },
});
const selected = (optionId: string) => ({ outcome: { outcome: "selected", optionId } });

describe("the teller", () => {
  it("says to which turn a thing belongs: that of its prompt", () => {
    const all = told([chunk("before"), prompt("one"), chunk("a"), end, prompt("two"), chunk("b")]);
    expect(all.map(({ turn }) => turn)).toEqual([0, 2, 2, 2, 5, 5]);
    expect(told([chunk("later")], 7)).toMatchObject([{ turn: 7 }]);
  });

  it("gives every message the id under which it is shown", () => {
    const named: Item = { kind: "prompt", data: { prompt: [text("two")], messageId: "mine" } };
    const added: Item = { kind: "message", data: { role: "assistant", content: [text("three")] } };
    const ids = told([prompt("one"), chunk("a", "m"), chunk("b"), named, added]).map(
      (each) => each.type === "said" && each.messageId,
    );
    expect(ids).toEqual(["acp-sidecar:prompt:1", "m", undefined, "mine", "acp-sidecar:message:5"]);
  });

  it("tells a call with what was said of it before, and what this update says in full", () => {
    const [, first, news] = told([
      prompt(),
      tool({ title: "Edit", kind: "edit", status: "pending", rawInput: { a: 1 } }, "tool_call"),
      tool({
        status: "completed",
        locations: [{ path: "/y" }, { path: "/x" }],
        content: [{ type: "diff", path: "/x", oldText: "1", newText: "2" }],
      }),
    ]);
    expect(first).toMatchObject({
      callId: "t",
      title: "Edit",
      status: "pending",
      isNews: false,
      update: { rawInput: { a: 1 } },
    });
    expect(news).toMatchObject({
      title: "Edit",
      kind: "edit",
      status: "completed",
      isNews: true,
      startedAtMs: 2,
      atMs: 3,
    });
    const update = news?.type === "call" ? news.update : {};
    expect(pathsOf(update)).toEqual(["/y", "/x"]);
    expect(diffsOf(update)).toEqual([{ path: "/x", oldText: "1", newText: "2" }]);
    // Of another turn it is another call.
    expect(told([tool({ title: "A" }, "tool_call"), prompt(), tool({ status: "failed" })])[2]).toMatchObject({
      title: "t",
      isNews: false,
    });
  });

  it("tells permissions: what was asked, and how it was decided", () => {
    const all = told([prompt(), asked(1), answered(1, selected("y")), asked(2), answered(2, selected("n"))]);
    expect(all.slice(1)).toMatchObject([
      {
        type: "asked",
        callId: "t",
        title: "Remove it",
        options: [{ id: "y", name: "Yes" }, { kind: "reject_once" }],
      },
      { type: "decided", callId: "t", outcome: "allowed", option: { name: "Yes" } },
      { type: "asked" },
      { type: "decided", outcome: "rejected", option: { name: "No" } },
    ]);
    const odd = told([
      asked(1),
      answered(1, { outcome: { outcome: "cancelled" } }),
      answered(9, selected("y")),
      answered(8, {}),
    ]);
    expect(odd.slice(1)).toMatchObject([
      { outcome: "cancelled" },
      { outcome: "allowed", callId: undefined, option: undefined },
      { outcome: "failed" },
    ]);
    expect(told([asked(1, { [childMark]: "KID" })])).toMatchObject([{ type: "asked", child: "KID" }]);
  });

  it("tells a subagent's conversation as its own, within the turn, with the call that it works for", () => {
    const announce = (more: object): Update => ({
      sessionUpdate: "subagent_update",
      sessionId: "KID",
      ...more,
    });
    const all = told([
      prompt(),
      tool({ title: "Delegate", content: [{ type: "session", sessionId: "KID" }] }, "tool_call"),
      announce({ title: "Reader", state: { state: "running" } }),
      { child: "KID", item: chunk("I read") },
      chunk("Meanwhile"),
      { child: "KID", item: chunk(" it.") },
      { child: "KID", item: tool({ title: "Its own" }, "tool_call") },
      { sessionUpdate: "session_message", messageId: "m", senderSessionId: "KID", content: [text("done")] },
      announce({ state: { state: "idle" } }),
    ]);
    expect(all.slice(2)).toMatchObject([
      {
        type: "subagent",
        session: "KID",
        title: "Reader",
        state: "running",
        byCallId: "t",
        isNews: false,
        turn: 1,
      },
      { type: "said", child: "KID", goesOn: false, turn: 1 },
      { type: "said", goesOn: false },
      { type: "said", child: "KID", goesOn: true },
      { type: "call", child: "KID", title: "Its own", isNews: false },
      { type: "sent", from: "KID", to: undefined, messageId: "m", goesOn: false },
      { type: "subagent", title: "Reader", state: "idle", isNews: true },
    ]);
    expect(all[4]).not.toHaveProperty("child");
  });

  it("knows within which call an agent's subagent works that has no session", () => {
    const meta = { _meta: { claudeCode: { parentToolUseId: "task" } } };
    expect(
      told([{ ...chunk("deep"), ...meta }, tool({ title: "Read", ...meta }), tool({ status: "completed" })]),
    ).toMatchObject([{ parentCallId: "task" }, { parentCallId: "task" }, { parentCallId: "task" }]);
  });

  it("tells a compaction with its summary, whole or piece by piece", () => {
    const all = told([
      compaction({ status: "in_progress" }),
      piece("sum"),
      compaction({ status: "completed", summary: [text("all")] }),
    ]);
    expect(all).toMatchObject([
      { type: "compaction", compactionId: "c", status: "in_progress", summary: [], goesOn: true },
      { summary: [text("sum")], goesOn: true },
      { status: "completed", summary: [text("all")], goesOn: false },
    ]);
  });

  it("tells plans of every form, settings and state", () => {
    const plan = (fields: object): Update => ({
      sessionUpdate: "plan_update",
      plan: { planId: "p", ...fields },
    });
    expect(
      told([
        plan({ type: "items", entries: [{ content: "do", status: "completed" }] }),
        plan({ type: "markdown", content: "# Do" }),
        { sessionUpdate: "plan_removed", planId: "p" },
        plan({}),
        {
          kind: "setting",
          data: { method: "session/set_config_option", params: { configId: "fast", value: true } },
        },
        { sessionUpdate: "usage_update", used: 1, size: 2 },
      ]),
    ).toMatchObject([
      { type: "plan", planId: "p", steps: [{ text: "do", status: "completed" }], isRemoved: false },
      { text: "# Do", steps: [] },
      { isRemoved: true },
      { type: "set", what: "fast", value: "true" },
      { type: "state", kind: "usage_update", update: { used: 1 } },
    ]);
  });

  it("keeps what was said apart from thoughts, and joins what goes on", () => {
    const all = told([
      prompt("q"),
      chunk("q", undefined, "user_message_chunk"),
      thought("hm"),
      chunk("a"),
      chunk("b"),
      chunk("c", "id"),
    ]);
    expect(all.map((each) => each.type === "said" && [each.by, textOf(each), each.goesOn])).toEqual([
      ["user", "q", false],
      ["thought", "hm", false],
      ["assistant", "a", false],
      ["assistant", "b", true],
      ["assistant", "c", false],
    ]);
  });

  it("passes over what nobody understands, and holds little however many calls a turn has", () => {
    const strange = [
      unknown(1),
      { sessionUpdate: "subagent_update" },
      tool({}),
      tool({ title: 1, content: "x" }),
    ];
    expect(
      told([...strange, { kind: "request", data: { id: 1, method: "fs/read_text_file" } }]),
    ).toHaveLength(2);
    const teller = new Teller();
    const [entry] = entriesOf([tool({ title: "x".repeat(1100) }, "tool_call", "N")]) as [Entry];
    for (let n = 0; n < 30_000; n += 1) teller.told({ ...entry, data: entry.data.replace('"N"', `"${n}"`) });
    const last = entriesOf([tool({ status: "failed" }, "tool_call_update", "29999")]) as [Entry];
    const first = entriesOf([tool({ status: "failed" }, "tool_call_update", "0")]) as [Entry];
    expect(teller.told(last[0])).toMatchObject({ isNews: true, title: "x".repeat(1000) });
    expect(teller.told(first[0])).toMatchObject({ isNews: false });
  });
});
