/** What arrives together, or in an order that nobody expects. */
import { describe, expect, it } from "vitest";
import { toSessionId } from "../../src/base/ids.ts";
import { collect } from "../../src/session/pages.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { flaky } from "../session/flaky-store.ts";
import { initialized, rig, until } from "./rig.ts";

describe("a prompt and its cancellation in one breath", () => {
  it("are taken in this order, even if the session has to be opened first", async () => {
    const first = await rig();
    const sessionId = await first.newSession();
    await first.close();
    const { store, ...second } = await rig({
      store: first.store,
      relay: { cancelGraceMs: 20 },
      script: { "session/prompt": () => new Promise(() => undefined) },
    });
    second.writeTogether(
      { id: "p", method: "session/prompt", params: { sessionId, prompt: [{ type: "text", text: "go" }] } },
      { method: "session/cancel", params: { sessionId } },
    );
    const id = toSessionId(sessionId);
    while ((await store.get(id))?.headSeq !== 2) await new Promise((resolve) => setTimeout(resolve, 5));
    const entries = await collect(store.read(id));
    expect(entries.map(({ kind }) => kind)).toEqual(["prompt", "end"]);
    expect(JSON.parse(entries[1]?.data ?? "")).toEqual({ result: { stopReason: "cancelled" } });
    await second.close();
  });
});

describe("a session that is taken by somebody else while it is being loaded", () => {
  it("is lost until it is loaded again: no prompt takes it back", async () => {
    const { store, hold, calls } = flaky(openMemoryStore());
    const first = await rig({ store });
    const sessionId = await first.newSession();
    await first.client.request("session/close", { sessionId });
    const second = await rig({ store });
    const [acquired, release] = [calls("acquire"), hold("acquire")];
    const loading = first.load(sessionId);
    await until(() => calls("acquire") > acquired);
    await second.load(sessionId);
    release();
    await expect(loading).rejects.toMatchObject({ data: { code: "LEASE_LOST" } });
    await expect(first.prompt(sessionId)).rejects.toMatchObject({ data: { code: "LEASE_LOST" } });
    await first.load(sessionId);
    expect(await first.prompt(sessionId)).toEqual({ stopReason: "end_turn" });
    await Promise.all([first.close(), second.close()]);
  });
});

describe("a session that somebody else has taken while nobody here asked for it", () => {
  it("is taken back by the first load, as any session is; a turn that ran in it is lost [REQ lease-idle]", async () => {
    const never = new Promise(() => undefined);
    const store = openMemoryStore();
    const first = await rig({
      store,
      relay: { onBusy: "takeover" },
      script: { "session/prompt": () => never },
    });
    const sessionId = await first.newSession();
    const second = await rig({ store, relay: { onBusy: "takeover" } });
    await second.load(sessionId);
    await first.load(sessionId);
    await expect(second.prompt(sessionId)).rejects.toMatchObject({ data: { code: "LEASE_LOST" } });
    const lost = expect(first.prompt(sessionId)).rejects.toMatchObject({ data: { code: "LEASE_LOST" } });
    await until(() => first.agentNow().heardOf("session/prompt").length === 1);
    await second.load(sessionId);
    await first.load(sessionId);
    await lost;
    await Promise.all([first.close(), second.close()]);
  });
});

describe("a permission that is asked for while its turn is being ended", () => {
  it("is answered cancelled, and the client is not asked [REQ cancel-permission]", async () => {
    const { store, hold, calls } = flaky(openMemoryStore());
    const asked: unknown[] = [];
    let [release, before] = [() => {}, Infinity];
    const relay = await rig({
      store,
      relay: { cancelGraceMs: 1 },
      client: { "session/request_permission": (params) => void asked.push(params) },
      script: {
        "session/prompt": async ({ sessionId }, agent) => {
          [release, before] = [hold("append"), calls("append")];
          const params = { sessionId, options: [], toolCall: {} };
          return {
            stopReason: "end_turn",
            _meta: await agent.connection.request("session/request_permission", params),
          };
        },
      },
    });
    const sessionId = await relay.newSession();
    const answer = relay.prompt(sessionId);
    await until(() => calls("append") > before);
    await relay.client.notify("session/cancel", { sessionId });
    await until(() => relay.agentNow().heardOf("session/cancel").length === 1);
    // Timers fire in the order of their times: the grace time is over then.
    await new Promise((resolve) => setTimeout(resolve, 5));
    release();
    expect(await answer).toEqual({ stopReason: "cancelled" });
    expect(asked).toEqual([]);
    await relay.close();
  });
});

describe("an agent that counts its sessions anew after a restart", () => {
  it("is not given one session for two", async () => {
    let count = 0;
    const known = new Set<unknown>();
    const relay = await rig({
      script: {
        initialize: () => {
          count = 0;
          known.clear();
          return initialized({ resume: {} })();
        },
        "session/new": () => {
          const sessionId = `s-${(count += 1)}`;
          known.add(sessionId);
          return { sessionId };
        },
        "session/resume": ({ sessionId }) => {
          if (!known.has(sessionId)) throw new Error("forgotten");
          return {};
        },
        "session/prompt": async ({ sessionId }, agent) => {
          await agent.say(String(sessionId), `in ${String(sessionId)}`);
          return { stopReason: "end_turn" };
        },
      },
    });
    const [a, b] = [await relay.newSession(), await relay.newSession()];
    relay.agentNow().die();
    await relay.prompt(b);
    await relay.prompt(a);
    const prompts = relay
      .agentNow()
      .heardOf("session/prompt")
      .map(({ sessionId }) => sessionId);
    expect(new Set(prompts).size).toBe(2);
    expect(relay.updates.map(({ sessionId }) => sessionId)).toEqual([b, a]);
    await relay.close();
  });
});

describe("an agent that speaks before it has answered session/new", () => {
  it("is understood in an attach, too: the client sees its own session id only", async () => {
    const relay = await rig({
      script: {
        "session/new": async (_params, agent) => {
          await agent.update("early", { sessionUpdate: "available_commands_update", availableCommands: [] });
          return { sessionId: "early" };
        },
      },
    });
    const sessionId = await relay.newSession();
    await until(() => relay.updates.length === 1);
    relay.agentNow().die();
    await relay.prompt(sessionId);
    await until(() => relay.updates.length === 2);
    expect(relay.updates.map((update) => update.sessionId)).toEqual([sessionId, sessionId]);
    await relay.close();
  });
});

describe("a fork whose mode has to be chosen again", () => {
  it("does not wait for an agent that first has something to say, or to ask", async () => {
    const modes = {
      availableModes: [
        { id: "ask", name: "" },
        { id: "code", name: "" },
      ],
      currentModeId: "ask",
    };
    let count = 0;
    const relay = await rig({
      script: {
        "session/new": () => ({ sessionId: `s-${(count += 1)}`, modes }),
        "session/set_mode": async ({ sessionId }, agent) => {
          await agent.connection.notify("_vendor/mode", { sessionId });
          await agent.connection.request("session/request_permission", {
            sessionId,
            options: [],
            toolCall: {},
          });
          return {};
        },
      },
    });
    const parent = await relay.newSession();
    await relay.client.request("session/set_mode", { sessionId: parent, modeId: "code" });
    const fork = await relay.client.request("session/fork", {
      sessionId: parent,
      cwd: "/work",
      mcpServers: [],
    });
    expect(fork).toMatchObject({ modes: { currentModeId: "code" } });
    await relay.close();
  });
});
