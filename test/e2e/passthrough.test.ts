/** What the sidecar does not know travels through it unchanged, both ways. */
import { beforeAll, describe, expect, it } from "vitest";
import { useHarness } from "./harness/harness.ts";
import type { RawClient } from "./harness/raw-client.ts";
import type { Fields, Message } from "./harness/wire.ts";

const harness = useHarness();
const cwd = harness.project();

/** Values that careless code changes: escapes, lone surrogates, odd keys, deep and empty things. */
const oddJson =
  String.raw`{"text":"\ud800 \u0000 \u2028 é 😀 \/","__proto__":{"polluted":true},"constructor":[],
"empty":{},"null":null,"zero":0,"minus":-0.5,"exp":1e21,"deep":[[[[{"a":[]}]]]],"":"empty key"}`.replace(
    "\n",
    "",
  );

let client: RawClient;
let sessionId = "";
beforeAll(async () => {
  client = await harness.connectRaw();
  sessionId = await client.newSession(cwd);
});

const agentMessages = (): readonly Message[] => client.program.agents()[0]?.messages ?? [];
const lastAtAgent = (method: string) => agentMessages().findLast((message) => message.method === method);

describe("from client to agent", () => {
  it("an unknown request and its answer [REQ pass-method, translate-session-id, pass-fields]", async () => {
    const odd = JSON.parse(oddJson) as Fields;
    const line = `{"jsonrpc":"2.0","id":"odd","method":"_fixture/echo","params":{"sessionId":"${sessionId}","odd":${oddJson}}}\n`;
    const answer = await client.exchange(line, ({ id }) => id === "odd");
    const atAgent = lastAtAgent("_fixture/echo");
    expect(atAgent?.params?.["odd"]).toEqual(odd);
    expect(JSON.stringify(atAgent?.params?.["odd"])).toBe(JSON.stringify(odd));
    expect(atAgent?.params?.["sessionId"]).not.toBe(sessionId);
    const { params } = answer.result as { params: Fields };
    expect(JSON.stringify(params["odd"])).toBe(JSON.stringify(odd));
  });

  it("an unknown request without a session, or without params [REQ pass-method]", async () => {
    const { result } = await client.ask("_fixture/echo", { a: [1] });
    expect(result).toEqual({ method: "_fixture/echo", params: { a: [1] } });
    expect((await client.ask("_fixture/notices")).error).toBeUndefined();
  });

  it("the agent's refusal of a method that it does not know [REQ pass-method]", async () => {
    const { error } = await client.ask("_nobody/knows", { sessionId });
    expect(error).toMatchObject({ code: -32601, message: "The agent has no method _nobody/knows" });
  });

  it("what comes with methods that we answer ourselves, and with the agent's answers [REQ pass-fields]", async () => {
    const full = await harness.connectRaw({ agent: ["agent.mjs", "--all"] });
    const [closed, deleted] = [await full.newSession(cwd), await full.newSession(cwd)];
    const more = { _meta: { trace: [1] }, "x.dev/more": { deep: [null] } };
    const received = (method: string) =>
      full.program.agents()[0]?.messages.find((message) => message.method === method)?.params;
    for (const [method, params] of [
      ["session/list", {}],
      ["session/close", { sessionId: closed }],
      ["session/delete", { sessionId: deleted }],
    ] as const) {
      expect(await full.request(method, { ...params, ...more }), method).toMatchObject({ _meta: more._meta });
      expect(received(method), method).toMatchObject(more);
      expect([closed, deleted]).not.toContain(received(method)?.["sessionId"]);
    }
  });

  it("a word to a turn that runs, which is kept as the user's [REQ steering-kept]", async () => {
    const id = await client.newSession(cwd);
    const turn = client.prompt(id, "slow 300");
    await client.program.out.waitFor(
      "the turn",
      ({ method, params }) => method === "session/update" && params?.["sessionId"] === id,
    );
    const block = { type: "text", text: "and mind the tests" };
    const steering = { sessionId: id, prompt: [block], _meta: { a: 1 } };
    expect(await client.request("_session/steering", steering)).toEqual({ outcome: "injected" });
    await turn;
    // Words that are to be prompted instead are not said yet.
    expect(await client.request("_session/steering", steering)).toEqual({ outcome: "promptRequired" });
    expect(lastAtAgent("_session/steering")?.params).toMatchObject({ prompt: [block], _meta: { a: 1 } });
    const from = client.program.out.length;
    await client.request("session/load", { sessionId: id, cwd, mcpServers: [] });
    const said = client.program.out
      .updates(id, from)
      .map(({ sessionUpdate, content }) => [
        sessionUpdate.split("_")[0],
        (content as Fields | undefined)?.["text"],
      ]);
    expect(said).toEqual([
      ["user", "slow 300"],
      ["agent", "before "],
      ["user", "and mind the tests"],
      ["agent", "after"],
    ]);
  });

  it("an unknown notification [REQ pass-notification, translate-session-id]", async () => {
    client.notify("_fixture/tell", { sessionId, what: { _meta: [null] } });
    client.notify("_fixture/bare");
    const { notices } = await client.request("_fixture/notices", {});
    const [told, bare] = notices as { method: string; params?: Fields }[];
    expect(told).toMatchObject({ method: "_fixture/tell", params: { what: { _meta: [null] } } });
    expect(told?.params?.["sessionId"]).toBe(lastAtAgent("_fixture/tell")?.params?.["sessionId"]);
    expect(told?.params?.["sessionId"]).not.toBe(sessionId);
    expect(bare?.method).toBe("_fixture/bare");
  });

  it("unknown fields and _meta of the methods that we know [REQ pass-fields]", async () => {
    const extra = { futureField: { x: [1.5] }, _meta: { trace: "00-abc" } };
    await client.newSession(cwd, extra);
    expect(lastAtAgent("session/new")?.params).toMatchObject(extra);
    const block = { type: "text", text: "hello", _meta: { b: 1 }, futureField: null };
    await client.request("session/prompt", { sessionId, prompt: [block], ...extra });
    expect(lastAtAgent("session/prompt")?.params).toMatchObject({ prompt: [block], ...extra });
  });

  it("content of every kind in a prompt [REQ pass-fields]", async () => {
    const prompt = [
      { type: "image", data: "aGk=", mimeType: "image/png", uri: null },
      { type: "resource_link", uri: "file:///a.txt", name: "a.txt", size: 3 },
      { type: "text", text: "echo-prompt" },
    ];
    await client.request("session/prompt", { sessionId, prompt });
    expect(lastAtAgent("session/prompt")?.params?.["prompt"]).toEqual(prompt);
  });
});

describe("from agent to client", () => {
  it("an unknown update, and unknown fields of known ones [REQ pass-update, pass-fields]", async () => {
    const from = client.program.out.length;
    await client.prompt(sessionId, "unknown-update\nextra-fields");
    expect(client.program.out.updates(sessionId, from)).toEqual([
      {
        sessionUpdate: "_fixture/sparkle",
        brightness: 11,
        nested: { list: [1, null, "zwei", { deep: true }] },
        _meta: { fixture: { keep: "me" } },
      },
      {
        sessionUpdate: "agent_message_chunk",
        content: { type: "text", text: "extra", _meta: { a: 1 }, futureField: ["x"] },
        futureField: { y: 0.1 },
        _meta: { b: null },
      },
    ]);
  });

  it("gives them back when the session is loaded [REQ pass-update, pass-fields]", async () => {
    const fresh = await client.newSession(cwd);
    await client.prompt(fresh, "unknown-update\nextra-fields");
    const [sparkle, chunk] = client.program.out.updates(fresh);
    const from = client.program.out.length;
    await client.request("session/load", { sessionId: fresh, cwd, mcpServers: [] });
    const replayed = client.program.out.updates(fresh, from);
    expect(replayed).toContainEqual(sparkle);
    expect(replayed).toContainEqual(chunk);
  });

  it("unknown notifications, with our session id or with none [REQ pass-notification, translate-session-id]", async () => {
    const from = client.program.out.length;
    await client.prompt(sessionId, "unknown-notification\nsessionless-notification");
    const notes = client.program.out.messages(from).filter(({ method }) => method?.startsWith("_fixture/"));
    expect(notes).toEqual([
      { jsonrpc: "2.0", method: "_fixture/note", params: { sessionId, n: 1, _meta: { keep: true } } },
      { jsonrpc: "2.0", method: "_fixture/weather", params: { degrees: -3 } },
    ]);
  });
});

describe("modes and options", () => {
  it("are set by the agent, whose answer is handed on [REQ settings-forward]", async () => {
    expect(await client.request("session/set_mode", { sessionId, modeId: "code" })).toEqual({});
    const params = { sessionId, configId: "model", value: "large" };
    const answer = await client.request("session/set_config_option", params);
    expect(answer).toMatchObject({ configOptions: [{ id: "model", currentValue: "large" }] });
    const { error } = await client.ask("session/set_mode", { sessionId, modeId: "no such mode" });
    expect(error).toMatchObject({ code: -32602, message: "No mode no such mode" });
  });
});
