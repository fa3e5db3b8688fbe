import { describe, expect, it } from "vitest";
import { SidecarError } from "../../../src/base/errors.ts";
import { askSession } from "../../../src/relay/agent/ask.ts";
import { RpcError } from "../../../src/rpc/errors.ts";
import { initialized, rig, until, type Params, type Script } from "../rig.ts";

describe("a request that the client withdraws", () => {
  it("is withdrawn at the agent, also when the session is being attached for it", async () => {
    const first = await rig();
    const sessionId = await first.newSession();
    await first.close();
    let withdrawn = false;
    const relay = await rig({
      store: first.store,
      script: {
        initialize: initialized({ resume: {} }),
        "session/resume": (_params, _agent, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener("abort", () => {
              withdrawn = true;
              reject(new Error("cancelled"));
            });
          }),
      },
    });
    const withdrawal = new AbortController();
    const params = { sessionId, cwd: "/work", mcpServers: [] };
    const loading = relay.client.request("session/load", params, { signal: withdrawal.signal });
    const outcome = Promise.allSettled([loading]);
    await until(() => relay.agentNow().heardOf("session/resume").length === 1);
    withdrawal.abort();
    await outcome;
    expect(withdrawn).toBe(true);
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

describe("a session that the agent has let go", () => {
  const forgets = (known: () => boolean) => ({
    "session/prompt": ({ sessionId }: Params) => {
      if (sessionId === "agent-1" && !known()) throw new RpcError(-32002, `Resource not found: ${sessionId}`);
      return { stopReason: "end_turn" };
    },
  });

  it("is taken up again, once, and the prompt goes there", async () => {
    let isKnown = true;
    const script = {
      initialize: initialized({ resume: {} }),
      "session/resume": () => {
        isKnown = true;
        return {};
      },
      ...forgets(() => isKnown),
    };
    const relay = await rig({ script });
    const sessionId = await relay.newSession();
    await relay.prompt(sessionId, "first");
    isKnown = false;
    await expect(relay.prompt(sessionId, "second")).resolves.toMatchObject({ stopReason: "end_turn" });
    expect(relay.agentNow().heardOf("session/resume")).toHaveLength(1);
    expect(relay.agentNow().heardOf("session/new")).toHaveLength(1);
    await relay.close();
  });

  it("and does not have though it says so, is a new one there that is handed the conversation", async () => {
    let isKnown = true;
    const script = {
      initialize: initialized({ resume: {} }),
      "session/resume": () => ({}),
      ...forgets(() => isKnown),
    };
    const relay = await rig({ script });
    const sessionId = await relay.newSession();
    await relay.prompt(sessionId, "first");
    isKnown = false;
    await relay.prompt(sessionId, "second");
    const last = relay.agentNow().heardOf("session/prompt").at(-1);
    expect(last?.["sessionId"]).toBe("agent-2");
    expect(JSON.stringify(last?.["prompt"])).toContain("first");
    await relay.close();
  });

  it.each([
    ["in the official SDKs' words", "Resource not found"],
    ["in words of its own", "gone"],
  ])(
    "is taken up again where the agent does not say what it has not found, once: %s",
    async (_what, words) => {
      let [isKnown, isBack, isTalking] = [false, true, false];
      const script: Script = {
        initialize: initialized({ resume: {} }),
        "session/resume": () => {
          isKnown = isBack;
          return {};
        },
        "session/prompt": async ({ sessionId }, agent) => {
          if (isTalking) await agent.say(String(sessionId), "partly done");
          if (!isKnown) throw new RpcError(-32002, words);
          return { stopReason: "end_turn" };
        },
      };
      const relay = await rig({ script });
      const sessionId = await relay.newSession();
      await expect(relay.prompt(sessionId)).resolves.toMatchObject({ stopReason: "end_turn" });
      [isKnown, isBack] = [false, false];
      await expect(relay.prompt(sessionId)).rejects.toMatchObject({ code: -32002 });
      const asked = (method: string) => relay.agentNow().heardOf(method).length;
      expect([asked("session/prompt"), asked("session/resume")]).toEqual([4, 2]);
      // What may have been another thing costs the session nothing, and nothing is done twice.
      isTalking = true;
      await expect(relay.prompt(sessionId)).rejects.toMatchObject({ code: -32002 });
      expect([asked("session/prompt"), asked("session/new")]).toEqual([5, 1]);
      await relay.close();
    },
  );

  it.each([
    ["by its words", "Resource not found: file:///a", undefined],
    ["by its data", "Resource not found", { uri: "file:///a" }],
    ["a file", "No a.ts there", undefined],
  ])("is not meant when something else is not found: %s", async (_what, words, data) => {
    const script = {
      "session/prompt": () => {
        throw new RpcError(-32002, words, data);
      },
    };
    const relay = await rig({ script });
    const sessionId = await relay.newSession();
    await expect(relay.prompt(sessionId)).rejects.toMatchObject({ code: -32002 });
    expect(relay.agentNow().heardOf("session/prompt")).toHaveLength(1);
    await relay.close();
  });
});

it("nothing is asked for a session that is lost by then: nobody would hear the answer", async () => {
  const asked: string[] = [];
  const agent = { received: 0, request: async (method: string) => void asked.push(method) };
  const run = { agent };
  const live = {
    binding: { run, agentSessionId: "a" },
    isLoadedAnew: false,
    inbound: { run: (task: () => unknown) => task() },
    get journal(): never {
      throw new SidecarError("LEASE_LOST", "somebody else has it");
    },
  };
  const ctx = { agent: { run: async () => run }, forwarded: new Map() };
  const asking = askSession(ctx as never, live as never, "_x/any", { id: 1 } as never, async () => ({}));
  await expect(asking).rejects.toMatchObject({ code: "LEASE_LOST" });
  expect(asked).toEqual([]);
});
