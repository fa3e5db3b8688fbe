import { describe, expect, it, vi } from "vitest";
import { SidecarError } from "../../../src/base/errors.ts";
import { newSessionId } from "../../../src/base/ids.ts";
import { thisHolder } from "../../../src/session/holder.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { RpcError } from "../../../src/rpc/errors.ts";
import { type Rig, type Script, initialized, rig, until } from "../rig.ts";

const listing = initialized({ list: {} }, { loadSession: true });
const never = () => new Promise<never>(() => undefined);

/** Replays two messages of its session, and then does what it is told. */
function replaying(then: () => unknown): Script {
  return {
    initialize: listing,
    "session/load": async ({ sessionId }, agent) => {
      await agent.say(String(sessionId), "one ");
      await agent.say(String(sessionId), "two");
      return then();
    },
  };
}

async function listedBy({ client }: Rig): Promise<unknown[]> {
  return ((await client.request("session/list", {})) as { sessions: unknown[] }).sessions;
}

/** A relay that is never heard of again in the middle of an adoption, as one that was killed. */
async function killedWhileAdopting(store = openMemoryStore()): Promise<Rig> {
  const relay = await rig({ store, script: replaying(never) });
  void relay.load("theirs").catch(() => undefined);
  await until(() => relay.shown() === "one two");
  return relay;
}

// Found by kill-sidecar, seed s3-sqlite.
describe("an adoption that was killed", () => {
  it("is made anew by the next load, whole, and leaves nothing of its own behind [REQ list-agent]", async () => {
    const killed = await killedWhileAdopting();
    const { store } = killed;
    const relay = await rig({ store, script: replaying(() => ({})) });
    expect(await listedBy(relay)).toEqual([]);
    await relay.load("theirs");
    expect(relay.shown()).toBe("one two");
    expect(await listedBy(relay)).toHaveLength(1);
    const { items } = await store.list();
    expect(items).toMatchObject([{ agentSessionIds: ["theirs"], metadata: {} }]);
    await relay.close();
  });

  it("does not bring a session to life that the agent does not have", async () => {
    const { store } = await killedWhileAdopting();
    const unknown = () => {
      throw new Error("no such session");
    };
    const relay = await rig({ store, script: { initialize: listing, "session/load": unknown } });
    await expect(relay.load("theirs")).rejects.toThrow();
    expect(await store.count()).toBe(0);
    await relay.close();
  });
});

describe("an adoption that the store does not take at its end", () => {
  it("fails with the store's error, and the next one brings the session whole", async () => {
    const store = openMemoryStore();
    const seal = vi.spyOn(store, "seal").mockRejectedValueOnce(new SidecarError("STORE_FULL", "full"));
    const relay = await rig({ store, script: replaying(() => ({})) });
    await expect(relay.load("theirs")).rejects.toMatchObject({ data: { code: "STORE_FULL" } });
    expect(await listedBy(relay)).toEqual([]);
    seal.mockRestore();
    await relay.load("theirs");
    expect(relay.shown()).toBe("one twoone two");
    expect(await listedBy(relay)).toHaveLength(1);
    expect(await store.count()).toBe(1);
    await relay.close();
  });
});

describe("an adoption that goes on in another process", () => {
  it("keeps others from adopting the session, too", async () => {
    const { store } = await killedWhileAdopting();
    const [record] = (await store.list()).items;
    if (record === undefined) throw new Error("nothing is being adopted");
    const holder = { ...thisHolder(), host: "elsewhere" };
    await store.acquire(record.id, { holder, ttlMs: 60_000, mayTake: () => true });
    const relay = await rig({ store, script: replaying(() => ({})) });
    await expect(relay.load("theirs")).rejects.toMatchObject({ data: { code: "SESSION_BUSY" } });
    await relay.close();
  });
});

describe("a session of ours that is gone", () => {
  const ours = newSessionId();
  const listed = (pages: readonly string[][]): Script => ({
    initialize: listing,
    "session/list": ({ cursor }) => {
      const at = Number(cursor ?? 0);
      const sessions = (pages[at] ?? []).map((sessionId) => ({ sessionId, cwd: "/work" }));
      return { sessions, ...(at + 1 < pages.length && { nextCursor: String(at + 1) }) };
    },
    "session/load": () => ({}),
  });

  // Qwen Code makes a new session of any id; opencode calls it an internal error.
  it("is not looked for at an agent that does not list it, which might make a new one of its id [REQ bad-session]", async () => {
    const relay = await rig({ script: listed([["theirs"], ["others"]]) });
    await expect(relay.load(ours)).rejects.toMatchObject({
      code: -32002,
      data: { code: "SESSION_NOT_FOUND", sessionId: ours },
    });
    expect(relay.agentNow().heardOf("session/load")).toEqual([]);
    expect(await relay.store.count()).toBe(0);
    await relay.close();
  });

  it("may be the agent's, if the agent gives ids of the same form and lists it", async () => {
    const relay = await rig({ script: listed([["theirs"], [ours]]) });
    await expect(relay.load(ours)).resolves.toBeDefined();
    expect(await relay.registry.count()).toBe(1);
    await relay.close();
  });

  it("is an error in time when the agent does not say whether it is its own", async () => {
    const relay = await rig({
      script: { ...listed([]), "session/list": () => new Promise(() => undefined) },
    });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const loading = expect(relay.load(ours)).rejects.toMatchObject({ data: { code: "AGENT_UNAVAILABLE" } });
      await until(() => relay.agentNow().heardOf("session/list").length === 1);
      vi.advanceTimersByTime(5000);
      await loading;
    } finally {
      vi.useRealTimers();
    }
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

describe("the title of an adopted session", () => {
  const titled = (list: Script["session/list"]): Script => ({
    initialize: listing,
    "session/list": list ?? (() => ({ sessions: [] })),
    "session/load": () => ({}),
  });
  const theirs = () => ({ sessions: [{ sessionId: "theirs", cwd: "/work", title: "As it was listed" }] });
  const titleAfterPrompt = async (relay: Rig) => {
    await relay.load("theirs");
    await relay.prompt("theirs");
    return (await relay.registry.list()).items[0]?.title;
  };

  it("is the one under which the agent lists it, and no later prompt's [REQ list-facts]", async () => {
    const relay = await rig({ script: titled(theirs) });
    expect(await titleAfterPrompt(relay)).toBe("As it was listed");
    await relay.close();
  });

  it("is the one that the agent tells while it loads, where it does", async () => {
    const update = { sessionUpdate: "session_info_update", title: "As it was told" };
    const relay = await rig({
      script: {
        ...titled(theirs),
        "session/load": async (_params, agent) => {
          await agent.update("theirs", update);
          return {};
        },
      },
    });
    expect(await titleAfterPrompt(relay)).toBe("As it was told");
    await relay.close();
  });

  it("is its first prompt's where the list fails", async () => {
    const failing = () => {
      throw new RpcError(-32603, "no list today");
    };
    const relay = await rig({ script: titled(failing) });
    expect(await titleAfterPrompt(relay)).not.toBe("As it was listed");
    expect(await relay.registry.count()).toBe(1);
    await relay.close();
  });
});

describe("a session from before the sidecar", () => {
  const replaying: Script = {
    initialize: initialized({}, { loadSession: true }),
    "session/load": async ({ sessionId }, agent) => {
      if (sessionId !== "theirs") throw new RpcError(-32002, "no such session");
      await agent.say("theirs", "from before");
      return {};
    },
  };

  it("is adopted from an agent that can load and does not list", async () => {
    const relay = await rig({ script: replaying });
    await relay.load("theirs");
    expect(relay.shown()).toBe("from before");
    expect(await relay.registry.count()).toBe(1);
    await relay.close();
  });

  it("that the agent does not have leaves nothing behind", async () => {
    const relay = await rig({ script: replaying });
    await expect(relay.load("others")).rejects.toMatchObject({ data: { code: "SESSION_NOT_FOUND" } });
    expect(await relay.registry.count()).toBe(0);
    await relay.close();
  });
});
