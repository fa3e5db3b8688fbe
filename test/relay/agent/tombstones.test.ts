import { describe, expect, it } from "vitest";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { type Rig, type Script, gate, initialized, rig, until } from "../rig.ts";
import { flaky } from "../../session/flaky-store.ts";

const named = (name: string, sessionCapabilities: object = { list: {} }) => ({
  initialize: () => ({ ...initialized(sessionCapabilities, { loadSession: true })(), agentInfo: { name } }),
});

/** An agent that lists these sessions, whatever is deleted. */
const lists = (...ids: readonly string[]): Script => ({
  ...named("scripted"),
  "session/list": () => ({ sessions: ids.map((sessionId) => ({ sessionId, cwd: "/work" })) }),
});

async function listed(relay: Rig): Promise<string[]> {
  const { sessions } = (await relay.client.request("session/list", {})) as {
    sessions: readonly { readonly sessionId: string }[];
  };
  return sessions.map(({ sessionId }) => sessionId);
}

const remove = (relay: Rig, sessionId: string) => relay.client.request("session/delete", { sessionId });

describe("a deletion", () => {
  it.each([
    ["create", "before"],
    ["create", "after"],
    ["delete", "before"],
    ["delete", "after"],
    ["flush", "after"],
  ] as const)(
    "that the store has failed in the middle, at %s, %s it, hides the agent's session when it is asked for again",
    async (method, when) => {
      const { store, fail } = flaky(openMemoryStore());
      const relay = await rig({ store, script: lists("agent-1") });
      const ours = await relay.newSession();
      fail(method, when);
      await expect(remove(relay, ours)).rejects.toMatchObject({ data: { code: "STORE_FAILED" } });
      await remove(relay, ours);
      expect(await listed(relay)).toEqual([]);
      await relay.close();
    },
  );

  it("hides the session from lists while the agent is still deleting", async () => {
    const deleting = gate();
    const script = {
      ...lists("agent-1"),
      ...named("scripted", { list: {}, delete: {} }),
      "session/delete": () => deleting.passed,
    };
    const relay = await rig({ script });
    const removing = remove(relay, await relay.newSession());
    await until(() => relay.agentNow().heardOf("session/delete").length === 1);
    expect(await listed(relay)).toEqual([]);
    deleting.open();
    await removing;
    await relay.close();
  });

  it("hides the session from every agent that it was with", async () => {
    const first = await rig({ script: { ...lists("agent-1"), ...named("first") } });
    const { store } = first;
    const ours = await first.newSession();
    await first.close();
    const second = await rig({
      store,
      script: { ...lists("other-1"), ...named("second"), "session/new": () => ({ sessionId: "other-1" }) },
    });
    await second.load(ours);
    await remove(second, ours);
    expect(await listed(second)).toEqual([]);
    await second.close();
    const again = await rig({ store, script: { ...lists("agent-1"), ...named("first") } });
    expect(await listed(again)).toEqual([]);
    await again.close();
  });

  it("of an agent's own session hides none of another agent's that has the same id, nor keeps it from being hidden", async () => {
    const first = await rig({ script: { ...lists("agent-1"), ...named("first") } });
    const { store } = first;
    await remove(first, "agent-1");
    await first.close();
    const second = await rig({ store, script: { ...lists("agent-1"), ...named("second") } });
    expect(await listed(second)).toEqual(["agent-1"]);
    await remove(second, "agent-1");
    expect(await listed(second)).toEqual([]);
    await second.close();
  });
});

describe("tombstones", () => {
  it("take no room in the pages of a list, however many they are", async () => {
    const relay = await rig({ script: lists() });
    const kept = await relay.newSession();
    for (let i = 0; i < 60; i += 1) await remove(relay, await relay.newSession());
    expect(await listed(relay)).toEqual([kept]);
    expect(await relay.registry.count()).toBe(1);
    await relay.close();
  });

  it("are no sessions that go idle: retention and clearing neither count nor delete them", async () => {
    let nowMs = Date.now();
    const relay = await rig({ script: lists("agent-1"), registry: { now: () => nowMs } });
    await remove(relay, await relay.newSession());
    nowMs += 1e12;
    expect(await relay.registry.expire({ idleForMs: 1 })).toBe(0);
    expect(await relay.registry.clear()).toBe(0);
    expect(await listed(relay)).toEqual([]);
    await relay.close();
  });

  it("are not found by their own id", async () => {
    const relay = await rig({ script: lists() });
    await remove(relay, await relay.newSession());
    const [tombstone] = (await relay.store.list()).items;
    await expect(relay.load(tombstone?.id ?? "")).rejects.toMatchObject({ code: -32002 });
    await relay.close();
  });
});
