/** What a command or the retention has deleted, as an editor meets it. */
import { expect, it } from "vitest";
import { SessionRegistry } from "../../../src/session/registry.ts";
import { toSessionId } from "../../../src/base/ids.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { initialized, rig, type Rig } from "../rig.ts";

const listed = async (relay: Rig): Promise<string[]> => {
  const { sessions } = (await relay.client.request("session/list", {})) as {
    sessions: readonly { readonly sessionId: string }[];
  };
  return sessions.map(({ sessionId }) => sessionId);
};
const load = (relay: Rig, sessionId: string) =>
  relay.client.request("session/load", { sessionId, cwd: "/work", mcpServers: [] });
const notFound = { data: { code: "SESSION_NOT_FOUND" } };

/** An agent that lists its session for ever. */
const script = {
  initialize: () => ({
    ...initialized({ list: {} }, { loadSession: true })(),
    agentInfo: { name: "scripted" },
  }),
  "session/list": () => ({ sessions: [{ sessionId: "agent-1", cwd: "/work" }] }),
  "session/load": () => ({}),
};

it("is not listed and not loaded, until it is restored", async () => {
  const store = openMemoryStore();
  const relay = await rig({ store, script });
  const id = toSessionId(await relay.newSession());
  expect(await listed(relay)).toEqual([id]);
  const elsewhere = new SessionRegistry({ store });
  await elsewhere.remove(id);
  expect(await listed(relay)).toEqual([]);
  const prompt = { sessionId: id, prompt: [{ type: "text", text: "hello" }] };
  await expect(relay.client.request("session/prompt", prompt)).rejects.toMatchObject({
    data: { code: "LEASE_LOST" },
  });
  await expect(load(relay, id)).rejects.toMatchObject(notFound);
  // Adopted anew it would be two when it is restored.
  const other = await rig({ store, script });
  await expect(load(other, "agent-1")).rejects.toMatchObject(notFound);
  await other.close();
  await elsewhere.trash.restore(id);
  expect(await listed(relay)).toEqual([id]);
  await load(relay, id);
});

it("goes for good when the editor deletes it, too, and the agent's own stays hidden", async () => {
  const store = openMemoryStore();
  const relay = await rig({ store, script });
  const id = toSessionId(await relay.newSession());
  const elsewhere = new SessionRegistry({ store });
  await elsewhere.remove(id);
  await relay.client.request("session/delete", { sessionId: id });
  expect([await elsewhere.trash.count(), await store.get(id)]).toEqual([0, undefined]);
  expect(await listed(relay)).toEqual([]);
});

it("is not where a deletion of the editor goes", async () => {
  const store = openMemoryStore();
  const relay = await rig({ store, script });
  const id = toSessionId(await relay.newSession());
  await relay.client.request("session/delete", { sessionId: id });
  expect(await new SessionRegistry({ store }).trash.count()).toBe(0);
  expect(await store.get(id)).toBeUndefined();
});
