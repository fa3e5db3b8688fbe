import { describe, expect, it } from "vitest";
import { type Script, initialized, rig } from "../rig.ts";

const listing = { initialize: initialized({ list: {} }, { loadSession: true }) };

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
