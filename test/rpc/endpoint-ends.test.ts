import { describe, expect, it } from "vitest";
import { SidecarError } from "../../src/base/errors.ts";
import type { RequestContext } from "../../src/rpc/endpoint.ts";
import { countOf, textOfUpdate } from "../../src/acp/updates.ts";
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
    expect(written + more).toBeLessThan(100);
    free.open();
    peer.input.end();
    await peer.connection.ended;
    expect(taken).toBe(written + more + 2);
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
