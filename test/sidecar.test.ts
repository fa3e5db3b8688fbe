import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { runSidecar } from "../src/sidecar.ts";
import type { SessionNews } from "../src/session/events.ts";
import { openMemoryStore } from "../src/store/memory/memory.ts";

interface Answer {
  readonly id?: number;
  readonly result: { readonly sessionId?: string };
}

/** Asks the sidecar, and reads up to the answer. */
function clientOf(input: PassThrough, output: PassThrough) {
  const lines = createInterface(output)[Symbol.asyncIterator]();
  return async (id: number, method: string, params: object): Promise<Answer> => {
    input.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
    for (;;) {
      const { value } = (await lines.next()) as { value: string };
      const message = JSON.parse(value) as Answer;
      if (message.id === id) return message;
    }
  };
}

describe("the sidecar in a program", () => {
  it("takes a store that is open, and a part of a configuration; the store stays open", async () => {
    const store = openMemoryStore();
    const [input, output] = [new PassThrough(), new PassThrough()];
    const ask = clientOf(input, output);
    const running = runSidecar({ store, logLevel: "silent", maxSessions: 1 }, { input, output });
    await ask(1, "initialize", { protocolVersion: 1, clientCapabilities: {} });
    const made = { result: { sessionId: expect.any(String) as string } };
    expect(await ask(2, "session/new", { cwd: "/project", mcpServers: [] })).toMatchObject(made);
    const refused = { error: { data: { code: "SESSION_LIMIT", maxSessions: 1 } } };
    expect(await ask(3, "session/new", { cwd: "/project", mcpServers: [] })).toMatchObject(refused);
    input.end();
    await running;
    expect((await store.list()).items).toMatchObject([{ cwd: "/project" }]);
  });

  it("tells who follows of all that a turn writes, and goes on whatever the follower does", async () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const ask = clientOf(input, output);
    const told: string[] = [];
    const follow = ({ type }: SessionNews) => {
      told.push(type);
      throw new Error("a defect of the follower");
    };
    const store = openMemoryStore();
    const running = runSidecar({ store, logLevel: "silent" }, { input, output, follow });
    await ask(1, "initialize", { protocolVersion: 1, clientCapabilities: {} });
    const { sessionId } = (await ask(2, "session/new", { cwd: "/project", mcpServers: [] })).result;
    await ask(3, "session/prompt", { sessionId, prompt: [{ type: "text", text: "one two" }] });
    await expect.poll(() => told).toContain("turnEnd");
    expect(new Set(told)).toEqual(new Set(["create", "update", "append", "seal", "turnEnd"]));
    input.end();
    await running;
  });

  it.each([
    ["config", undefined, {}],
    ["config.store", { store: 7 }, {}],
    ["config.store", { store: {} }, {}],
    ["config.durability", { durability: "often" }, {}],
    ["config.idleTimeoutMs", { idleTimeoutMs: "1h" }, {}],
    ["config.agentRestart.attempts", { agentRestart: { attempts: "3" } }, {}],
    ["config.logFile", { logFile: 7 }, {}],
    ["config.agent", { agent: "opencode acp" }, {}],
    ["io", {}, { input: undefined }],
    ["io.output", {}, { output: null }],
    ["io.errors", {}, { errors: "stderr" }],
    ["io.follow", {}, { follow: "all" }],
  ])("tells callers without types that %s is wrong, before it opens anything", async (at, config, wrong) => {
    const io = at === "io" ? undefined : { input: new PassThrough(), output: new PassThrough(), ...wrong };
    await expect(runSidecar(config as never, io as never)).rejects.toMatchObject({
      code: "INVALID_PARAMS",
      data: { at },
    });
  });
});
