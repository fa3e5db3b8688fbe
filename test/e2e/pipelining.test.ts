/** Clients that do not wait: requests on the heels of others, odd names, and each answered exactly once. */
import { beforeAll, describe, expect, it } from "vitest";
import { useHarness } from "./harness/harness.ts";
import { initializeParams, RawClient } from "./harness/raw-client.ts";
import { frame, isResponseTo, textOf, type Message } from "./harness/wire.ts";

const harness = useHarness();
const cwd = harness.project();
const setup = { cwd, mcpServers: [] };

let client: RawClient;
let sessionId = "";
beforeAll(async () => {
  client = await harness.connectRaw({ agent: ["agent.mjs", "--load", "--state", harness.path("state")] });
  sessionId = await client.newSession(cwd);
});

const isAnswer = ({ method }: Message) => method === undefined;

describe("requests on the heels of others", () => {
  it("session/new right behind initialize waits for it", async () => {
    const eager = new RawClient(harness.sidecar());
    const requests = [
      { jsonrpc: "2.0", id: 1, method: "initialize", params: initializeParams },
      { jsonrpc: "2.0", id: 2, method: "session/new", params: setup },
    ];
    eager.send(requests.map((request) => frame(request, "lines")).join(""));
    const answer = await eager.program.out.waitFor("answer", isResponseTo(2));
    expect(answer.result).toHaveProperty("sessionId");
    expect(eager.program.out.messages().map(({ id }) => id)).toEqual([1, 2]);
  });

  it("a prompt right behind session/load runs after the replay [REQ load-before-answer]", async () => {
    const fresh = await client.newSession(cwd);
    await client.prompt(fresh, "before");
    await client.request("session/close", { sessionId: fresh });
    const from = client.program.out.length;
    const load = client.ask("session/load", { sessionId: fresh, ...setup });
    const prompt = client.ask("session/prompt", {
      sessionId: fresh,
      prompt: [{ type: "text", text: "behind" }],
    });
    expect((await load).error).toBeUndefined();
    expect((await prompt).error).toBeUndefined();
    const updates = client.program.out.updates(fresh, from);
    expect(textOf(updates)).toBe("echo: beforeecho: behind");
    const order = client.program.out.messages(from).map(({ method, id }) => method ?? id);
    expect(order.indexOf((await load).id)).toBeLessThan(order.indexOf((await prompt).id));
  });

  it("two loads of one session at once are both answered, each with its replay [REQ answer-once]", async () => {
    const fresh = await client.newSession(cwd);
    await client.prompt(fresh, "hello");
    const from = client.program.out.length;
    const answers = await Promise.all(
      [1, 2].map(() => client.ask("session/load", { sessionId: fresh, ...setup })),
    );
    expect(answers.map(({ error }) => error)).toEqual([undefined, undefined]);
    expect(textOf(client.program.out.updates(fresh, from))).toBe("echo: helloecho: hello");
  });

  it.each(["session/close", "session/delete"])(
    "%s right behind session/load leaves nothing hanging [REQ answer-once]",
    async (method) => {
      const fresh = await client.newSession(cwd);
      await client.prompt(fresh, "hello");
      await client.request("session/close", { sessionId: fresh });
      const load = client.ask("session/load", { sessionId: fresh, ...setup });
      const end = client.ask(method, { sessionId: fresh });
      const [loaded, ended] = await Promise.all([load, end]);
      expect(ended.error).toBeUndefined();
      expect(loaded).toSatisfy((answer: Message) => "result" in answer || "error" in answer);
    },
  );

  it("two thousand at once are all answered once [REQ answer-once]", async () => {
    const from = client.program.out.length;
    const ids = Array.from({ length: 2000 }, (_, n) => `many-${n}`);
    const lines = ids.map((id) =>
      frame({ jsonrpc: "2.0", id, method: "_fixture/echo", params: { id } }, "lines"),
    );
    client.send(lines.join(""));
    await client.program.out.waitFor("last", isResponseTo("many-1999"), { from });
    const answered = client.program.out.messages(from).filter(isAnswer);
    expect(answered.map(({ id }) => id)).toEqual(ids);
  });

  it("fifty sessions that stream at once come through whole [REQ prompt-updates]", async () => {
    const sessions = await Promise.all(Array.from({ length: 50 }, () => client.newSession(cwd)));
    await Promise.all(sessions.map((id) => client.prompt(id, "stream 40")));
    for (const id of sessions) expect(client.program.out.updates(id)).toHaveLength(40);
  });
});

describe("odd requests", () => {
  it.each(["toString", "constructor", "__proto__", "hasOwnProperty", "", "rpc.discover", "$/unknown"])(
    "the method %j is nobody's and is answered so [REQ pass-method, answer-once]",
    async (method) => {
      expect((await client.ask(method, {})).error).toMatchObject({ code: -32601 });
    },
  );

  it("a notification asked as a request is answered [REQ answer-once]", async () => {
    const answer = await client.ask("session/cancel", { sessionId });
    expect(answer).toSatisfy((message: Message) => "result" in message || "error" in message);
  });

  it("a request sent as a notification is nothing [REQ bad-nothing]", async () => {
    const from = client.program.out.length;
    client.notify("session/new", setup);
    client.notify("session/list", {});
    client.notify("initialize", initializeParams);
    client.notify("session/prompt");
    await client.request("session/list", {});
    expect(client.program.out.messages(from).filter(isAnswer)).toHaveLength(1);
  });

  it("params by position are refused where we know the method, and passed on where not [REQ bad-params, pass-method]", async () => {
    expect((await client.ask("session/new", [cwd])).error).toMatchObject({ code: -32602 });
    expect((await client.ask("_fixture/echo", [1, [2]])).result).toMatchObject({ params: [1, [2]] });
  });

  it("nesting beyond reason is answered and does not end the sidecar [REQ answer-once]", async () => {
    const nested = "[".repeat(200_000) + "]".repeat(200_000);
    const line = `{"jsonrpc":"2.0","id":"deep","method":"_fixture/echo","params":{"nested":${nested}}}\n`;
    const answer = await client.exchange(line, ({ id }) => id === "deep");
    expect(answer).toSatisfy((message: Message) => "result" in message || "error" in message);
    await client.request("session/list", {});
  });

  it("a very large prompt reaches the agent whole [REQ pass-fields]", async () => {
    const text = `x${"é".repeat(4_000_000)}\nstop refusal`;
    expect(await client.prompt(sessionId, text)).toMatchObject({ stopReason: "refusal" });
    const prompt = client.program.agents()[0]?.messages.findLast(({ method }) => method === "session/prompt");
    expect(JSON.stringify(prompt?.params)).toContain(JSON.stringify(text));
  });

  it("a long first prompt gives a short title of one line [REQ prompt-title]", async () => {
    const fresh = await client.newSession(harness.project("titled"));
    await client.prompt(fresh, `\n\n  Fix 😀 the   parser\n${"y ".repeat(5000)}`);
    const { sessions } = await client.request("session/list", {});
    const title = (sessions as { sessionId: string; title?: string }[]).find(
      (one) => one.sessionId === fresh,
    )?.title;
    expect(title).toMatch(/^Fix 😀 the {1,3}parser/);
    expect(title?.length).toBeLessThanOrEqual(200);
    expect(title).not.toMatch(/[\n\r]/);
  });
});
