import { afterEach, describe, expect, it, vi } from "vitest";
import { toSessionId } from "../../../src/base/ids.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { gate, initialized, rig, until } from "../rig.ts";
import { flaky } from "../../session/flaky-store.ts";

afterEach(() => {
  vi.useRealTimers();
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

describe("a session whose making fails on the way", () => {
  it.each(["create", "acquire"] as const)("is nowhere, and the next one works: %s", async (method) => {
    const { store, fail } = flaky(openMemoryStore());
    const relay = await rig({ store, script: { initialize: initialized({ close: {} }) } });
    fail(method, "before");
    await expect(relay.newSession()).rejects.toMatchObject({ data: { code: "STORE_FAILED" } });
    await until(() => relay.agentNow().heardOf("session/close").length === 1);
    expect([await relay.registry.count(), relay.registry.live.size]).toEqual([0, 0]);
    await relay.prompt(await relay.newSession());
    await relay.close();
  });
});

describe("a session that is being made when the client goes", () => {
  it("is not left held [REQ shutdown-any-state]", async () => {
    const making = gate();
    const relay = await rig({
      script: { "session/new": () => making.passed.then(() => ({ sessionId: "agent-1" })) },
    });
    const made = relay.newSession();
    await until(() => relay.agentNow().heardOf("session/new").length === 1);
    const closed = relay.close();
    making.open();
    const sessionId = await made;
    await closed;
    expect((await relay.store.get(toSessionId(sessionId)))?.lease).toBeUndefined();
  });
});
