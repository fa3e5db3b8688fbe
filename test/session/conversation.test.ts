import { describe, expect, it } from "vitest";
import { newSessionId, type SessionId } from "../../src/base/ids.ts";
import { textOf } from "../../src/acp/content.ts";
import { changedPathsOf, outputOf } from "../../src/session/call-parts.ts";
import { foldedPages, happeningsIn, startOfLast, turnAt } from "../../src/session/conversation.ts";
import type { Happening } from "../../src/session/happenings.ts";
import type { Entry, EntryKind, EntryRange } from "../../src/store/contract.ts";

const id: SessionId = newSessionId();
type Told = readonly [EntryKind, object];
const text = (text: string) => ({ type: "text", text });
const update = (sessionUpdate: string, fields: object): Told => [
  "update",
  { update: { sessionUpdate, ...fields } },
];
const chunk = (kind: string, said: string, fields: object = {}) =>
  update(kind, { content: text(said), ...fields });
const prompt = (said: string): Told => ["prompt", { prompt: [text(said)] }];
const end = (data: object = { result: { stopReason: "end_turn" } }): Told => ["end", data];

/** A journal in pages of two entries, and what was asked of it. */
function journal(told: readonly Told[]) {
  const entries = told.map(([kind, data], at): Entry => ({
    seq: at + 1,
    kind,
    atMs: at,
    data: JSON.stringify(data),
  }));
  const asked: EntryRange[] = [];
  return {
    headSeq: entries.length,
    asked,
    async *read(_: SessionId, range: EntryRange = {}) {
      asked.push(range);
      const { from = 1, through = Infinity } = range;
      const wanted = entries.filter(({ seq }) => seq >= from && seq <= through);
      for (let at = 0; at < wanted.length; at += 2) yield wanted.slice(at, at + 2);
    },
  };
}

async function toldOf(
  told: readonly Told[],
  sealedSeq = told.length,
  range: EntryRange = {},
): Promise<
  (Happening & {
    readonly text?: string | undefined;
    readonly changed?: readonly string[];
    readonly output?: string;
  })[]
> {
  const store = journal(told);
  const all = [];
  const session = { id, sealedSeq, headSeq: store.headSeq };
  const { from = 1 } = range;
  const turn = from > 1 ? await turnAt(store, session, from - 1) : 0;
  for await (const each of happeningsIn(foldedPages(store, session, range), turn)) {
    if (each.type === "said") all.push({ ...each, text: textOf(each) });
    else if (each.type !== "call") all.push(each);
    else all.push({ ...each, changed: changedPathsOf(each.update), output: outputOf(each.update) });
  }
  return all;
}

describe("a conversation", () => {
  it("has what was said and thought, calls with their outcome, plans, settings and ends, in order", async () => {
    const told = await toldOf([
      ["setting", { method: "session/set_mode", params: { modeId: "plan" } }],
      prompt("Hello"),
      chunk("agent_thought_chunk", "Hm."),
      update("plan", { entries: [{ content: "look", status: "completed", priority: "high" }] }),
      update("tool_call", {
        toolCallId: "a",
        title: "Edit x",
        status: "completed",
        content: [
          { type: "diff", path: "/x", newText: "1" },
          { type: "content", content: text("done") },
        ],
      }),
      chunk("agent_message_chunk", "There."),
      end({ error: { code: -1, message: "no" } }),
    ]);
    expect(told).toMatchObject([
      { type: "set", what: "mode", value: "plan" },
      { type: "said", by: "user", text: "Hello", goesOn: false, seq: 2 },
      { type: "said", by: "thought", text: "Hm." },
      { type: "plan", steps: [{ text: "look", status: "completed" }] },
      { type: "call", title: "Edit x", status: "completed", changed: ["/x"], output: "done", isNews: false },
      { type: "said", by: "assistant", text: "There.", goesOn: false },
      { type: "end", end: { error: { message: "no" } } },
    ]);
  });

  it("says what goes on: a message in pieces, a call that changes after it was told", async () => {
    const told = await toldOf([
      prompt("Go"),
      chunk("agent_message_chunk", "one "),
      chunk("agent_message_chunk", "two"),
      update("tool_call", { toolCallId: "a", title: "Run", status: "in_progress" }),
      update("tool_call_update", { toolCallId: "a", status: "failed" }),
      chunk("agent_message_chunk", "three"),
    ]);
    expect(
      told.map((each) =>
        each.type === "said" ? each.goesOn : each.type === "call" && [each.title, each.isNews],
      ),
    ).toEqual([false, false, true, ["Run", false], ["Run", true], false]);
  });

  it("shows a prompt once that the agent says back, and folds a turn that runs", async () => {
    const told = await toldOf(
      [
        prompt("Go"),
        chunk("user_message_chunk", "Go"),
        chunk("agent_message_chunk", "one "),
        update("tool_call", { toolCallId: "a", title: "Run", status: "pending" }),
        update("tool_call_update", { toolCallId: "a", status: "completed" }),
      ],
      2,
    );
    expect(told).toMatchObject([
      { by: "user", text: "Go" },
      { text: "one " },
      { title: "Run", status: "completed" },
    ]);
  });

  it("is told of a part, and of the last turns, without the rest being read", async () => {
    const turns = [1, 2, 3].flatMap((n) => [
      prompt(`ask ${n}`),
      chunk("agent_message_chunk", `say ${n}`),
      end(),
    ]);
    const store = journal(turns);
    expect(await startOfLast(store, { id, headSeq: 9 }, 2)).toBe(4);
    expect(await startOfLast(store, { id, headSeq: 9 }, 20)).toBe(1);
    const part = await toldOf(turns, 9, { from: 4, through: 5 });
    expect(part).toMatchObject([{ text: "ask 2" }, { text: "say 2" }]);
    expect(await toldOf(turns, 9, { from: 6, through: 7 })).toMatchObject([{ turn: 4 }, { turn: 7 }]);
    expect(await turnAt(store, { id }, 6)).toBe(4);
  });

  it("passes over what it does not understand", async () => {
    const strange = [
      ["update", {}],
      ["update", { update: { sessionUpdate: "new_kind" } }],
      ["prompt", { prompt: 1 }],
    ] as Told[];
    const odd = [
      update("tool_call", { toolCallId: "a", title: 7, content: [null, { type: "diff" }] }),
      update("plan", { entries: [3] }),
    ];
    expect(await toldOf([...strange, ...odd])).toMatchObject([{ type: "call", title: "a", output: "" }]);
  });
});
