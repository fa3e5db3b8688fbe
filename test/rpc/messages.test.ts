import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseMessage } from "../../src/rpc/messages.ts";
import { updateLane } from "../../src/acp/chunks.ts";
import { paramsOf, textOfUpdate, type ArrivedUpdate } from "../../src/acp/updates.ts";
import { countOf } from "../acp/count.ts";
import { raw, update } from "./streams.ts";

const newLane = () => updateLane(() => undefined);
const parse = (value: unknown, lane = newLane()) =>
  parseMessage(typeof value === "string" ? value : JSON.stringify(value), lane);

describe("a message text", () => {
  it.each([
    ["a request", { jsonrpc: "2.0", id: 1, method: "m", params: {} }, "request"],
    ["a request with id 0", { jsonrpc: "2.0", id: 0, method: "m" }, "request"],
    ["a request with an empty id", { jsonrpc: "2.0", id: "", method: "m", params: [] }, "request"],
    ["a notification", { jsonrpc: "2.0", method: "m", params: { a: 1 } }, "notification"],
    ["a notification without params", { jsonrpc: "2.0", method: "$/progress" }, "notification"],
    ["a result", { jsonrpc: "2.0", id: 1, result: null }, "response"],
    [
      "a result with an empty error beside it",
      { jsonrpc: "2.0", id: "", result: 0, error: null },
      "response",
    ],
    ["an error", { jsonrpc: "2.0", id: 0, error: { code: 1, message: "no" } }, "response"],
    ["a session update", update("hello"), "lane"],
    ["an update without a session", { jsonrpc: "2.0", method: "session/update", params: {} }, "notification"],
    ["an update asked as a request", { ...update("x"), id: 1 }, "request"],
    ["no JSON", "{", "not-json"],
    ["nothing", "", "not-json"],
  ])("may be %s", (_what, value, type) => {
    expect(parse(value)).toMatchObject({ type });
  });

  it.each([
    ["a number", 7, null, "not an object"],
    ["null", "null", null, "not an object"],
    ["a batch", [{ jsonrpc: "2.0", id: 1, method: "m" }], null, "batch"],
    ["without jsonrpc", { id: 1, method: "m" }, 1, "jsonrpc"],
    ["of another version", { jsonrpc: "1.0", id: 0, method: "m" }, 0, "jsonrpc"],
    ["with a method that is no string", { jsonrpc: "2.0", id: "", method: 5 }, "", "method"],
    [
      "with params that are no structure",
      { jsonrpc: "2.0", id: "a", method: "m", params: "x" },
      "a",
      "params",
    ],
    ["with id null", { jsonrpc: "2.0", id: null, method: "m" }, null, "id"],
    ["with an id of another kind", { jsonrpc: "2.0", id: {}, method: "m" }, null, "id"],
    ["a result without an id", { jsonrpc: "2.0", result: 1 }, null, "no request"],
  ])("is invalid when it is %s, and says why under the id that it has", (_what, value, id, reason) => {
    expect(parse(value)).toEqual({ type: "invalid", id, reason: expect.stringContaining(reason) as string });
  });
});

describe("an answer that is none", () => {
  it.each([
    ["with neither result nor error", { jsonrpc: "2.0", id: 3 }],
    ["with an error that is no object", { jsonrpc: "2.0", id: 3, error: "no" }],
  ])("is an error for whoever waits for it: %s", (_what, value) => {
    expect(parse(value)).toMatchObject({
      type: "response",
      message: { id: 3, error: { code: -32600, data: { code: "INVALID_REQUEST" } } },
      fault: expect.stringContaining("no request") as string,
    });
  });
});

describe("updates that are recognised by the ones before", () => {
  const texts = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("", '","x":"', "\\", "\n", "\ud800"));
  const spaces = fc.constantFrom(undefined, 1);
  const fields = fc.constantFrom(
    {},
    { messageId: "m1" },
    { messageId: "m2" },
    { messageId: null },
    { _meta: { a: "text" } },
    { content: { text: "content first", type: "text" } },
    { content: { type: "text", text: "t", annotations: { text: "x" } } },
    { content: { type: "image", data: "text", mimeType: "text" } },
    { sessionUpdate: "agent_thought_chunk" },
    { sessionUpdate: "tool_call", toolCallId: "text" },
  );
  const sessions = fc.constantFrom("s", 's","text":"', "text");
  const message = fc
    .tuple(texts, sessions, fields, spaces)
    .map(([text, sessionId, more, space]) =>
      JSON.stringify(update(text, sessionId, more), undefined, space).replaceAll("\n", ""),
    );
  /** Few kinds, so that runs come about. */
  const run = fc
    .array(fc.tuple(texts, fc.constantFrom({}, { messageId: "m1" })), { maxLength: 6 })
    .map((chunks) => chunks.map(([text, more]) => JSON.stringify(update(text, "s", more))));
  const lines = fc
    .array(
      fc.oneof(
        message.map((line) => [line]),
        run,
      ),
      { maxLength: 8 },
    )
    .map((parts) => parts.flat());
  const read = (text: string) => JSON.parse(text) as { params: unknown };

  /** All that is asked of updates, one message after the other. */
  function understood(updates: readonly ArrivedUpdate[]) {
    expect(updates.map(({ sessionId }) => sessionId)).toEqual(
      updates.map((each) => [...paramsOf([each])][0]?.sessionId),
    );
    return {
      count: countOf(updates),
      params: [...paramsOf(updates)],
      messages: updates.flatMap((each) => textOfUpdate(each).split("\n")).map(read),
    };
  }

  it("are understood as if each were the first", () => {
    fc.assert(
      fc.property(lines, (stream) => {
        const lane = newLane();
        const updates = stream.map((text) => {
          const parsed = parse(text, lane);
          if (parsed.type !== "lane") throw new Error(`a ${parsed.type}`);
          return parsed.item;
        });
        const messages = stream.map(read);
        const params = messages.map((each) => each.params);
        expect(understood(updates)).toEqual({ count: stream.length, params, messages });
      }),
      { numRuns: 300 },
    );
  });

  it("are understood many at once, too, however the stream is cut", async () => {
    await fc.assert(
      fc.asyncProperty(lines, fc.integer({ min: 1, max: 400 }), async (stream, size) => {
        const updates: ArrivedUpdate[] = [];
        const peer = raw({ updates: (arrived) => void updates.push(...arrived) });
        const bytes = Buffer.from(stream.map((line) => `${line}\n`).join(""));
        for (let at = 0; at < bytes.length; at += size) peer.input.write(bytes.subarray(at, at + size));
        peer.input.end();
        await peer.connection.ended;
        const messages = stream.map(read);
        const params = messages.map((each) => each.params);
        expect(understood(updates)).toEqual({ count: stream.length, params, messages });
      }),
      { numRuns: 60 },
    );
  });

  it("are not taken for such when something else is there than their text", () => {
    const lane = newLane();
    const text = JSON.stringify(update("hello"));
    expect(parse(text, lane).type).toBe("lane");
    for (const wrong of ['hel"lo', "hel\\lo", "hel\u0001lo", 'hello","a":{"b":"c', "hello\\"]) {
      expect([
        wrong,
        parse(
          text.replace("hello", () => wrong),
          lane,
        ).type,
      ]).toEqual([wrong, "not-json"]);
    }
    const parsed = parse(text.replace("hello", 'hello","annotations":"b'), lane);
    expect(parsed).toMatchObject({ type: "lane", item: { type: "update" } });
  });
});
