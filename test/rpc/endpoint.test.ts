import { describe, expect, it } from "vitest";
import { SidecarError } from "../../src/base/errors.ts";
import { RpcError } from "../../src/rpc/errors.ts";
import type { RequestContext } from "../../src/rpc/endpoint.ts";
import type { RequestId } from "../../src/rpc/messages.ts";
import { paramsOf } from "../../src/acp/updates.ts";
import { gate, gone, linked, raw, request, soon, until, update } from "./streams.ts";

describe("a request", () => {
  it("brings the peer's result or its error as it is", async () => {
    const error = new RpcError(-32000, "log in", { methods: ["a"] });
    const { left } = linked(
      {},
      {
        request: async (method, params) => {
          if (method === "fail") throw error;
          return { method, params };
        },
      },
    );
    expect(await left.request("ask", { a: [1] })).toEqual({ method: "ask", params: { a: [1] } });
    expect(await left.request("ask", [1, "two"])).toEqual({ method: "ask", params: [1, "two"] });
    expect(await left.request("ask", undefined)).toEqual({ method: "ask" });
    await expect(left.request("fail", {})).rejects.toMatchObject({
      code: -32000,
      message: "log in",
      data: { methods: ["a"] },
    });
  });

  it("is answered under its own id, 0 and the empty one included, numbers apart from strings", async () => {
    const peer = raw({ request: async (_method, params) => params ?? null });
    for (const id of [0, "", 1, "1", -7, "ü"]) peer.say(request(id, "echo", { id }));
    await until(() => peer.output.readableLength > 0 && peer.connection.received > 0);
    await peer.connection.idle();
    const answers = peer.heard();
    while (answers.length < 6) answers.push(...(await soon(), peer.heard()));
    expect(answers).toEqual([0, "", 1, "1", -7, "ü"].map((id) => ({ jsonrpc: "2.0", id, result: { id } })));
  });

  it("that reuses the id of an open one leaves nobody waiting", async () => {
    const contexts: RequestContext[] = [];
    const free = gate();
    const peer = raw({
      request: async (_method, _params, context) => {
        contexts.push(context);
        return free.passed;
      },
    });
    peer.say(request(1), request(1));
    await until(() => contexts.length === 2);
    free.open();
    await Promise.all(contexts.map(({ answered }) => answered));
    await peer.connection.idle();
  });

  it("that fails unexpectedly is answered without a word of the failure", async () => {
    const peer = raw({
      request: async () => {
        throw new Error("the text of a prompt");
      },
    });
    peer.say(request(5));
    await until(() => peer.output.readableLength > 0);
    const [answer] = peer.heard();
    expect(answer).toMatchObject({ id: 5, error: { code: -32603, data: { code: "INTERNAL" } } });
    expect(JSON.stringify(answer)).not.toContain("prompt");
  });

  it("with a code of ours is answered with number, code and data", async () => {
    const peer = raw({
      request: async () => {
        throw new SidecarError("SESSION_NOT_FOUND", "No session x", { data: { sessionId: "x" } });
      },
    });
    peer.say(request(""));
    await until(() => peer.output.readableLength > 0);
    expect(peer.heard()).toEqual([
      {
        jsonrpc: "2.0",
        id: "",
        error: { code: -32002, message: "No session x", data: { code: "SESSION_NOT_FOUND", sessionId: "x" } },
      },
    ]);
  });
});

describe("what can be read but is nested too deeply to be written", () => {
  const deep = JSON.parse("[".repeat(100_000) + "]".repeat(100_000)) as unknown;

  it("is refused by a code of ours, on the way there and on the way back; a notification is dropped [REQ answer-once, errors-coded]", async () => {
    const peer = raw({ request: async () => ({ deep }) });
    await expect(peer.connection.request("ask", { deep })).rejects.toMatchObject({ code: "INVALID_REQUEST" });
    await peer.connection.notify("note", { deep });
    peer.say(request(7));
    await until(() => peer.output.readableLength > 0);
    expect(peer.heard()).toMatchObject([
      { id: 7, error: { code: -32600, data: { code: "INVALID_REQUEST" } } },
    ]);
    await peer.connection.idle();
  });

  it("leaves nothing behind that would fail when the connection ends", async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown) => unhandled.push(error);
    process.on("unhandledRejection", note);
    const { connection } = raw({});
    await connection.request("ask", { deep }).catch(() => undefined);
    connection.close(new SidecarError("AGENT_EXITED", "gone"));
    await soon();
    process.off("unhandledRejection", note);
    expect(unhandled).toEqual([]);
  });
});

describe("the order of messages", () => {
  it("is kept: a handler sees nothing before the handler of the message before has let go", async () => {
    const seen: string[] = [];
    const first = gate();
    const peer = raw({
      request: async (method) => {
        seen.push(method);
        return null;
      },
      notification: (method) => {
        seen.push(method);
      },
      updates: async (updates) => {
        seen.push(
          [...paramsOf(updates)].map(({ update }) => (update["content"] as { text: string }).text).join("+"),
        );
        if (seen.length === 1) await first.passed;
      },
    });
    peer.say(update("1"), update("2"), { jsonrpc: "2.0", method: "next" }, request(1, "ask"), update("3"));
    await soon();
    expect(seen).toEqual(["1+2"]);
    first.open();
    await until(() => seen.length === 4);
    expect(seen).toEqual(["1+2", "next", "ask", "3"]);
  });

  it("holds between an answer and what comes behind it", async () => {
    const seen: string[] = [];
    const peer = raw({
      notification: (method) => {
        seen.push(method);
      },
    });
    const answered = peer.connection.request("ask", {}).then(async () => {
      // Whoever waits for an answer has a few steps before the next message is handed over.
      for (let n = 0; n < 20; n += 1) await Promise.resolve();
      seen.push("answer");
    });
    const [{ id } = {}] = peer.heard();
    peer.say({ jsonrpc: "2.0", id, result: 1 }, { jsonrpc: "2.0", method: "behind" });
    await answered;
    await until(() => seen.length === 2);
    expect(seen).toEqual(["answer", "behind"]);
  });

  it("holds for what is sent, too", async () => {
    const peer = raw({});
    void peer.connection.notify("one", {});
    void peer.connection.sendTexts(['{"method":"two"}', '{"method":"three"}']);
    const asked = peer.connection.request("four", {});
    void peer.connection.notify("five", { a: null });
    const heard = peer.heard();
    expect(heard.map(({ method }) => method)).toEqual(["one", "two", "three", "four", "five"]);
    peer.say({ jsonrpc: "2.0", id: heard[3]?.["id"], result: {} });
    await asked;
  });

  it("is no matter for notifications that nobody knows: $/progress passes like any other", async () => {
    const seen: unknown[] = [];
    const peer = raw({
      notification: (method, params) => {
        seen.push([method, params]);
      },
    });
    const params = { token: "t", value: { percentage: 5 } };
    peer.say({ jsonrpc: "2.0", method: "$/progress", params }, { jsonrpc: "2.0", method: "exit" });
    await until(() => seen.length === 2);
    expect(seen).toEqual([
      ["$/progress", params],
      ["exit", undefined],
    ]);
  });
});

describe("cancellation", () => {
  it("of a request of ours reaches the peer under the id that it has it by", async () => {
    const cancelled: string[] = [];
    const { left } = linked(
      {},
      {
        request: (method, _params, { signal }) =>
          new Promise((resolve) => {
            signal.addEventListener("abort", () => {
              cancelled.push(method);
              resolve(method);
            });
          }),
      },
    );
    const [one, two] = [new AbortController(), new AbortController()];
    const ids: RequestId[] = [];
    const onSent = (id: RequestId) => ids.push(id);
    const first = left.request("first", {}, { signal: one.signal, onSent });
    const second = left.request("second", {}, { signal: two.signal, onSent });
    expect(new Set(ids).size).toBe(2);
    two.abort();
    expect(await second).toBe("second");
    expect(cancelled).toEqual(["second"]);
    one.abort();
    expect(await first).toBe("first");
  });

  it("before a request is sent reaches the peer right behind it", async () => {
    const peer = raw({});
    const asked = peer.connection.request("ask", {}, { signal: AbortSignal.abort() });
    await until(() => peer.output.readableLength > 0);
    const heard = [...peer.heard()];
    while (heard.length < 2) heard.push(...(await soon(), peer.heard()));
    const id = heard[0]?.["id"];
    expect(heard[1]).toEqual({ jsonrpc: "2.0", method: "$/cancel_request", params: { requestId: id } });
    peer.say({ jsonrpc: "2.0", id, error: { code: -32800, message: "cancelled" } });
    await expect(asked).rejects.toMatchObject({ code: -32800 });
  });

  it("by the peer cancels the request of that id and no other, and still wants an answer", async () => {
    const cancelled: RequestId[] = [];
    const free = gate();
    const peer = raw({
      request: async (_method, _params, { id, signal }) => {
        signal.addEventListener("abort", () => cancelled.push(id));
        await free.passed;
        return signal.aborted;
      },
    });
    peer.say(request(0), request("0"));
    const cancel = (requestId: unknown) => ({
      jsonrpc: "2.0",
      method: "$/cancel_request",
      params: { requestId },
    });
    peer.say(cancel("0"), cancel("unknown"), cancel(null), { jsonrpc: "2.0", method: "$/cancel_request" });
    await until(() => cancelled.length > 0);
    await soon();
    expect(cancelled).toEqual(["0"]);
    free.open();
    await peer.connection.idle();
    expect(peer.heard().map(({ id, result }) => [id, result])).toEqual([
      [0, false],
      ["0", true],
    ]);
  });

  it("is told by the code for it to whoever only gives up for it", async () => {
    let reason: unknown;
    const peer = raw({
      request: async (_method, _params, { signal }) => {
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        reason = signal.reason;
        signal.throwIfAborted();
      },
    });
    peer.say(request(0), { jsonrpc: "2.0", method: "$/cancel_request", params: { requestId: 0 } });
    await until(() => reason !== undefined);
    await peer.connection.idle();
    expect(peer.heard()[0]).toMatchObject({ id: 0, error: { code: -32800 } });
  });

  it("comes to a request whose peer has gone", async () => {
    let signal: AbortSignal | undefined;
    const peer = raw({
      request: (_method, _params, context) => {
        ({ signal } = context);
        return new Promise(() => undefined);
      },
    });
    peer.say(request(1));
    await until(() => signal !== undefined);
    peer.connection.close(gone);
    expect(signal?.aborted).toBe(true);
  });
});
