import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toSessionId } from "../../../src/base/ids.ts";
import { RpcError } from "../../../src/rpc/errors.ts";
import { titleOf } from "../../../src/session/titles.ts";
import { collect } from "../../../src/session/pages.ts";
import { type Rig, rig } from "../rig.ts";

const text = (words: string) => ({ type: "text", text: words });

async function kindsOf({ store }: Rig, sessionId: string): Promise<string[]> {
  const kinds: string[] = [];
  for await (const page of store.read(toSessionId(sessionId))) kinds.push(...page.map(({ kind }) => kind));
  return kinds;
}

describe("a title", () => {
  it("is the first line of the first text that has one, on one line, with single spaces", () => {
    expect(titleOf([{ type: "image" }, text(" \n\t"), text("\n  Fix \t the   bug  \nsoon")])).toBe(
      "Fix the bug",
    );
    expect(titleOf([])).toBeUndefined();
    expect(
      titleOf([
        { type: "text", text: 5 },
        { type: "resource_link", name: "x" },
      ]),
    ).toBeUndefined();
  });

  it("is never longer than eighty characters, and none of them is cut", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 60, maxLength: 300 }), (words) => {
        const title = titleOf([text(words)]) ?? "";
        expect(Array.from(title).length).toBeLessThanOrEqual(80);
        expect(Buffer.from(title).toString()).toBe(title);
      }),
    );
    expect(titleOf([text("🐎".repeat(81))])).toBe(`${"🐎".repeat(79)}…`);
  });
});

describe("a prompt and its cancellation in one breath", () => {
  it("are taken in this order, even if the session has to be opened first", async () => {
    const first = await rig();
    const sessionId = await first.newSession();
    await first.close();
    const { store, ...second } = await rig({
      store: first.store,
      relay: { cancelGraceMs: 20 },
      script: { "session/prompt": () => new Promise(() => undefined) },
    });
    second.writeTogether(
      { id: "p", method: "session/prompt", params: { sessionId, prompt: [{ type: "text", text: "go" }] } },
      { method: "session/cancel", params: { sessionId } },
    );
    const id = toSessionId(sessionId);
    while ((await store.get(id))?.headSeq !== 2) await new Promise((resolve) => setTimeout(resolve, 5));
    const entries = await collect(store.read(id));
    expect(entries.map(({ kind }) => kind)).toEqual(["prompt", "end"]);
    expect(JSON.parse(entries[1]?.data ?? "")).toMatchObject({ result: { stopReason: "cancelled" } });
    await second.close();
  });
});

describe("a prompt that cannot be kept", () => {
  it("is refused before the agent hears of it, and is no part of the history", async () => {
    const relay = await rig({ relay: { maxEntryBytes: 200 } });
    const sessionId = await relay.newSession();
    await expect(relay.prompt(sessionId, "ü".repeat(100))).rejects.toMatchObject({
      data: { code: "ENTRY_LIMIT", maxEntryBytes: 200 },
    });
    expect(relay.agentNow().heardOf("session/prompt")).toEqual([]);
    expect(await kindsOf(relay, sessionId)).toEqual([]);
    await relay.prompt(sessionId, "short");
    expect(await kindsOf(relay, sessionId)).toEqual(["prompt", "end"]);
    await relay.close();
  });
});

describe("a tool call that its turn does not end [issue 14.14]", () => {
  const call = (toolCallId: string, more: object) => ({ sessionUpdate: "tool_call", toolCallId, ...more });
  const half = { type: "content", content: text("half") };
  const running = call("running", { title: "Run", status: "in_progress", content: [half] });

  it.each([
    ["an error", "This was cut off: no model", () => Promise.reject(new RpcError(-32603, "no model"))],
    ["a cancellation", "This was cancelled with its turn.", async () => ({ stopReason: "cancelled" })],
    ["nothing that is said", undefined, async () => ({ stopReason: "end_turn" })],
  ])("is told to have failed when that ends with %s, as a replay tells it", async (_what, reason, end) => {
    const relay = await rig({
      script: {
        "session/prompt": async ({ sessionId }, agent) => {
          await agent.update(String(sessionId), call("done", { title: "Done", status: "completed" }));
          await agent.update(String(sessionId), running);
          return end();
        },
      },
    });
    const sessionId = await relay.newSession();
    await relay.prompt(sessionId).catch(() => undefined);
    const told = relay.updates
      .map(({ update }) => update)
      .filter(({ toolCallId }) => toolCallId === "running");
    const content = [half, { type: "content", content: text(String(reason)) }];
    const failed = { sessionUpdate: "tool_call_update", toolCallId: "running", status: "failed", content };
    expect(told).toEqual([running, ...(reason === undefined ? [] : [failed])]);
    if (reason !== undefined) {
      const from = relay.updates.length;
      await relay.load(sessionId);
      const shown = relay.updates.slice(from).map(({ update }) => update);
      expect(shown.filter(({ toolCallId }) => toolCallId === "running")).toEqual(told);
    }
    expect(await kindsOf(relay, sessionId)).toEqual(["prompt", "update", "update", "end"]);
    await relay.close();
  });
});
