/** Rewind, undo and edit through the one door, on every store. */
import { describe, expect, it } from "vitest";
import type { SessionId } from "../../src/base/ids.ts";
import type { SessionRegistry } from "../../src/session/registry.ts";
import type { Store } from "../../src/store/contract.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { aHolder, aRequest, aSession, anEntry, entriesOf, leaseOf, mustGet } from "../conformance/samples.ts";
import { onEveryStore } from "./every-store.ts";
import { all, registryOf } from "./registry-rig.ts";

const text = (words: string) => [{ type: "text", text: words }];
const prompt = (words: string) =>
  anEntry("", { kind: "prompt", data: JSON.stringify({ prompt: text(words) }) });
const update = (update: object) => anEntry("", { kind: "update", data: JSON.stringify({ update }) });
const answer = (words: string) =>
  update({ sessionUpdate: "agent_message_chunk", content: text(words)[0], messageId: `m ${words}` });
const end = anEntry("", { kind: "end", data: '{"result":{"stopReason":"end_turn"}}' });
const call = update({ sessionUpdate: "tool_call", toolCallId: "c", title: "run", status: "completed" });
const turn = (words: string) => [prompt(words), call, answer(`to ${words}`), end];

/** Two turns: entries 1 … 4, 5 … 8. */
async function twoTurns(store: Store): Promise<SessionId> {
  const { id } = await store.create(
    aSession({
      title: "first",
      agent: { command: "a" },
      agentSessionIds: ["theirs"],
      settings: { modeId: "m" },
    }),
  );
  const lease = await leaseOf(store, id);
  await store.seal(id, { from: 1, head: 0 }, [...turn("first"), ...turn("second")], lease);
  await store.release(lease);
  return id;
}

const said = async (registry: SessionRegistry, id: SessionId) =>
  (await all(registry.messages(id))).map(({ content }) => (content[0] as { text: string }).text);

onEveryStore((open) => {
  it("a rewind keeps what it supersedes, lets the agent's session go, and can be undone and undone again", async () => {
    const store = await open();
    const { registry } = registryOf({ store });
    const id = await twoTurns(store);
    expect(await registry.back.effect(id, 4)).toEqual({ toSeq: 4, turns: 1, turnsBack: 0 });
    const rewound = await registry.rewind(id, 4);
    expect(rewound).toMatchObject({ headSeq: 9, sealedSeq: 9, title: "first", agentSessionIds: ["theirs"] });
    expect(rewound.settings).toEqual({
      modeId: "m",
      rewinds: [{ at: 9, toSeq: 4 }],
      ownAgentIds: 0,
      formerIds: { theirs: { command: "a" } },
    });
    expect(await mustGet(store, id)).toMatchObject({ headSeq: 9, settings: rewound.settings });
    expect(await said(registry, id)).toEqual(["first", "to first"]);
    // The agent's list shows it under that id no second time.
    expect((await registry.find("theirs", { command: "a" }))?.id).toBe(id);
    expect((await entriesOf(store, id)).slice(4, 8).map(({ kind }) => kind)).toEqual(
      turn("").map(({ kind }) => kind),
    );

    await registry.addMessage(id, { role: "user", content: "other" });
    expect(await registry.back.effect(id, "undo")).toEqual({ toSeq: 8, turns: 1, turnsBack: 1 });
    await registry.back.rewind(id, "undo");
    expect(await said(registry, id)).toEqual(["first", "to first", "second", "to second"]);
    await registry.back.rewind(id, "undo");
    expect(await said(registry, id)).toEqual(["first", "to first", "other"]);
    await registry.rewind(id, 0);
    // The first prompt was its title.
    expect(await mustGet(store, id)).not.toHaveProperty("title");
    expect(await said(registry, id)).toEqual([]);
  });

  it("an edit says a prompt anew in its place; the wordings that stood there are known", async () => {
    const store = await open();
    const { registry } = registryOf({ store });
    const id = await twoTurns(store);
    await registry.edit(id, 5, { role: "user", content: "second, better" });
    expect(await said(registry, id)).toEqual(["first", "to first", "second, better"]);
    const { headSeq } = await registry.edit(id, 10, { role: "user", content: "third try" });
    expect(await said(registry, id)).toEqual(["first", "to first", "third try"]);
    const wordings = [
      { seq: 5, content: text("second"), counts: false },
      { seq: 10, content: text("second, better"), counts: false },
      { seq: headSeq, content: text("third try"), counts: true },
    ].map((each) => expect.objectContaining(each) as unknown);
    for (const seq of [5, 10, headSeq]) expect(await registry.back.wordings(id, seq)).toEqual(wordings);
    expect(await registry.back.wordings(id, 1)).toMatchObject([{ seq: 1, counts: true }]);
    await expect(registry.edit(id, 5, { role: "user", content: "" })).rejects.toMatchObject({
      code: "INVALID_PARAMS",
    });
    for (const seq of [0, 2, 99])
      await expect(registry.back.wordings(id, seq)).rejects.toMatchObject({ code: "INVALID_PARAMS" });
  });

  it("of a session that somebody holds in a turn is refused, and changes nothing; one that is idle is taken over", async () => {
    const store = await open();
    const { registry } = registryOf({ store });
    const id = await twoTurns(store);
    const { lease } = await store.acquire(id, aRequest({ holder: aHolder("other") }));
    await store.renew({ ...lease, turnRunning: true });
    await expect(registry.rewind(id, 4)).rejects.toMatchObject({ code: "SESSION_BUSY" });
    expect(await mustGet(store, id)).toMatchObject({ headSeq: 8, settings: { modeId: "m" } });
    await store.renew({ ...lease, turnRunning: false });
    await registry.rewind(id, 4);
    await expect(store.append(id, 8, [end], lease)).rejects.toMatchObject({ code: "LEASE_LOST" });
  });
});

describe("going back", () => {
  it.each([
    [9, /up to 8/],
    [-1, /up to 8/],
    [1.5, /up to 8/],
    [2, /use 1$/],
    [6, /use 5$/],
  ])("to entry %d is refused by what can be gone back to", async (toSeq, words) => {
    const store = openMemoryStore();
    const { registry } = registryOf({ store });
    const id = await twoTurns(store);
    await expect(registry.rewind(id, toSeq)).rejects.toMatchObject({
      code: "INVALID_PARAMS",
      message: expect.stringMatching(words) as unknown,
    });
    await expect(registry.back.rewind(id, "undo")).rejects.toMatchObject({ code: "INVALID_PARAMS" });
    expect(await mustGet(store, id)).toMatchObject({ headSeq: 8, settings: { modeId: "m" } });
  });

  it("to where it stands does nothing", async () => {
    const store = openMemoryStore();
    const { registry } = registryOf({ store });
    const id = await twoTurns(store);
    expect((await registry.rewind(id, 8)).headSeq).toBe(8);
    expect((await mustGet(store, id)).settings).toEqual({ modeId: "m" });
  });

  it("leaves no trace but a forgotten agent session when it ends between its two writes", async () => {
    const store = openMemoryStore();
    const id = await twoTurns(store);
    const seal: Store["seal"] = async (of, range, entries, lease) => {
      if (entries.some(({ kind }) => kind === "rewind")) throw new Error("killed");
      return store.seal(of, range, entries, lease);
    };
    const failing = new Proxy(store, {
      get: (target, key) => {
        if (key === "seal") return seal;
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
    await expect(registryOf({ store: failing }).registry.rewind(id, 4)).rejects.toThrow("killed");
    const { registry } = registryOf({ store });
    expect((await registry.get(id)).settings).toMatchObject({
      rewinds: [{ at: 9, toSeq: 4 }],
      ownAgentIds: 0,
    });
    const whole = ["first", "to first", "second", "to second"];
    expect(await said(registry, id)).toEqual(whole);
    // Another entry takes the place that the rewind was to have.
    await registry.addMessage(id, { role: "user", content: "third" });
    expect(await said(registry, id)).toEqual([...whole, "third"]);
    await registry.rewind(id, 4);
    expect(await said(registry, id)).toEqual(["first", "to first"]);
    await registry.back.rewind(id, "undo");
    expect(await said(registry, id)).toEqual([...whole, "third"]);
  });

  it("keeps a title that somebody gave", async () => {
    const store = openMemoryStore();
    const { registry } = registryOf({ store });
    const id = await twoTurns(store);
    await registry.update(id, () => ({ title: "Mine" }));
    expect((await registry.rewind(id, 0)).title).toBe("Mine");
  });

  it("finds a message by the id that clients see", async () => {
    const store = openMemoryStore();
    const { registry } = registryOf({ store });
    const id = await twoTurns(store);
    const record = await registry.get(id);
    const seqOf = (at: string) => registry.back.seqOf(record, at);
    expect(await seqOf("m to first")).toBe(3);
    expect(await seqOf("acp-sidecar:prompt:5")).toBe(5);
    for (const none of ["m", "acp-sidecar:prompt:4", "acp-sidecar:prompt:99", "acp-sidecar:message:5", ""])
      await expect(seqOf(none)).rejects.toMatchObject({ code: "INVALID_PARAMS" });
    await registry.rewind(id, 4);
    const now = await registry.get(id);
    await expect(registry.back.seqOf(now, "m to second")).rejects.toMatchObject({ code: "INVALID_PARAMS" });
  });
});
