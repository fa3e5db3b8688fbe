/** `session/close`, `session/delete` and `session/fork`. */
import { beforeAll, describe, expect, it } from "vitest";
import { useHarness } from "./harness/harness.ts";
import type { SdkClient } from "./harness/sdk-client.ts";
import { RawClient } from "./harness/raw-client.ts";
import { textOf } from "./harness/wire.ts";

const harness = useHarness();
const store = harness.storeUrl();
const cwd = harness.project();
const agent = ["agent.mjs", "--close", "--delete"];
const unknownId = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

let client: SdkClient;
beforeAll(async () => {
  client = await harness.connect({ agent, store });
});

const agentMessages = (method: string) =>
  (client.program.agents()[0]?.messages ?? []).filter((message) => message.method === method);

const close = (sessionId: string) => client.agent.request("session/close", { sessionId });
const remove = (sessionId: string) => client.agent.request("session/delete", { sessionId });

async function startTurn(sessionId: string) {
  const from = client.program.out.length;
  const turn = client.prompt(sessionId, "until-cancel");
  await client.untilUpdate(sessionId, () => true, from);
  return { turn };
}

describe("session/close", () => {
  it("ends the running turn as cancel does, then the agent's session [REQ close-turn, close-release]", async () => {
    const { sessionId } = await client.newSession(cwd);
    const { turn } = await startTurn(sessionId);
    await close(sessionId);
    expect(await turn).toMatchObject({ stopReason: "cancelled" });
    const prompted = agentMessages("session/prompt").at(-1)?.params?.["sessionId"];
    expect(agentMessages("session/close").at(-1)?.params?.["sessionId"]).toBe(prompted);
  });

  it("keeps the history and lets go of the session at once [REQ close-release]", async () => {
    const { sessionId } = await client.newSession(cwd);
    await client.prompt(sessionId, "stream 3");
    await close(sessionId);
    const other = await harness.connect({ store, args: ["--on-busy", "error"] });
    expect(textOf(await other.replay(sessionId, cwd))).toBe("[1][2][3]");
    await harness.stop(other.program);
    expect(textOf(await client.replay(sessionId, cwd))).toBe("[1][2][3]");
  });
});

describe("session/delete", () => {
  it("removes the session from list and load, and from an agent that can [REQ delete-gone, delete-forward]", async () => {
    const { sessionId } = await client.newSession(cwd);
    await client.prompt(sessionId, "stream 3");
    const prompted = agentMessages("session/prompt").at(-1)?.params?.["sessionId"];
    await remove(sessionId);
    const { sessions } = await client.agent.request("session/list", { cwd });
    expect(sessions.map((session) => session.sessionId)).not.toContain(sessionId);
    await expect(client.load(sessionId, cwd)).rejects.toMatchObject({ code: -32002 });
    await expect(client.prompt(sessionId, "hello")).rejects.toMatchObject({ code: -32002 });
    expect(agentMessages("session/delete").at(-1)?.params?.["sessionId"]).toBe(prompted);
  });

  it("ends a running turn, and nothing of it comes back [REQ delete-gone, durable-deleted]", async () => {
    const { sessionId } = await client.newSession(cwd);
    const { turn } = await startTurn(sessionId);
    await Promise.all([remove(sessionId), turn.catch(() => undefined)]);
    await expect(client.load(sessionId, cwd)).rejects.toMatchObject({ code: -32002 });
    const other = await harness.connect({ store });
    await expect(other.load(sessionId, cwd)).rejects.toMatchObject({ code: -32002 });
  });

  it("of the unknown succeeds [REQ delete-unknown]", async () => {
    const raw = new RawClient(client.program);
    for (const sessionId of [unknownId, "no id of ours", ""]) {
      const answer = await raw.ask("session/delete", { sessionId });
      expect(answer.error).toBeUndefined();
      expect(answer.result).toEqual({});
    }
  });
});

describe("session/fork", () => {
  const fork = async (sessionId: string, meta?: object): Promise<string> => {
    const params = { sessionId, cwd, mcpServers: [], ...(meta === undefined ? {} : { _meta: meta }) };
    const answer = await client.agent.request<{ sessionId: string }>("session/fork", params);
    return answer.sessionId;
  };
  const userTexts = async (sessionId: string) =>
    (await client.replay(sessionId, cwd))
      .map((update) => textOf([update], "user_message_chunk"))
      .filter((text) => text !== "");

  async function parentOfTwoTurns(): Promise<string> {
    const { sessionId } = await client.newSession(cwd);
    await client.prompt(sessionId, "first");
    await client.prompt(sessionId, "second");
    return sessionId;
  }

  it("shares the history up to the head and goes on apart [REQ fork-head, fork-apart]", async () => {
    const parent = await parentOfTwoTurns();
    const child = await fork(parent);
    expect(child).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
    expect(await userTexts(child)).toEqual(["first", "second"]);
    await client.prompt(child, "child only");
    await client.prompt(parent, "parent only");
    expect(await userTexts(child)).toEqual(["first", "second", "child only"]);
    expect(await userTexts(parent)).toEqual(["first", "second", "parent only"]);
    const { sessions } = await client.agent.request("session/list", { cwd });
    expect(sessions.map(({ sessionId }) => sessionId)).toEqual(expect.arrayContaining([parent, child]));
  });

  it("shares the history up to a point [REQ fork-point]", async () => {
    const parent = await parentOfTwoTurns();
    // A turn of one short answer is three entries: prompt, message, end.
    const child = await fork(parent, { "acp-sidecar": { atSeq: 3 } });
    expect(await userTexts(child)).toEqual(["first"]);
    expect(textOf(await client.replay(child, cwd))).toBe("echo: first");
  });

  it.each([-1, 1.5, 1_000_000, "3"])("refuses the point %j [REQ fork-point]", async (atSeq) => {
    const parent = await parentOfTwoTurns();
    const refusal = expect(fork(parent, { "acp-sidecar": { atSeq } })).rejects;
    await refusal.toMatchObject({ code: -32602 });
  });

  it("tells the agent the conversation that the fork continues [REQ fork-head]", async () => {
    const child = await fork(await parentOfTwoTurns());
    const prompt = JSON.parse(await client.say(child, "echo-prompt")) as object[];
    expect(prompt.at(-1)).toEqual({ type: "text", text: "echo-prompt" });
    expect(JSON.stringify(prompt.slice(0, -1))).toContain("echo: second");
  });

  it("of a session in a turn shares what the turn has said so far [REQ fork-head]", async () => {
    const parent = await parentOfTwoTurns();
    const { turn } = await startTurn(parent);
    const child = await fork(parent);
    await client.cancel(parent);
    await turn;
    await client.prompt(parent, "parent only");
    expect(await userTexts(child)).toEqual(["first", "second", "until-cancel"]);
    expect(textOf(await client.replay(child, cwd))).toBe("echo: firstecho: secondbefore ");
  });

  it("outlives its parent [REQ fork-apart]", async () => {
    const parent = await parentOfTwoTurns();
    const child = await fork(parent);
    await remove(parent);
    expect(await userTexts(child)).toEqual(["first", "second"]);
  });

  it("of the unknown is refused [REQ bad-session]", async () => {
    const refusal = { code: -32002, data: { code: "SESSION_NOT_FOUND", sessionId: unknownId } };
    await expect(fork(unknownId)).rejects.toMatchObject(refusal);
  });
});
