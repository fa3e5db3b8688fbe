import { afterEach, describe, expect, it, vi } from "vitest";
import { toSessionId } from "../../../src/base/ids.ts";
import type { Store } from "../../../src/store/contract.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { gate, initialized, rig, until } from "../rig.ts";

const listing = { initialize: initialized({ list: {} }, { loadSession: true }) };

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

afterEach(() => {
  vi.useRealTimers();
});

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

describe("a history that is longer than the client reads", () => {
  it("is read from the store at the client's pace, a page or two ahead of it [REQ load-memory, back-pressure]", async () => {
    const inner = openMemoryStore();
    let readChars = 0;
    const store = new Proxy(inner, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (name !== "read") return typeof value === "function" ? (value.bind(target) as unknown) : value;
        return async function* (...args: Parameters<Store["read"]>) {
          for await (const page of target.read(...args)) {
            readChars += page.reduce((sum, { data }) => sum + data.length, 0);
            yield page;
          }
        };
      },
    });
    const stalled = gate();
    const relay = await rig({ store, clientReads: () => stalled.passed });
    const sessionId = await relay.newSession();
    await relay.client.request("session/close", { sessionId });
    const [entries, textChars] = [160, 1 << 17];
    for (let n = 0; n < entries; n += 1) {
      const content = "x".repeat(textChars);
      await relay.registry.addMessage(toSessionId(sessionId), { role: "assistant", content });
    }
    // To write on, each has looked at the one before it.
    readChars = 0;
    const loading = relay.load(sessionId);
    await until(() => relay.updates.length > 0);
    // Whatever is not held back by the client's silence comes now.
    for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(readChars).toBeLessThan(4 << 20);
    stalled.open();
    await loading;
    expect(relay.updates).toHaveLength(entries);
    expect(readChars).toBeGreaterThan(entries * textChars);
    await relay.close();
  });
});

describe("a session that is loaded while it is live", () => {
  it("hands what it is set up with now to the next agent session", async () => {
    const relay = await rig();
    const sessionId = await relay.newSession();
    const mcpServers = [{ name: "new", command: "x", args: [], env: [] }];
    await relay.client.request("session/load", { sessionId, cwd: "/work", mcpServers });
    expect((await relay.registry.get(toSessionId(sessionId))).mcpServerNames).toEqual(["new"]);
    relay.agentNow().die();
    await relay.prompt(sessionId);
    expect(relay.agentNow().heardOf("session/new")).toEqual([{ cwd: "/work", mcpServers }]);
    await relay.close();
  });
});

describe("a load without additional directories", () => {
  it("has none, whatever the session had before", async () => {
    const script = { initialize: initialized({ resume: {} }) };
    const first = await rig({ script });
    const made = { cwd: "/work", mcpServers: [], additionalDirectories: ["/more"] };
    const { sessionId } = (await first.client.request("session/new", made)) as { sessionId: string };
    await first.prompt(sessionId);
    await first.close();
    const relay = await rig({ script, store: first.store });
    await relay.load(sessionId);
    expect((await relay.registry.get(toSessionId(sessionId))).additionalDirectories).toEqual([]);
    const [resumed] = relay.agentNow().heardOf("session/resume");
    expect(resumed).not.toHaveProperty("additionalDirectories");
    await relay.close();
  });
});
