import { describe, expect, it } from "vitest";
import { newSessionId } from "../../src/base/ids.ts";
import { replay, type ReplayedState } from "../../src/session/replay.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import type { Entry } from "../../src/store/contract.ts";
import { chunk, end, entriesOf, prompt, type Item, type Update } from "./entries.ts";

/** What a replay sends, and the state that it gathers. */
async function replayed(items: readonly Item[], sealed = items.length) {
  const store = openMemoryStore();
  const id = newSessionId();
  const lists = { additionalDirectories: [], mcpServerNames: [], agentSessionIds: [] };
  await store.create({ id, createdAtMs: 1, updatedAtMs: 1, cwd: "/", settings: {}, metadata: {}, ...lists });
  const request = { holder: { host: "h", pid: 1, startedAt: "1" }, ttlMs: 1e6, mayTake: () => false };
  const { lease } = await store.acquire(id, request);
  const entries: Entry[] = entriesOf(items);
  await store.append(id, 0, entries.slice(0, sealed), lease);
  await store.seal(id, { from: sealed + 1, head: sealed }, [], lease);
  await store.append(id, sealed, entries.slice(sealed), lease);
  const state: ReplayedState = new Map();
  const pages: string[][] = [];
  for await (const page of replay(store, id, { sealedSeq: sealed, headSeq: items.length }, state))
    pages.push(page);
  const parse = (text: string) => (JSON.parse(text) as { update: Update }).update;
  return { updates: pages.flat().map(parse), state: [...state.values()].map(parse), pages };
}

const mode = (currentModeId: string) => ({ sessionUpdate: "current_mode_update", currentModeId });
const info = (fields: object) => ({ sessionUpdate: "session_info_update", ...fields });
const user = (text: string) => chunk(text, undefined, "user_message_chunk");

describe("a replay", () => {
  it("gives prompts and added messages as chunks of who said them, in order", async () => {
    const blocks: Item = {
      kind: "prompt",
      data: {
        prompt: [
          { type: "text", text: "a" },
          { type: "image", data: "" },
        ],
      },
    };
    const added = (role: string): Item => ({
      kind: "message",
      data: { role, content: [{ type: "text", text: role }] },
    });
    const { updates } = await replayed([
      blocks,
      chunk("b"),
      end,
      added("system"),
      added("user"),
      added("assistant"),
    ]);
    expect(updates).toEqual([
      user("a"),
      { sessionUpdate: "user_message_chunk", content: { type: "image", data: "" } },
      chunk("b"),
      user("user"),
      chunk("assistant"),
    ]);
  });

  it("leaves out what is no part of the history: requests, answers, settings, ends, notices", async () => {
    const items: Item[] = [
      { kind: "request", data: { id: 1 } },
      { kind: "response", data: { id: 1 } },
      { kind: "setting", data: { method: "session/set_mode" } },
      { sessionUpdate: "notice", severity: "info", title: "now" },
      { sessionUpdate: "_unknown", kept: true },
      end,
    ];
    expect((await replayed(items)).updates).toEqual([{ sessionUpdate: "_unknown", kept: true }]);
  });

  it("gathers what is state: each kind once, with its last value, in the order of those", async () => {
    const usage = { sessionUpdate: "usage_update", used: 1, size: 2 };
    const { updates, state } = await replayed([
      mode("a"),
      info({ title: "t", a: 1 }),
      chunk("x"),
      usage,
      info({ a: 2 }),
      mode("b"),
    ]);
    expect(updates).toEqual([chunk("x")]);
    expect(state).toEqual([usage, info({ title: "t", a: 2 }), mode("b")]);
  });

  it("folds a turn that runs on the way, and goes on where the sealed part ends", async () => {
    const items = [
      prompt("one"),
      chunk("ab"),
      end,
      prompt("two"),
      chunk("c", "1"),
      mode("x"),
      chunk("d", "1"),
      mode("y"),
    ];
    const { updates, state } = await replayed(items, 3);
    expect(updates).toEqual([user("one"), chunk("ab"), user("two"), chunk("cd", "1")]);
    expect(state).toEqual([mode("y")]);
  });

  it("of nothing is nothing", async () => {
    expect(await replayed([])).toEqual({ updates: [], state: [], pages: [] });
  });

  it("comes in pages, however long the history", async () => {
    const items = Array.from({ length: 3000 }, (_, n) => chunk(`${n} `, String(n)));
    const { updates, pages } = await replayed(items);
    expect(updates).toEqual(items);
    expect(Math.max(...pages.map((page) => page.length))).toBeLessThanOrEqual(1000);
  });
});
