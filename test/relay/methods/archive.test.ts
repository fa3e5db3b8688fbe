import { describe, expect, it } from "vitest";
import { initialized, rig } from "../rig.ts";

type Listed = { readonly sessions: readonly { readonly sessionId: string; readonly archived?: boolean }[] };

async function listed(
  relay: Awaited<ReturnType<typeof rig>>,
  params: object = {},
): Promise<Listed["sessions"]> {
  return ((await relay.client.request("session/list", params)) as Listed).sessions;
}

describe("session/archive, session/unarchive and session/status", () => {
  it("are answered for an agent that knows none of them, and never reach it [REQ archive-any-agent]", async () => {
    const relay = await rig();
    const sessionId = await relay.newSession();
    await relay.prompt(sessionId);
    const status = () => relay.client.request("session/status", { sessionId });
    expect(await status()).toMatchObject({ status: "open", _meta: { "acp-sidecar": { archived: false } } });
    expect(await relay.client.request("session/archive", { sessionId })).toEqual({});
    expect(await relay.client.request("session/archive", { sessionId })).toEqual({});
    expect(await status()).toMatchObject({ status: "saved", _meta: { "acp-sidecar": { archived: true } } });
    expect(await listed(relay)).toEqual([]);
    expect(await listed(relay, { archived: "only" })).toMatchObject([{ sessionId, archived: true }]);
    await relay.client.request("session/unarchive", { sessionId });
    expect(await listed(relay, { archived: null })).toMatchObject([{ sessionId, archived: false }]);
    for (const method of ["session/archive", "session/unarchive", "session/status"])
      expect(relay.agents[0]?.heardOf(method)).toEqual([]);
    await relay.close();
  });

  it("ends a turn first, as session/close does; loading brings it back [REQ archive-opens]", async () => {
    const script = {
      "session/prompt": () => new Promise<never>(() => undefined),
    };
    const relay = await rig({ script, relay: { cancelGraceMs: 10 } });
    const sessionId = await relay.newSession();
    const turn = relay.prompt(sessionId);
    await relay.client.request("session/archive", { sessionId });
    expect(await turn).toMatchObject({ stopReason: "cancelled" });
    expect(await listed(relay)).toEqual([]);
    await relay.load(sessionId);
    expect(await listed(relay)).toMatchObject([{ sessionId, archived: false }]);
    await relay.close();
  });

  it.each(["session/archive", "session/unarchive", "session/status"])(
    "%s refuses the unknown",
    async (method) => {
      const relay = await rig();
      await expect(relay.client.request(method, { sessionId: "nobody" })).rejects.toMatchObject({
        code: -32002,
      });
      await expect(relay.client.request(method, {})).rejects.toMatchObject({ code: -32602 });
      await relay.close();
    },
  );

  it("are asked of an agent about a session that only it has", async () => {
    const script = {
      initialize: initialized({ archive: {}, status: {} }),
      "session/status": () => ({ status: "open" }),
    };
    const relay = await rig({ script });
    const answer = await relay.client.request("session/status", { sessionId: "theirs" });
    expect(answer).toEqual({ status: "open" });
    expect(relay.agents[0]?.heardOf("session/status")).toEqual([{ sessionId: "theirs" }]);
    await relay.close();
  });
});

describe("session/list with filters [REQ list-filters]", () => {
  it("takes those of ours in _meta, and refuses what it does not know", async () => {
    const relay = await rig();
    const made: string[] = [];
    for (const title of ["One", "Two", "Three"]) {
      const sessionId = await relay.newSession();
      await relay.prompt(sessionId);
      await relay.client.request("session/set_title", { sessionId, title });
      made.push(sessionId);
    }
    const ours = (filter: object) => listed(relay, { _meta: { "acp-sidecar": filter } });
    expect((await ours({ title: "tw" })).map(({ sessionId }) => sessionId)).toEqual([made[1]]);
    expect(await ours({ agent: "SCRIPT" })).toHaveLength(3);
    expect(await ours({ agent: "other" })).toEqual([]);
    expect(await ours({ limit: 2 })).toHaveLength(2);
    expect(await ours({ since: "2020-01-01T00:00:00Z" })).toHaveLength(3);
    expect(await ours({ until: "2020-01-01T00:00:00Z" })).toEqual([]);
    await expect(ours({ since: "yesterday" })).rejects.toMatchObject({ code: -32602 });
    await expect(listed(relay, { archived: "maybe" })).rejects.toMatchObject({ code: -32602 });
    await relay.close();
  });

  it("says of an agent's own sessions that they are not archived, and asks it of them only if it knows", async () => {
    const script = {
      initialize: initialized({ list: {} }),
      "session/list": () => ({ sessions: [{ sessionId: "theirs", cwd: "/tmp" }] }),
    };
    const relay = await rig({ script });
    expect(await listed(relay, { archived: "include" })).toMatchObject([
      { sessionId: "theirs", archived: false },
    ]);
    expect(relay.agents[0]?.heardOf("session/list")).toEqual([{}]);
    expect(await listed(relay, { archived: "only" })).toEqual([]);
    await relay.close();
  });
});

describe("session/set_title of a session that is not open", () => {
  it("neither opens it nor wakes the agent; loading it shows the title [REQ title-stored]", async () => {
    const relay = await rig();
    const sessionId = await relay.newSession();
    await relay.prompt(sessionId);
    await relay.client.request("session/close", { sessionId });
    const before = relay.agents[0]?.heard.length;
    const answer = await relay.client.request("session/set_title", { sessionId, title: " Later " });
    expect(answer).toEqual({ title: "Later" });
    expect(await relay.client.request("session/status", { sessionId })).toMatchObject({ status: "saved" });
    expect(relay.agents[0]?.heard.length).toBe(before);
    await relay.load(sessionId);
    const told = relay.updates.map(({ update }) => update);
    expect(told).toContainEqual({ sessionUpdate: "session_info_update", title: "Later" });
    await relay.close();
  });
});
