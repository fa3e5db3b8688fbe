/** Both framings, whatever the chunks: newline-delimited JSON, and headers for LSP-style harnesses. */
import { setImmediate as tick } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { useHarness } from "./harness/harness.ts";
import { initializeParams, RawClient } from "./harness/raw-client.ts";
import { frame, isResponseTo, textOf } from "./harness/wire.ts";

const harness = useHarness();
const cwd = harness.project();

const startWithHeaders = () => new RawClient(harness.sidecar({ framing: "headers" }), "headers");

const initialize = (id: number) => ({ jsonrpc: "2.0", id, method: "initialize", params: initializeParams });

describe("header framing", () => {
  it("is used both ways once a header comes first [REQ framing-headers]", async () => {
    const client = startWithHeaders();
    await client.initialize();
    const sessionId = await client.newSession(cwd);
    await client.prompt(sessionId, "stream 100\nпривет 😀");
    expect(textOf(client.program.out.updates(sessionId))).toMatch(/\[100\]echo: привет 😀$/);
    expect(client.program.out.rest).toBe("");
    expect((await harness.stop(client.program)).status).toBe(0);
  });

  it("takes any chunks, several messages at once, other headers and any case [REQ framing-headers]", async () => {
    const client = startWithHeaders();
    const bytes = Buffer.from(frame(initialize(1), "headers"));
    for (const byte of bytes) {
      client.send(Buffer.of(byte));
      await tick();
    }
    await client.program.out.waitFor("answer", isResponseTo(1));
    const [first, second] = [2, 3].map((id) => {
      const params = { note: "größer", id };
      return JSON.stringify({ jsonrpc: "2.0", id, method: "_fixture/echo", params });
    });
    const type = "Content-Type: application/vscode-jsonrpc; charset=utf-8\r\n";
    client.send(
      `content-length:${Buffer.byteLength(first ?? "")}\r\n${type}\r\n${first}` +
        `${type}CONTENT-LENGTH: ${Buffer.byteLength(second ?? "")}\r\n\r\n${second}`,
    );
    for (const id of [2, 3]) {
      const { result } = await client.program.out.waitFor("answer", isResponseTo(id));
      expect(result).toMatchObject({ params: { note: "größer", id } });
    }
  });

  it("answers bad bodies and goes on [REQ framing-headers, bad-json, bad-envelope]", async () => {
    const client = startWithHeaders();
    await client.initialize();
    const bad = await client.exchange("Content-Length: 8\r\n\r\nnot json");
    expect(bad).toMatchObject({ id: null, error: { code: -32700 } });
    const batch = await client.exchange("Content-Length: 2\r\n\r\n[]");
    expect(batch).toMatchObject({ id: null, error: { code: -32600 } });
    await client.newSession(cwd);
  });
});

describe("newline framing", () => {
  it("takes any chunks, several messages at once and CRLF [REQ framing-lines]", async () => {
    const client = new RawClient(harness.sidecar());
    const lines = `${frame(initialize(1), "lines").trimEnd()}\r\n`;
    for (const byte of Buffer.from(lines)) {
      client.send(Buffer.of(byte));
      await tick();
    }
    await client.program.out.waitFor("answer", isResponseTo(1));
    const ids = Array.from({ length: 50 }, (_, n) => n + 2);
    const requests = ids.map((id) => ({ jsonrpc: "2.0", id, method: "_fixture/echo", params: { id } }));
    client.send(requests.map((request) => frame(request, "lines")).join(""));
    for (const id of ids) await client.program.out.waitFor("answer", isResponseTo(id));
  });

  it("keeps characters whole that a chunk cuts in two [REQ framing-lines]", async () => {
    const client = await harness.connectRaw();
    const request = { jsonrpc: "2.0", id: "cut", method: "_fixture/echo", params: { text: "é😀" } };
    const bytes = Buffer.from(frame(request, "lines"));
    const from = bytes.indexOf(Buffer.from("é"));
    for (const [start, end] of [
      [0, from + 1],
      [from + 1, from + 4],
      [from + 4, bytes.length],
    ] as const) {
      client.send(bytes.subarray(start, end));
      await tick();
    }
    const { result } = await client.program.out.waitFor("answer", isResponseTo("cut"));
    expect(result).toMatchObject({ params: { text: "é😀" } });
  });

  it("takes the last line without its newline when stdin ends, or leaves it [REQ framing-lines]", async () => {
    const client = await harness.connectRaw();
    client.send('{"jsonrpc":"2.0","id":1,"method":"session/li');
    expect((await harness.stop(client.program)).status).toBe(0);
  });
});
