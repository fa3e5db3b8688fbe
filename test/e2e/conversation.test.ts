/** `session/new` and `session/prompt`: the ordinary way of a conversation. */
import { beforeAll, describe, expect, it } from "vitest";
import { useHarness } from "./harness/harness.ts";
import type { SdkClient } from "./harness/sdk-client.ts";
import { isResponseTo, textOf, type Message } from "./harness/wire.ts";

const harness = useHarness();
const ulid = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

let client: SdkClient;
beforeAll(async () => {
  client = await harness.connect({ agent: ["agent.mjs"] });
});

/** The place in the output of the answer to the last prompt that was sent. */
function lastAnswerAt(): number {
  const prompt = client.program.sent.messages().findLast(({ method }) => method === "session/prompt");
  return client.program.out.messages().findLastIndex(isResponseTo(prompt?.id ?? null));
}

const isUpdate = ({ method }: Message) => method === "session/update";

describe("session/new", () => {
  it("answers with an id of ours and the agent's modes and options [REQ new-id, translate-session-id]", async () => {
    const session = await client.newSession(harness.project());
    expect(session.sessionId).toMatch(ulid);
    expect(session.modes).toMatchObject({ currentModeId: "ask" });
    expect(session.configOptions).toMatchObject([{ id: "model", currentValue: "small" }]);
    expect(session._meta).toMatchObject({ fixture: { fresh: true } });
  });

  it("hands cwd, MCP servers and what it does not know to the agent as they are, directories if it takes them [REQ directories, pass-fields]", async () => {
    const cwd = harness.project();
    const mcpServers = [
      { name: "files", command: "/bin/files", args: ["-a"], env: [{ name: "K", value: "v" }] },
    ];
    const more = { mcpServers, _meta: { trace: 1 }, "x.dev/new": [null] };
    const takes = await harness.connect({ agent: ["agent.mjs", "--directories"] });
    for (const { to, rest } of [
      { to: client, rest: {} },
      { to: takes, rest: { additionalDirectories: ["/tmp"] } },
    ]) {
      await to.newSession(cwd, { ...more, additionalDirectories: ["/tmp"] });
      const request = to.program.agents()[0]?.messages.findLast(({ method }) => method === "session/new");
      expect(request?.params).toEqual({ cwd, ...more, ...rest });
    }
  });

  it("refuses more sessions than are allowed, and says so [REQ new-limit]", async () => {
    const limited = await harness.connect({ args: ["--max-sessions", "2"] });
    await limited.newSession(harness.project());
    const { sessionId } = await limited.newSession(harness.project());
    const refusal = { data: { code: "SESSION_LIMIT" }, message: expect.stringContaining("2") as string };
    await expect(limited.newSession(harness.project())).rejects.toMatchObject(refusal);
    await limited.agent.request("session/close", { sessionId });
    await limited.newSession(harness.project());
  });
});

describe("session/prompt", () => {
  it("brings every update, in order, before the answer [REQ prompt-updates]", async () => {
    const { sessionId } = await client.newSession(harness.project());
    const from = client.program.out.length;
    const { stopReason } = await client.prompt(sessionId, "stream 500");
    expect(stopReason).toBe("end_turn");
    const updates = client.program.out.updates(sessionId, from);
    expect(updates).toHaveLength(500);
    expect(textOf(updates)).toBe(Array.from({ length: 500 }, (_, n) => `[${n + 1}]`).join(""));
    expect(client.program.out.messages().findLastIndex(isUpdate)).toBeLessThan(lastAnswerAt());
    expect(client.understood.filter((seen) => seen.sessionId === sessionId)).toHaveLength(500);
  });

  it("carries kinds of every sort as they are [REQ prompt-updates]", async () => {
    const { sessionId } = await client.newSession(harness.project());
    const from = client.program.out.length;
    await client.prompt(sessionId, "think hm\ntool\nplan\nmode code\ntitle T\nusage\ncommands go");
    const kinds = client.program.out.updates(sessionId, from).map(({ sessionUpdate }) => sessionUpdate);
    expect(kinds).toEqual([
      "agent_thought_chunk",
      "tool_call",
      ...Array<string>(3).fill("tool_call_update"),
      ...Array<string>(3).fill("plan"),
      "current_mode_update",
      "session_info_update",
      "usage_update",
      "available_commands_update",
    ]);
  });

  it("carries one very large chunk whole", async () => {
    const { sessionId } = await client.newSession(harness.project());
    expect(await client.say(sessionId, "big 3000000")).toHaveLength(3_000_000);
  });

  it("answers with the agent's result, whatever is in it [REQ prompt-result]", async () => {
    const { sessionId } = await client.newSession(harness.project());
    expect(await client.prompt(sessionId, "stop max_tokens")).toMatchObject({ stopReason: "max_tokens" });
    await client.prompt(sessionId, "result-extras");
    expect(client.program.out.messages()[lastAnswerAt()]?.result).toMatchObject({
      stopReason: "end_turn",
      usage: { totalTokens: 7, inputTokens: 3, outputTokens: 4 },
      futureField: [true],
      _meta: { fixture: 1 },
    });
  });

  it("hands on the agent's error as it is, and the session goes on [REQ prompt-error]", async () => {
    const { sessionId } = await client.newSession(harness.project());
    await expect(client.prompt(sessionId, "stream 2\nfail -32099")).rejects.toMatchObject({
      code: -32099,
      message: "The fixture agent was told to fail",
      data: { told: true },
    });
    expect(await client.say(sessionId, "hello")).toBe("echo: hello");
  });

  it("forwards a second prompt while a turn runs [REQ prompt-second]", async () => {
    const { sessionId } = await client.newSession(harness.project());
    const from = client.program.out.length;
    const first = client.prompt(sessionId, "until-cancel");
    await client.untilUpdate(sessionId, () => true, from);
    expect(await client.say(sessionId, "steer")).toContain("echo: steer");
    await client.cancel(sessionId);
    expect(await first).toMatchObject({ stopReason: "cancelled" });
  });

  it("forwards and journals updates that come after the answer [REQ prompt-outside]", async () => {
    const cwd = harness.project();
    const { sessionId } = await client.newSession(cwd);
    await client.prompt(sessionId, "late 3");
    await client.untilUpdate(sessionId, ({ content }) => JSON.stringify(content).includes("late-3"));
    expect(textOf(await client.replay(sessionId, cwd))).toContain("late-1 late-2 late-3 ");
  });

  it("keeps sessions apart that stream at the same time [REQ translate-session-id]", async () => {
    const sessions = await Promise.all([1, 2, 3].map(() => client.newSession(harness.project())));
    await Promise.all(sessions.map(({ sessionId }, n) => client.prompt(sessionId, `stream ${100 + n}`)));
    for (const [n, { sessionId }] of sessions.entries()) {
      expect(client.program.out.updates(sessionId)).toHaveLength(100 + n);
    }
  });

  it("keeps prompt, updates and end in the journal, so that they can be replayed [REQ prompt-journal]", async () => {
    const cwd = harness.project();
    const { sessionId } = await client.newSession(cwd);
    await client.prompt(sessionId, "stream 10");
    const updates = await client.replay(sessionId, cwd);
    expect(textOf(updates, "user_message_chunk")).toBe("stream 10");
    expect(textOf(updates)).toBe("[1][2][3][4][5][6][7][8][9][10]");
  });
});

describe("the title", () => {
  const titleOf = async (sessionId: string) => {
    const { sessions } = await client.agent.request("session/list", {});
    return sessions.find((session) => session.sessionId === sessionId)?.title;
  };

  it("is taken from the first prompt, until the agent sets one [REQ prompt-title]", async () => {
    const { sessionId } = await client.newSession(harness.project());
    await client.prompt(sessionId, "Fix the parser");
    await client.prompt(sessionId, "And now the lexer");
    expect(await titleOf(sessionId)).toBe("Fix the parser");
    await client.prompt(sessionId, "title Parser and lexer");
    expect(await titleOf(sessionId)).toBe("Parser and lexer");
  });
});
