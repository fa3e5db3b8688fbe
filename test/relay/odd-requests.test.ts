/** Requests that a sane client seldom makes: each is answered, and leaves things as they were. */
import { describe, expect, it } from "vitest";
import { toSessionId } from "../../src/base/ids.ts";
import { RpcError } from "../../src/rpc/errors.ts";
import { initialized, rig, type Rig } from "./rig.ts";

async function kindsOf({ store }: Rig, sessionId: string): Promise<string[]> {
  const kinds: string[] = [];
  for await (const page of store.read(toSessionId(sessionId))) kinds.push(...page.map(({ kind }) => kind));
  return kinds;
}

describe("a second initialize that fails", () => {
  it("does not undo the first", async () => {
    const relay = await rig();
    const again = relay.client.request("initialize", { protocolVersion: "one" });
    await expect(again).rejects.toMatchObject({ code: -32602 });
    expect(await relay.prompt(await relay.newSession())).toEqual({ stopReason: "end_turn" });
    await relay.close();
  });
});

describe("a prompt that cannot be kept", () => {
  it("is refused before the agent hears of it, and is no part of the history", async () => {
    const relay = await rig({ relay: { maxEntryBytes: 200 } });
    const sessionId = await relay.newSession();
    await expect(relay.prompt(sessionId, "ü".repeat(100))).rejects.toMatchObject({
      data: { code: "ENTRY_LIMIT", maxEntryBytes: 200 },
    });
    expect(relay.agentNow().heardOf("session/prompt")).toEqual([]);
    expect(await kindsOf(relay, sessionId)).toEqual([]);
    await relay.prompt(sessionId, "short");
    expect(await kindsOf(relay, sessionId)).toEqual(["prompt", "end"]);
    await relay.close();
  });
});

describe("an answer of the agent that is longer than what is read", () => {
  it("ends the request with an error that says so, and work goes on [REQ answer-once]", async () => {
    let isLong = true;
    const relay = await rig({
      script: {
        "session/prompt": () => ({ stopReason: "end_turn", more: isLong ? "x".repeat(2 << 20) : "" }),
      },
    });
    const sessionId = await relay.newSession();
    await expect(relay.prompt(sessionId)).rejects.toMatchObject({ data: { code: "MESSAGE_TOO_LARGE" } });
    isLong = false;
    expect(await relay.prompt(sessionId)).toMatchObject({ stopReason: "end_turn" });
    await relay.close();
  });
});

describe("an answer that is none, or is too long and has its id behind", () => {
  it.each([
    ["neither result nor error", (id: unknown) => ({ id })],
    ["an error that is no object", (id: unknown) => ({ id, error: "boom" })],
    ["a long result, then the id", (id: unknown) => ({ result: "x".repeat(2 << 20), id })],
  ])("ends the request with an error all the same: %s [REQ answer-once]", async (_what, answer) => {
    const relay = await rig({
      script: {
        "session/set_mode": (_params, agent, { id }) => {
          void agent.connection.sendTexts([JSON.stringify({ jsonrpc: "2.0", ...answer(id) })]);
          return new Promise(() => undefined);
        },
      },
    });
    const sessionId = await relay.newSession();
    await expect(relay.client.request("session/set_mode", { sessionId, modeId: "x" })).rejects.toMatchObject({
      code: -32600,
    });
    await relay.close();
  });
});

describe("a request that is too long to be read", () => {
  const long = { path: "/x", content: "x".repeat(2 << 20) };

  it("is answered under its id, the client's and the agent's [REQ answer-once]", async () => {
    let answered: unknown;
    const relay = await rig({
      script: {
        "session/prompt": async ({ sessionId }, agent) => {
          const params = { sessionId, ...long };
          answered = await agent.connection
            .request("fs/write_text_file", params)
            .catch((error: unknown) => error);
          return { stopReason: "end_turn" };
        },
      },
    });
    await relay.prompt(await relay.newSession());
    const tooLong = { code: -32600, data: { code: "MESSAGE_TOO_LARGE" } };
    expect(answered).toMatchObject(tooLong);
    await expect(relay.client.request("_vendor/store", long)).rejects.toMatchObject(tooLong);
    await relay.close();
  });
});

describe("sessions that are named in an answer that we do not know", () => {
  it("are named by our ids to the client, asked about a session or not, and by the agent's to the agent [REQ translate-session-id]", async () => {
    const named = (sessionId: unknown) => ({
      sessionId,
      sessions: [{ sessionId }, { sessionId: "other" }, 5],
    });
    let answered: unknown;
    const relay = await rig({
      script: {
        "_vendor/current": () => named("agent-1"),
        "session/prompt": async ({ sessionId }, agent) => {
          answered = await agent.connection.request("_vendor/shown", { sessionId });
          return { stopReason: "end_turn" };
        },
      },
      client: { "_vendor/shown": ({ sessionId }) => named(sessionId) },
    });
    const sessionId = await relay.newSession();
    for (const params of [{}, { sessionId }])
      expect(await relay.client.request("_vendor/current", params)).toEqual(named(sessionId));
    await relay.prompt(sessionId);
    expect(answered).toEqual(named("agent-1"));
    await relay.close();
  });
});

describe("a later page of the agent's list", () => {
  it("that fails is an error, not the end of the list; a failing first page spoils nothing [REQ list-cursor]", async () => {
    const pages = (cursor: unknown) => {
      if (cursor !== "2") throw new RpcError(-32602, "no such page");
      return { sessions: [{ sessionId: "theirs", cwd: "/work" }] };
    };
    const relay = await rig({
      script: {
        initialize: initialized({ list: {} }),
        "session/list": ({ cursor }) => pages(cursor),
      },
    });
    const sessionId = await relay.newSession();
    const list = (cursor?: string) => relay.client.request("session/list", { ...(cursor && { cursor }) });
    const page = (cursor: string) => `a.${Buffer.from(cursor).toString("base64url")}`;
    expect(await list()).toMatchObject({ sessions: [{ sessionId }] });
    expect(await list(page("2"))).toEqual({ sessions: [{ sessionId: "theirs", cwd: "/work" }] });
    await expect(list(page("3"))).rejects.toMatchObject({ code: -32602, message: "no such page" });
    await expect(list("a.?")).rejects.toMatchObject({ data: { code: "INVALID_CURSOR" } });
    await relay.close();
  });
});

describe("a session that was adopted by the agent's id", () => {
  it("is the agent's own still when it is loaded by ours, and the agent remembers it [REQ list-agent]", async () => {
    const relay = await rig({ script: { initialize: initialized({ list: {} }, { loadSession: true }) } });
    await relay.load("theirs");
    await relay.prompt("theirs");
    const [adopted] = (await relay.registry.list()).items;
    await relay.load(String(adopted?.id));
    await relay.prompt(String(adopted?.id));
    const agent = relay.agentNow();
    const askedOf = (method: string) => agent.heardOf(method).map(({ sessionId }) => sessionId);
    expect(askedOf("session/load")).toEqual(["theirs"]);
    expect(askedOf("session/prompt")).toEqual(["theirs", "theirs"]);
    expect(askedOf("session/new")).toEqual([]);
    await relay.close();
  });
});
