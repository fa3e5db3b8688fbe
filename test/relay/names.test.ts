/** Sessions that are known by several ids, the agent's and ours, and those that the client has seen the last of. */
import { describe, expect, it } from "vitest";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import type { Store } from "../../src/store/contract.ts";
import { gate, initialized, rig, until, type Rig, type Script } from "./rig.ts";

const listing = { initialize: initialized({ list: {} }, { loadSession: true }) };

async function listed({ client }: Rig, params: object = {}): Promise<string[]> {
  const { sessions } = (await client.request("session/list", params)) as {
    sessions: { sessionId: string }[];
  };
  return sessions.map(({ sessionId }) => sessionId);
}

describe("a session that the client asks for by our id and by the agent's", () => {
  it("is one and the same: neither shuts the other out, and the client is told of it by the id that it used last [REQ load-names]", async () => {
    const relay = await rig({
      script: {
        ...listing,
        "session/prompt": async ({ sessionId }, agent) => {
          await agent.say(String(sessionId), "said");
          return { stopReason: "end_turn" };
        },
      },
    });
    const ours = await relay.newSession();
    await relay.load("agent-1");
    for (const used of ["agent-1", ours, "agent-1", ours]) {
      const from = relay.updates.length;
      await relay.prompt(used);
      expect(relay.updates.slice(from).map(({ sessionId }) => sessionId)).toEqual([used]);
    }
    expect((await relay.registry.stats()).live).toBe(1);
    await relay.client.request("session/close", { sessionId: "agent-1" });
    expect((await relay.registry.stats()).live).toBe(0);
    await relay.close();
  });

  it.each(["session/load", "session/resume"])(
    "has no other name in the answer to a %s, whatever the agent says there [REQ translate-session-id]",
    async (method) => {
      const known = ({ sessionId }: { readonly sessionId?: unknown }) => ({ sessionId, models: {} });
      const initialize = initialized({ list: {}, resume: {} }, { loadSession: true });
      const script: Script = { initialize, "session/load": known, "session/resume": known };
      const first = await rig({ script });
      const ours = await first.newSession();
      await first.close();
      const relay = await rig({ store: first.store, script });
      for (const sessionId of [ours, "theirs"]) {
        const params = { sessionId, cwd: "/work", mcpServers: [] };
        expect(await relay.client.request(method, params)).toEqual({ models: {} });
      }
      await relay.close();
    },
  );

  it("may be asked for by both at once", async () => {
    const relay = await rig({ script: listing });
    const ours = await relay.newSession();
    await relay.client.request("session/close", { sessionId: ours });
    await Promise.all([relay.load(ours), relay.load("agent-1")]);
    for (const used of [ours, "agent-1"])
      expect(await relay.prompt(used)).toMatchObject({ stopReason: "end_turn" });
    await relay.close();
  });
});

/** A store that looks for sessions as slowly as one across a network. */
function slowToFind(inner: Store): Store {
  const list: Store["list"] = async (query) => {
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    return inner.list(query);
  };
  return new Proxy(inner, {
    get: (target, name) => {
      if (name === "list") return list;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

describe("two loads of a session that only the agent has", () => {
  it("adopt it once, and both are answered when it is there [REQ list-agent]", async () => {
    const free = gate();
    const modes = { currentModeId: "ask", availableModes: [] };
    const relay = await rig({
      store: slowToFind(openMemoryStore()),
      script: {
        ...listing,
        "session/load": async ({ sessionId }, agent) => {
          await free.passed;
          await agent.say(String(sessionId), "once");
          return { modes };
        },
      },
    });
    const loads = [relay.load("theirs"), relay.load("theirs"), relay.load("theirs")];
    await until(() => relay.agentNow().heardOf("session/load").length > 0);
    free.open();
    expect(await Promise.all(loads)).toEqual([{ modes }, { modes }, { modes }]);
    expect(relay.agentNow().heardOf("session/load")).toHaveLength(1);
    expect(await relay.registry.count()).toBe(1);
    // The adoption's own replay, and one for each of the others.
    expect(relay.shown()).toBe("onceonceonce");
    await relay.close();
  });

  it("that the agent does not have are both refused", async () => {
    const relay = await rig({
      script: {
        ...listing,
        "session/load": () => {
          throw new Error("no such session");
        },
      },
    });
    const loads = await Promise.allSettled([relay.load("theirs"), relay.load("theirs")]);
    expect(loads.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(await relay.registry.count()).toBe(0);
    await relay.close();
  });
});

describe("a deleted session", () => {
  /** Cannot delete the session that it lists. */
  const script: Script = {
    ...listing,
    "session/list": () => ({ sessions: [{ sessionId: "agent-1", cwd: "/work" }] }),
  };

  it("does not come back in the list of an agent that cannot delete it [REQ delete-gone]", async () => {
    const theirs = new Set(["theirs"]);
    const relay = await rig({
      script: {
        ...listing,
        "session/list": () => ({
          sessions: [...theirs, "agent-1"].map((sessionId) => ({ sessionId, cwd: "/work" })),
        }),
      },
    });
    const ours = await relay.newSession();
    expect(await listed(relay)).toEqual([ours, "theirs"]);
    await relay.client.request("session/delete", { sessionId: ours });
    await relay.client.request("session/delete", { sessionId: "theirs" });
    expect(await listed(relay)).toEqual([]);
    await relay.load("theirs");
    expect(await listed(relay)).toHaveLength(1);
    await relay.close();
  });

  it("that was another agent's is not looked for at this one, whose ids mean other sessions [REQ delete-forward]", async () => {
    const first = await rig({ script: { initialize: initialized({ delete: {} }) } });
    const ours = await first.newSession();
    await first.client.request("session/close", { sessionId: ours });
    const { store } = first;
    const another = () => ({
      ...initialized({ delete: {} })(),
      agentInfo: { name: "another", version: "1" },
    });
    const relay = await rig({ store, script: { initialize: another } });
    await relay.client.request("session/delete", { sessionId: ours });
    expect(relay.agentNow().heardOf("session/delete")).toEqual([]);
    expect(await relay.registry.count()).toBe(0);
    await relay.close();
    await first.close();
  });

  it("stays away after a restart, in other processes, too, and is found when it is asked for by name [REQ delete-gone]", async () => {
    const first = await rig({ script });
    const { store } = first;
    await first.client.request("session/delete", { sessionId: await first.newSession() });
    await first.close();
    const relay = await rig({ store, script });
    expect(await listed(relay)).toEqual([]);
    expect(await relay.registry.count()).toBe(0);
    await relay.client.request("session/delete", { sessionId: "agent-1" });
    expect(await store.count()).toBe(1);
    await expect(relay.load("agent-1")).resolves.toBeDefined();
    expect(await listed(relay)).toHaveLength(1);
    expect(await store.count()).toBe(1);
    await relay.close();
  });

  it("of one agent hides none of another's that has the same id", async () => {
    const first = await rig({ script });
    const { store } = first;
    await first.client.request("session/delete", { sessionId: await first.newSession() });
    await first.close();
    const initialize = () => ({ ...listing.initialize(), agentInfo: { name: "another", version: "1" } });
    const relay = await rig({ store, script: { ...script, initialize } });
    expect(await listed(relay)).toEqual(["agent-1"]);
    await relay.close();
  });

  // As Claude's agent 0.49 does: a process of its own writes the session once more.
  it("stays away though its agent deletes it and lists it all the same", async () => {
    const initialize = initialized({ list: {}, delete: {} });
    const relay = await rig({ script: { ...script, initialize, "session/delete": () => ({}) } });
    await relay.client.request("session/delete", { sessionId: await relay.newSession() });
    expect(relay.agentNow().heardOf("session/delete")).toEqual([{ sessionId: "agent-1" }]);
    expect(await listed(relay)).toEqual([]);
    await relay.close();
  });

  it("leaves nothing behind where the agent lists nothing", async () => {
    const relay = await rig({ script: { initialize: initialized({ delete: {} }) } });
    await relay.client.request("session/delete", { sessionId: await relay.newSession() });
    expect(await relay.store.count()).toBe(0);
    await relay.close();
  });
});

describe("a folder", () => {
  it("is the same however it is written [REQ list-cwd]", async () => {
    const relay = await rig();
    const made = (cwd: string) => relay.client.request("session/new", { cwd, mcpServers: [] });
    await made("/project/");
    await made("/project/x/..");
    await made("/project/x");
    expect(await listed(relay, { cwd: "/project" })).toHaveLength(2);
    expect(await listed(relay, { cwd: "/project/./" })).toHaveLength(2);
    expect(await listed(relay, { cwd: "/project/x" })).toHaveLength(1);
    // The agent gets what the client wrote.
    expect(relay.agentNow().heardOf("session/new")[0]).toMatchObject({ cwd: "/project/" });
    await relay.close();
  });
});
