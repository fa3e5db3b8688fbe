import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { runSidecar } from "../src/sidecar.ts";
import { openMemoryStore } from "../src/store/memory/memory.ts";

describe("the sidecar in a program", () => {
  it("takes a store that is open, and a part of a configuration; the store stays open", async () => {
    const store = openMemoryStore();
    const [input, output] = [new PassThrough(), new PassThrough()];
    const lines = createInterface(output)[Symbol.asyncIterator]();
    const running = runSidecar({ store, logLevel: "silent", maxSessions: 1 }, { input, output });
    const ask = async (id: number, method: string, params: object): Promise<unknown> => {
      input.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
      for (;;) {
        const { value } = (await lines.next()) as { value: string };
        const message = JSON.parse(value) as { id?: number };
        if (message.id === id) return message;
      }
    };
    await ask(1, "initialize", { protocolVersion: 1, clientCapabilities: {} });
    const made = { result: { sessionId: expect.any(String) as string } };
    expect(await ask(2, "session/new", { cwd: "/work", mcpServers: [] })).toMatchObject(made);
    const refused = { error: { data: { code: "SESSION_LIMIT", maxSessions: 1 } } };
    expect(await ask(3, "session/new", { cwd: "/work", mcpServers: [] })).toMatchObject(refused);
    input.end();
    await running;
    expect((await store.list()).items).toMatchObject([{ cwd: "/work" }]);
  });

  it.each([
    ["config", undefined, {}],
    ["config.store", { store: 7 }, {}],
    ["io", {}, { input: undefined }],
    ["io.output", {}, { output: null }],
    ["io.errors", {}, { errors: "stderr" }],
  ])("tells callers without types that %s is wrong, before it opens anything", async (at, config, wrong) => {
    const io = at === "io" ? undefined : { input: new PassThrough(), output: new PassThrough(), ...wrong };
    await expect(runSidecar(config as never, io as never)).rejects.toMatchObject({
      code: "INVALID_PARAMS",
      data: { at },
    });
  });
});
