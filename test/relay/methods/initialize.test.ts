import { describe, expect, it } from "vitest";
import { rig } from "../rig.ts";

describe("a second initialize that fails", () => {
  it("does not undo the first", async () => {
    const relay = await rig();
    const again = relay.client.request("initialize", { protocolVersion: "one" });
    await expect(again).rejects.toMatchObject({ code: -32602 });
    expect(await relay.prompt(await relay.newSession())).toEqual({ stopReason: "end_turn" });
    await relay.close();
  });
});
