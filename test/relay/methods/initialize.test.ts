import { describe, expect, it } from "vitest";
import { initialized, rig } from "../rig.ts";

describe("a second initialize that fails", () => {
  it("does not undo the first", async () => {
    const relay = await rig();
    const again = relay.client.request("initialize", { protocolVersion: "one" });
    await expect(again).rejects.toMatchObject({ code: -32602 });
    expect(await relay.prompt(await relay.newSession())).toEqual({ stopReason: "end_turn" });
    await relay.close();
  });
});

describe("facts that a peer tells of itself nested a thousand levels deep", () => {
  it("cost themselves and no session [issue 14.5]", async () => {
    const deep = JSON.parse(`${'{"a":'.repeat(1000)}1${"}".repeat(1000)}`) as object;
    const agentInfo = { name: "deep", version: "1", _meta: deep };
    const relay = await rig({ script: { initialize: () => ({ ...initialized()(), agentInfo }) } });
    const sessionId = await relay.newSession();
    expect(await relay.prompt(sessionId)).toEqual({ stopReason: "end_turn" });
    const [record] = (await relay.store.list({})).items;
    expect(record?.agent?.info).toEqual({ name: "deep", version: "1" });
    await relay.close();
  });
});
