import { describe, expect, it } from "vitest";
import { textOf, type ContentBlock } from "../../src/acp/content.ts";
import { messageEntry, messagesOf, type Message } from "../../src/session/messages.ts";
import type { Entry } from "../../src/store/contract.ts";
import { chunk, end, entriesOf, image, prompt, type Item } from "./entries.ts";

async function* paged(entries: readonly Entry[], size: number) {
  for (let at = 0; at < entries.length; at += size) yield entries.slice(at, at + size);
}

async function messages(items: readonly Item[], size = 2): Promise<Message[]> {
  const found: Message[] = [];
  for await (const message of messagesOf(paged(entriesOf(items), size))) found.push(message);
  return found;
}

const added = (role: string, text: string): Item => ({
  kind: "message",
  data: { role, content: [{ type: "text", text }] },
});

describe("the messages of a session [REQ B2]", () => {
  it("are what user, assistant and system said, in order, with time and place", async () => {
    const found = await messages([
      added("system", "be brief"),
      prompt("hello"),
      chunk("hi", "1"),
      chunk(" there", "1"),
      chunk("second", "2"),
      end,
      added("user", "a note"),
      added("assistant", "an answer"),
    ]);
    expect(found.map((message) => [message.role, textOf(message), message.seq, message.atMs])).toEqual([
      ["system", "be brief", 1, 1],
      ["user", "hello", 2, 1],
      ["assistant", "hi there", 3, 1],
      ["assistant", "second", 5, 1],
      ["user", "a note", 7, 1],
      ["assistant", "an answer", 8, 1],
    ]);
  });

  it("are the same however the store pages its entries", async () => {
    const items = [prompt("a"), chunk("b"), chunk("c"), image(), chunk("d"), prompt("e")];
    const whole = await messages(items, 100);
    expect(await messages(items, 1)).toEqual(whole);
    expect(whole.map(textOf)).toEqual(["a", "bc[image]d", "e"]);
    expect(whole[1]?.content.length).toBe(3);
  });

  it("leave out thoughts, tools and state", async () => {
    const items = [
      chunk("thinking", undefined, "agent_thought_chunk"),
      { sessionUpdate: "tool_call", toolCallId: "t", title: "T" },
      { sessionUpdate: "usage_update", used: 1, size: 2 },
      chunk("said"),
    ];
    expect((await messages(items)).map(textOf)).toEqual(["said"]);
  });

  it("hold content blocks as they are", async () => {
    const annotated = chunk("x", undefined, "agent_message_chunk", { annotations: { priority: 1 } });
    const [message] = await messages([chunk("a"), annotated, chunk("b")]);
    expect(message?.content).toEqual([
      { type: "text", text: "a" },
      { type: "text", text: "x", annotations: { priority: 1 } },
      { type: "text", text: "b" },
    ]);
  });
});

describe("a message to be added [REQ A6]", () => {
  it("is text or content blocks of one of three roles", () => {
    const blocks = [
      { type: "text", text: "a" },
      { type: "_vendor", x: 1 },
    ];
    for (const role of ["user", "assistant", "system"] as const) {
      expect(messageEntry({ role, content: "a" }, 5, 100)).toEqual({
        kind: "message",
        atMs: 5,
        data: JSON.stringify({ role, content: [{ type: "text", text: "a" }] }),
      });
      expect(JSON.parse(messageEntry({ role, content: blocks as ContentBlock[] }, 5, 100).data)).toEqual({
        role,
        content: blocks,
      });
    }
  });

  it.each([
    ["role", { role: "robot", content: "a" }],
    ["content", { role: "user", content: 5 }],
    ["content", { role: "user", content: undefined }],
    ["content", { role: "user", content: [{ text: "no type" }] }],
    ["content", { role: "user", content: ["no block"] }],
  ])("of another %s is refused as INVALID_PARAMS, which is named and not quoted", (what, message) => {
    expect(() => messageEntry(message as never, 5, 100)).toThrow(
      expect.objectContaining({
        code: "INVALID_PARAMS",
        message: expect.stringMatching(`^${what} is`) as string,
      }),
    );
  });

  it("beyond the limit is refused as ENTRY_LIMIT with both figures", () => {
    const overhead = messageEntry({ role: "user", content: "" }, 5, 1000).data.length;
    expect(messageEntry({ role: "user", content: "x".repeat(10) }, 5, overhead + 10).data.length).toBe(
      overhead + 10,
    );
    expect(() => messageEntry({ role: "user", content: "x".repeat(11) }, 5, overhead + 10)).toThrow(
      expect.objectContaining({
        code: "ENTRY_LIMIT",
        message: expect.stringContaining(String(overhead + 11)) as string,
      }),
    );
  });
});
