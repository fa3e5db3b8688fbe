import { describe, expect, it } from "vitest";
import { SidecarError } from "../../src/base/errors.ts";
import type { RequestContext } from "../../src/rpc/endpoint.ts";
import { paramsOf, textOfUpdate, type ArrivedUpdate } from "../../src/acp/updates.ts";
import { countOf } from "../acp/count.ts";
import { gate, gone, messagesIn, raw, request, soon, until, update } from "./streams.ts";

describe("closing", () => {
  it("rejects what is pending, and whatever is asked later, with the reason", async () => {
    const peer = raw({});
    const pending = [peer.connection.request("one", {}), peer.connection.request("two", {})];
    const outcomes = Promise.allSettled(pending);
    peer.connection.close(gone);
    peer.connection.close(new SidecarError("INTERNAL", "another reason"));
    expect(await outcomes).toEqual(pending.map(() => ({ status: "rejected", reason: gone })));
    await expect(peer.connection.request("three", {})).rejects.toBe(gone);
    expect(peer.connection.isOpen).toBe(false);
    await peer.connection.notify("four", {});
    await peer.connection.ended;
  });

  it("does not mistake a peer's error for it", async () => {
    const peer = raw({});
    const asked = peer.connection.request("ask", {});
    peer.say({
      jsonrpc: "2.0",
      id: peer.heard()[0]?.["id"],
      error: { code: -32097, message: "the peer's own" },
    });
    await expect(asked).rejects.toMatchObject({ code: -32097, message: "the peer's own" });
  });

  it("lets go of whoever waits for a peer that does not read", async () => {
    const peer = raw({});
    let sent = false;
    const sending = peer.connection.notify("big", { text: "x".repeat(1 << 20) }).then(() => (sent = true));
    await soon();
    expect(sent).toBe(false);
    peer.connection.close(gone);
    await sending;
  });

  it("takes nothing more of what had come, also behind updates that are still being taken", async () => {
    const slow = gate();
    const asked: string[] = [];
    let begun = false;
    const peer = raw({
      request: async (method) => void asked.push(method),
      updates: async () => {
        begun = true;
        await slow.passed;
      },
    });
    peer.say(update("a"), request(1));
    await until(() => begun);
    peer.connection.close(gone);
    slow.open();
    await peer.connection.ended;
    expect(asked).toEqual([]);
  });

  it("is not needed at the peer's end of stream: what it said is taken first", async () => {
    const seen: string[] = [];
    const peer = raw({
      updates: async () => {
        await soon();
        seen.push("one");
      },
      notification: (method) => {
        seen.push(method);
      },
    });
    peer.say(update("one"));
    peer.input.end('{"jsonrpc":"2.0","method":"two, without a line end"}');
    await peer.connection.ended;
    expect(seen).toEqual(["one", "two, without a line end"]);
  });

  it("stops no answers when only the reading stops", async () => {
    const free = gate();
    const peer = raw({ request: async () => free.passed });
    peer.say(request(1));
    await until(() => peer.connection.received > 0);
    await soon();
    peer.connection.stopReading();
    free.open("late");
    await peer.connection.idle();
    expect(peer.heard()).toEqual([{ jsonrpc: "2.0", id: 1, result: "late" }]);
  });
});

describe("what is no message", () => {
  it("is reported in its place, and the next ones are read", async () => {
    const seen: unknown[] = [];
    const peer = raw(
      {
        invalid: ({ error, id }) => {
          seen.push([error.code, id]);
        },
        notification: (method) => {
          seen.push(method);
        },
      },
      100,
    );
    const note = (method: string) => ({ jsonrpc: "2.0", method });
    peer.say(note("a"), "{nonsense", note("b"), [1], note("c"), { id: "x" }, "x".repeat(200), note("d"));
    await until(() => seen.length === 8);
    expect(seen).toEqual([
      "a",
      ["PARSE_ERROR", null],
      "b",
      ["INVALID_REQUEST", null],
      "c",
      ["INVALID_REQUEST", null],
      ["MESSAGE_TOO_LARGE", null],
      "d",
    ]);
  });

  it("holds back what is behind it while it is being answered", async () => {
    const answered = gate();
    const seen: string[] = [];
    const peer = raw({
      invalid: async () => {
        seen.push("invalid");
        await answered.passed;
      },
      notification: (method) => {
        seen.push(method);
      },
    });
    peer.say("{", { jsonrpc: "2.0", method: "behind" });
    await soon();
    expect(seen).toEqual(["invalid"]);
    answered.open();
    await until(() => seen.length === 2);
  });
});

describe("a message that is too long", () => {
  const long = "x".repeat(300);

  it.each<[string, (id: unknown) => object]>([
    ["id first", (id) => ({ jsonrpc: "2.0", id, result: { long } })],
    ["id last", (id) => ({ jsonrpc: "2.0", result: { long, id: 8 }, id })],
    ["id in the middle", (id) => ({ _meta: { long }, id, result: { long } })],
    ["an error", (id) => ({ error: { message: long }, id, jsonrpc: "2.0" })],
    ["an id of another type", (id) => ({ result: { long }, id: String(id) })],
  ])("is an answer all the same: %s [REQ answer-once]", async (_what, answer) => {
    const errors: unknown[] = [];
    const peer = raw({ invalid: ({ error, id }) => void errors.push([error.code, id]) }, 200);
    const asked = peer.connection.request("ask", {});
    const [{ id } = {}] = peer.heard();
    peer.say(answer(id));
    await expect(asked).rejects.toMatchObject({ data: { code: "MESSAGE_TOO_LARGE" } });
    await until(() => errors.length === 1);
    expect(errors).toEqual([["MESSAGE_TOO_LARGE", null]]);
  });

  it.each<[string, object, unknown]>([
    ["id first", { jsonrpc: "2.0", id: -7, method: "m", params: { long } }, -7],
    ["method first", { jsonrpc: "2.0", method: "m", id: "", params: { long } }, ""],
    ["id last", { params: { long }, method: "m", id: 0 }, 0],
    ["a notification", { jsonrpc: "2.0", method: "m", params: { long, id: 8 } }, null],
    ["something else", [{ long, id: 1 }], null],
  ])("is a request under its id, if it has one: %s [REQ answer-once]", async (_what, message, expected) => {
    const ids: unknown[] = [];
    const peer = raw({ invalid: ({ id }) => void ids.push(id) }, 200);
    peer.say(message);
    await until(() => ids.length === 1);
    expect(ids).toEqual([expected]);
  });

  it("is missed in what the agent said, not without a word", async () => {
    const updates: ArrivedUpdate[] = [];
    const peer = raw({ updates: (more) => void updates.push(...more), invalid: () => undefined }, 300);
    const content = { type: "text", text: long };
    const said = { sessionUpdate: "agent_message_chunk", content, messageId: "m" };
    peer.say({ jsonrpc: "2.0", method: "session/update", params: { sessionId: "s", update: said } });
    await until(() => updates.length === 1);
    const [{ update } = {}] = paramsOf(updates);
    expect(update).toEqual({
      ...said,
      content: {
        type: "text",
        text: expect.stringMatching(/^\[.*longer than the limit of 300 bytes/) as unknown,
      },
    });
  });

  it("ends a tool call: the update is one that says so", async () => {
    const updates: ArrivedUpdate[] = [];
    const peer = raw({ updates: (more) => void updates.push(...more), invalid: () => undefined }, 400);
    const call = (sessionUpdate: string, more: object) => ({
      jsonrpc: "2.0",
      method: "session/update",
      params: {
        update: { rawOutput: { long, more: long }, sessionUpdate, toolCallId: "t", ...more },
        sessionId: "s",
      },
    });
    peer.say(
      call("tool_call", { title: "run" }),
      call("tool_call_update", { status: "completed" }),
      call("plan", {}),
    );
    peer.say(update("next"));
    await until(() => updates.length === 3);
    const content = [
      { type: "content", content: { type: "text", text: expect.stringContaining("400 bytes") as unknown } },
    ];
    const failed = { toolCallId: "t", status: "failed", content };
    expect([...paramsOf(updates.slice(0, 2))]).toEqual([
      { sessionId: "s", update: { sessionUpdate: "tool_call", title: "run", ...failed } },
      { sessionId: "s", update: { sessionUpdate: "tool_call_update", ...failed } },
    ]);
  });
});

describe("back-pressure", () => {
  it("stops the reading while a handler is behind", async () => {
    const free = gate();
    let taken = 0;
    const peer = raw({
      updates: async (updates) => {
        taken += countOf(updates);
        await free.passed;
      },
    });
    let written = 0;
    const line = `${JSON.stringify(update("x".repeat(1000)))}\n`;
    while (peer.input.write(line) && written < 10_000) written += 1;
    await soon();
    let more = 0;
    while (peer.input.write(line) && more < 10_000) more += 1;
    // A quarter of a megabyte, and what the stream itself takes beyond that.
    expect((written + more) * line.length).toBeLessThan(400 << 10);
    free.open();
    peer.input.end();
    await peer.connection.ended;
    expect(taken).toBe(written + more + 2);
  });
});

describe("a peer that asks and does not read", () => {
  const answer = { text: "x".repeat(40_000) };

  it("is asked to read first: its calls wait, in order, and none is lost", async () => {
    const taken: number[] = [];
    const peer = raw({
      request: async (_method, params) => {
        taken.push((params as { n: number }).n);
        return answer;
      },
      notification: (_method, params) => void taken.push((params as { n: number }).n),
    });
    const count = 4000;
    const call = (n: number) =>
      n % 5 === 0 ? { jsonrpc: "2.0", method: "note", params: { n } } : request(n, "ask", { n });
    for (let n = 0; n < count; n += 1) peer.say(call(n));
    await until(() => peer.connection.received > 0);
    for (let turns = 0; turns < 20; turns += 1) await soon();
    // 4 MiB of answers and what the streams hold.
    expect(taken.length).toBeLessThan(300);
    expect(peer.connection.stuckMs).toBe(0);
    let bytes = 0;
    peer.output.on("data", (chunk: Buffer) => (bytes += chunk.length));
    await until(() => taken.length === count);
    expect(taken).toEqual(taken.map((_, n) => n));
    await peer.connection.idle();
    await until(() => bytes > count * 0.8 * 40_000);
  });

  it("that goes away is asked nothing more", async () => {
    let taken = 0;
    const peer = raw({
      request: async () => {
        taken += 1;
        return answer;
      },
    });
    for (let n = 0; n < 500; n += 1) peer.say(request(n));
    peer.input.end();
    await peer.connection.ended;
    const before = taken;
    expect(before).toBeLessThan(300);
    peer.connection.close(gone);
    await soon();
    expect(taken).toBe(before);
  });
});

describe("what a peer has sent and nobody has taken yet", () => {
  const limit = 4096;
  const long = { text: "x".repeat(limit / 2) };
  const flood = Array.from({ length: 200 }, (_, n) => request(n, "ask", long));

  it("is bounded: the reading goes on when some of it is passed on or answered", async () => {
    const contexts: RequestContext[] = [];
    const free = gate();
    const peer = raw(
      {
        request: (_method, _params, context) => {
          contexts.push(context);
          return free.passed;
        },
      },
      limit,
    );
    peer.say(...flood);
    await until(() => contexts.length === 2);
    await soon();
    // The last one is what exceeds the limit.
    expect(contexts).toHaveLength(2);
    expect(peer.connection.stuckMs).toBeGreaterThan(0);
    contexts[0]?.passedOn();
    contexts[0]?.passedOn();
    await until(() => contexts.length === 3);
    await soon();
    expect(contexts).toHaveLength(3);
    free.open();
    await until(() => contexts.length === flood.length);
    await peer.connection.idle();
    expect(peer.connection.stuckMs).toBe(0);
  });

  it("is bounded for notifications, too, which else wait for one another no more than they must", async () => {
    const free = gate();
    const seen: string[] = [];
    const peer = raw(
      {
        notification: (method) => {
          seen.push(method);
          return free.passed.then(() => undefined);
        },
      },
      limit,
    );
    const note = (method: string, params: object) => ({ jsonrpc: "2.0", method, params });
    peer.say(note("a", {}), note("b", long), note("c", long), note("d", {}));
    await until(() => seen.length === 3);
    await soon();
    expect(seen).toEqual(["a", "b", "c"]);
    free.open();
    await until(() => seen.length === 4);
  });

  it("is refused when it is more requests than anybody asks at once", async () => {
    const peer = raw({ request: () => new Promise(() => undefined) });
    const ids = Array.from({ length: 10_002 }, (_, n) => n);
    peer.say(...ids.map((id) => request(id)));
    await until(() => peer.output.readableLength > 0);
    expect(peer.heard()[0]).toMatchObject({ id: 10_000, error: { data: { code: "REQUEST_LIMIT" } } });
    peer.connection.close(gone);
  });
});

describe("header framing", () => {
  it("is answered in kind, line breaks inside a message included", async () => {
    const seen: string[] = [];
    const peer = raw({
      request: async () => ({ ok: true }),
      updates: (updates) => {
        seen.push(...updates.flatMap((each) => textOfUpdate(each).split("\n")));
      },
    });
    const say = (value: unknown) => {
      const text = JSON.stringify(value, undefined, 2);
      peer.input.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
    };
    say(request(1));
    say(update("hello"));
    await until(() => seen.length === 1);
    await peer.connection.idle();
    expect(String(peer.output.read())).toBe(
      'Content-Length: 43\r\n\r\n{"jsonrpc":"2.0","id":1,"result":{"ok":true}}'.replace("43", "45"),
    );
    // Where the other side has lines, a message's text must be one.
    expect(seen.map((text) => messagesIn(text))).toEqual([[update("hello")]]);
  });
});
