import { describe, expect, it } from "vitest";
import { toSessionId } from "../../../src/base/ids.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { rig } from "../rig.ts";
import { flaky } from "../../session/flaky-store.ts";

describe("an attach that could not be recorded", () => {
  it("is made again with the next request", async () => {
    const { store, fail } = flaky(openMemoryStore());
    const relay = await rig({ store });
    const sessionId = await relay.newSession();
    relay.agentNow().die();
    fail("update", "before");
    await expect(relay.client.request("session/set_mode", { sessionId, modeId: "m" })).rejects.toMatchObject({
      data: { code: "STORE_FAILED" },
    });
    await relay.prompt(sessionId);
    expect((await relay.registry.get(toSessionId(sessionId))).agentSessionIds).toEqual([
      "agent-1",
      "agent-3",
    ]);
    await relay.close();
  });
});
