/** The table of bad input: each row has its answer, and the connection goes on. */
import { writeFileSync } from "node:fs";
import { once } from "node:events";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { loadEngine } from "../../src/sqlite/engines.ts";
import { useHarness } from "./harness/harness.ts";
import { RawClient } from "./harness/raw-client.ts";
import { textOf, type Fields, type Message } from "./harness/wire.ts";

const harness = useHarness();
const cwd = harness.project();
const unknownId = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

let client: RawClient;
let sessionId = "";
beforeAll(async () => {
  client = await harness.connectRaw();
  sessionId = await client.newSession(cwd);
});

/** Whatever was sent: the sidecar lives, and its next answer is right. */
afterEach(async () => {
  const { sessions } = await client.request("session/list", {});
  expect(sessions).toHaveLength(1);
});

function expectRefusal({ error }: Message, code: number, dataCode: string): void {
  expect(error).toMatchObject({ code, data: { code: dataCode } });
  expect(error?.message).toMatch(/^\S.{10,}/);
}

describe("what is not JSON", () => {
  it.each(["not json", '{"jsonrpc":"2.0",', "{]", "Content-Type: text", '{"a":1}}', "\u0000"])(
    "%j is answered -32700 with id null [REQ bad-json, errors-coded]",
    async (line) => {
      const answer = await client.exchange(`${line}\n`);
      expect(answer.id).toBeNull();
      expectRefusal(answer, -32700, "PARSE_ERROR");
    },
  );

  it("bytes that are no UTF-8 do not end the connection [REQ bad-json]", async () => {
    const bytes = Buffer.concat([
      Buffer.from('{"jsonrpc":"2.0","id":"u","method":"\xff\xfe', "latin1"),
      Buffer.from('"}\n'),
    ]);
    const answer = await client.exchange(bytes);
    expect(answer.error?.code).toBeLessThan(0);
  });

  it("empty lines are nothing [REQ bad-nothing]", async () => {
    const from = client.program.out.length;
    client.send("\n\r\n   \n");
    await client.request("session/list", {});
    expect(client.program.out.messages(from)).toHaveLength(1);
  });
});

describe("what is no request", () => {
  it.each([
    "42",
    '"text"',
    "null",
    "true",
    "[]",
    '[{"jsonrpc":"2.0","id":1,"method":"session/list","params":{}}]',
    "{}",
    '{"jsonrpc":"2.0"}',
    '{"id":1,"method":"session/list","params":{}}',
    '{"jsonrpc":"1.0","id":1,"method":"session/list","params":{}}',
    '{"jsonrpc":"2.0","id":1,"method":7}',
    '{"jsonrpc":"2.0","id":{},"method":"session/list","params":{}}',
    '{"jsonrpc":"2.0","id":1,"method":"session/list","params":"text"}',
  ])("%s is answered -32600 [REQ bad-envelope, errors-coded]", async (line) => {
    const answer = await client.exchange(`${line}\n`);
    expect([null, 1]).toContain(answer.id);
    expectRefusal(answer, -32600, "INVALID_REQUEST");
  });

  it("an answer to nothing, and an unknown notification, are nothing [REQ bad-nothing]", async () => {
    const from = client.program.out.length;
    client.send({ jsonrpc: "2.0", id: 4711, result: {} });
    client.send({ jsonrpc: "2.0", id: "x", error: { code: 1, message: "none" } });
    client.notify("nobody/knows", { a: 1 });
    await client.request("session/list", {});
    expect(client.program.out.messages(from)).toHaveLength(1);
  });
});

describe("a line that is too long", () => {
  it("is answered -32600 that names the limit, and skipped [REQ bad-too-long]", async () => {
    const small = await harness.connectRaw({ args: ["--max-message-bytes", "64KiB"] });
    const long = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "x", params: { a: "y".repeat(200_000) } });
    const from = small.program.out.length;
    const answer = await small.exchange(`${long}\n`);
    expectRefusal(answer, -32600, "MESSAGE_TOO_LARGE");
    expect(answer.id).toBe(1);
    expect(answer.error?.message).toMatch(/64 ?KiB|65536|65,536/);
    await small.newSession(cwd);
    expect(small.program.out.messages(from)).toHaveLength(2);
  });

  it("is not held while it comes [REQ bad-too-long]", async () => {
    const small = await harness.connectRaw({ args: ["--max-message-bytes", "1MiB"] });
    const { stdin } = small.program.child;
    const from = small.program.out.length;
    const part = Buffer.alloc(1 << 20, "y");
    for (let n = 0; n < 150; n += 1) if (!stdin.write(part)) await once(stdin, "drain");
    await small.exchange("\n", ({ error }) => error?.data?.["code"] === "MESSAGE_TOO_LARGE", { from });
    await small.newSession(cwd);
    expect(small.program.out.messages(from)).toHaveLength(2);
    expect(small.program.peakMemoryBytes()).toBeLessThan(200 * 2 ** 20);
  });
});

describe("before initialize", () => {
  it.each(["session/new", "session/list", "session/prompt", "_unknown/method"])(
    "%s is answered -32600 that says so [REQ bad-uninitialized]",
    async (method) => {
      const early = new RawClient(harness.sidecar());
      const answer = await early.ask(method, { cwd, mcpServers: [] });
      expectRefusal(answer, -32600, "NOT_INITIALIZED");
      expect(answer.error?.message).toContain("initialize");
      await early.initialize();
      await early.newSession(cwd);
    },
  );
});

describe("invalid params", () => {
  const text = [{ type: "text", text: "hi" }];
  it.each<[string, Fields | undefined, string]>([
    ["session/new", undefined, ""],
    ["session/new", { mcpServers: [] }, "cwd"],
    ["session/new", { cwd: 5, mcpServers: [] }, "cwd"],
    ["session/prompt", { prompt: text }, "sessionId"],
    ["session/prompt", { sessionId: 5, prompt: text }, "sessionId"],
    ["session/prompt", { sessionId: "$live", prompt: "hi" }, "prompt"],
    ["session/prompt", { sessionId: "$live" }, "prompt"],
    ["session/prompt", { sessionId: "$live", prompt: [{ type: "text", text: { a: 1 } }] }, "prompt"],
    ["session/prompt", { sessionId: "$live", prompt: [{ type: "resource" }] }, "prompt"],
    ["session/load", { cwd: "/", mcpServers: [] }, "sessionId"],
    ["session/load", { sessionId: "$live", mcpServers: [] }, "cwd"],
    ["session/resume", { sessionId: "$live" }, "cwd"],
    ["session/list", { cursor: 5 }, "cursor"],
    ["session/list", { cwd: [] }, "cwd"],
    ["session/close", {}, "sessionId"],
    ["session/delete", {}, "sessionId"],
    ["session/fork", { cwd: "/" }, "sessionId"],
    [
      "session/fork",
      { sessionId: "$live", cwd: "/", _meta: { "acp-sidecar": 5 } },
      '["_meta","acp-sidecar"]',
    ],
    ["session/set_mode", { sessionId: "$live" }, "modeId"],
    ["session/set_config_option", { sessionId: "$live", value: "large" }, "configId"],
  ])(
    "%s %j is answered -32602 with its issues [REQ bad-params, errors-coded]",
    async (method, params, path) => {
      const filled = params?.["sessionId"] === "$live" ? { ...params, sessionId } : params;
      const answer = await client.ask(method, filled);
      expectRefusal(answer, -32602, "INVALID_PARAMS");
      const issues = answer.error?.data?.["issues"] as { path: unknown; message: string }[];
      // A person must learn what would be right.
      expect(answer.error?.message).not.toMatch(/: Invalid input$/);
      expect(issues[0]?.message).toMatch(/\S/);
      expect(JSON.stringify(issues.map((issue) => issue.path))).toContain(path);
    },
  );

  it.each(["session/new", "session/load", "session/resume", "session/fork"])(
    "a cwd that is not absolute is answered -32602 by %s [REQ bad-cwd]",
    async (method) => {
      const answer = await client.ask(method, { sessionId, cwd: "relative/path", mcpServers: [] });
      expect(answer.error).toMatchObject({ code: -32602 });
      expect(answer.error?.message).toMatch(/absolute/);
    },
  );
});

describe("an unknown session", () => {
  const params: Record<string, Fields> = {
    "session/prompt": { prompt: [{ type: "text", text: "hi" }] },
    "session/load": { cwd, mcpServers: [] },
    "session/resume": { cwd, mcpServers: [] },
    "session/fork": { cwd, mcpServers: [] },
    "session/set_mode": { modeId: "code" },
    "session/set_config_option": { configId: "model", value: "large" },
  };
  const rows = Object.keys(params).flatMap((method) =>
    [unknownId, "not one of ours", ""].map((id) => [method, id] as const),
  );

  it.each(rows)("%s of %j is answered -32002 with the id [REQ bad-session]", async (method, id) => {
    const answer = await client.ask(method, { ...params[method], sessionId: id });
    expectRefusal(answer, -32002, "SESSION_NOT_FOUND");
    expect(answer.error?.data?.["sessionId"]).toBe(id);
  });
});

describe("a store that fails", () => {
  async function lockedStore() {
    const file = harness.path("locked.db");
    // The sidecar may make it later than this.
    writeFileSync(file, "");
    const by = await harness.connectRaw({ store: `sqlite:${file}` });
    // It opens it ahead of that, and may just now be at that: whoever locks it waits.
    const other = (await loadEngine()).open(file, 5000);
    const release = () => {
      other.exec("ROLLBACK");
      other.close();
    };
    return { by, lock: () => other.exec("BEGIN IMMEDIATE"), release };
  }

  it("is an error with its code, and work goes on when it is back [REQ bad-store, durable-store-fault]", async () => {
    const { by, lock, release } = await lockedStore();
    lock();
    const answer = await by.ask("session/new", { cwd, mcpServers: [] });
    expect(answer.error?.data?.["code"]).toBe("STORE_LOCKED");
    release();
    const live = await by.newSession(cwd);
    await by.prompt(live, "hello");
  });

  it("in a turn ends the turn, and nothing was forwarded that is not kept [REQ bad-store, durable-store-fault]", async () => {
    const { by, lock, release } = await lockedStore();
    const live = await by.newSession(cwd);
    const prompt = [{ type: "text", text: "cancel-deaf 4000" }];
    const turn = by.ask("session/prompt", { sessionId: live, prompt });
    await by.program.out.waitFor("update", ({ method }) => method === "session/update");
    lock();
    expect((await turn).error?.data?.["code"]).toBe("STORE_LOCKED");
    release();
    const seen = textOf(by.program.out.updates(live));
    await by.request("session/load", { sessionId: live, cwd, mcpServers: [] });
    await by.prompt(live, "goes on");
    const from = by.program.out.length;
    await by.request("session/load", { sessionId: live, cwd, mcpServers: [] });
    const kept = textOf(by.program.out.updates(live, from));
    expect(kept.startsWith(seen)).toBe(true);
    expect(kept).toContain("echo: goes on");
  });
});
