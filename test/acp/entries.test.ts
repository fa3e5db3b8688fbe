import { describe, expect, it } from "vitest";
import { meaningOf, plainChunkData, plainChunkIn, unquoted } from "../../src/acp/entries.ts";
import type { EntryKind } from "../../src/store/contract.ts";
import { chunk, image, newEntry, plan, piece, tool, unknown, type Item } from "../session/entries.ts";

const meaning = (item: Item) => meaningOf(newEntry(item));
const of = (kind: Exclude<EntryKind, "update">, data: object) => meaning({ kind, data });

describe("the meaning of an entry", () => {
  it("is told by its kind", () => {
    const text = [{ type: "text", text: "a" }];
    expect(of("prompt", { prompt: text, messageId: "m" })).toEqual({
      type: "prompt",
      content: text,
      messageId: "m",
    });
    expect(of("prompt", { prompt: text, messageId: 5 })).toMatchObject({ messageId: undefined });
    expect(of("message", { role: "system", content: text })).toEqual({
      type: "message",
      role: "system",
      content: text,
    });
    expect(of("request", { id: 0, method: "m", params: { a: 1 } })).toEqual({
      type: "request",
      id: 0,
      method: "m",
      params: { a: 1 },
    });
    expect(of("response", { id: "x", method: "m", failed: true })).toEqual({
      type: "response",
      id: "x",
      method: "m",
      result: undefined,
    });
    expect(of("setting", { method: "m", params: {} })).toEqual({ type: "setting", method: "m", params: {} });
  });

  it("of an end is its stop reason, its error or that it was cut off", () => {
    const end = (data: object) => {
      const found = of("end", data);
      return found.type === "end" ? found.end : found;
    };
    expect(end({ result: { stopReason: "end_turn", usage: { n: 1 } } })).toEqual({
      stopReason: "end_turn",
      usage: { n: 1 },
      interrupted: false,
    });
    expect(end({ error: { code: -32603, name: "AGENT_EXITED", message: "gone" } })).toEqual({
      error: { code: "AGENT_EXITED", message: "gone" },
      interrupted: false,
    });
    expect(end({ error: { code: -32000 } })).toEqual({ error: { code: -32000 }, interrupted: false });
    expect(end({ interrupted: true })).toEqual({ interrupted: true });
    expect(end({ result: null })).toEqual({ interrupted: false });
  });

  it("of an update is told by the kind of the update", () => {
    expect(meaning(chunk("a", "1"))).toMatchObject({ type: "chunk", role: "assistant", messageId: "1" });
    expect(meaning(chunk("a", null, "agent_thought_chunk"))).toMatchObject({
      role: "thought",
      messageId: undefined,
    });
    expect(meaning(tool({}))).toMatchObject({ type: "toolCall", toolCallId: "t" });
    expect(meaning(plan("a"))).toMatchObject({ type: "plan", planId: undefined });
    expect(meaning({ sessionUpdate: "plan_update", plan: { planId: "p" } })).toMatchObject({ planId: "p" });
    expect(meaning({ sessionUpdate: "plan_removed", planId: "p" })).toMatchObject({
      type: "plan",
      planId: "p",
    });
    expect(meaning(piece("a"))).toMatchObject({ type: "compaction", compactionId: "c" });
    expect(meaning({ sessionUpdate: "usage_update" })).toMatchObject({ type: "state", kind: "usage_update" });
  });

  it.each<[string, Item]>([
    ["a kind that we do not know", unknown(1)],
    ["a tool call without id", { sessionUpdate: "tool_call", title: "x" }],
    ["a compaction whose id is a number", { sessionUpdate: "compaction_update", compactionId: 5 }],
    ["a plan's removal without id", { sessionUpdate: "plan_removed" }],
    ["a prompt that is no list", { kind: "prompt", data: { prompt: "x" } }],
    ["a message of nobody", { kind: "message", data: { role: "robot", content: [] } }],
    ["a request without method", { kind: "request", data: { id: 1 } }],
  ])("is unknown for %s", (_, item) => {
    expect(meaning(item)).toEqual({ type: "unknown" });
  });
});

describe("a plain chunk", () => {
  const data = (update: object) => JSON.stringify({ update });

  it("is read with or without parsing, and written as it was", () => {
    for (const text of ["", "a", 'say "hi"\\', "\n\u0001 \ud83d\ude00", '"}}}', '"},"messageId":"x"}}']) {
      for (const id of [undefined, null, "1", 'odd "id"', "x".repeat(300)]) {
        const update = chunk(text, id, "user_message_chunk");
        const found = plainChunkIn(data(update));
        expect(found && unquoted(found.body)).toBe(text);
        expect(found?.messageId === undefined ? undefined : JSON.parse(found.messageId)).toBe(id);
        expect(found && JSON.parse(plainChunkData(found))).toEqual({ update });
        const { content, ...rest } = update;
        expect(plainChunkIn(data({ content, ...rest }))).toEqual(found);
      }
    }
  });

  it("carries nothing but text", () => {
    const odd = [
      image(),
      { ...chunk("a"), _meta: {} },
      chunk("a", undefined, "agent_message_chunk", { annotations: {} }),
      { ...chunk("a"), messageId: 5 },
      chunk("a", undefined, "future_chunk"),
      { sessionUpdate: "agent_message_chunk" },
    ];
    for (const update of odd) expect(plainChunkIn(data(update))).toBeUndefined();
    expect(
      plainChunkIn(
        '{"update":{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"a"}},"_meta":{}}',
      ),
    ).toBeUndefined();
    expect(
      plainChunkIn('{"update":{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"a'),
    ).toBeUndefined();
  });
});
