import { describe, expect, it } from "vitest";
import { end, prompt, say, talk, update, written } from "../history/talk.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { apiOn, type Api, type Told } from "./rig.ts";

const all = "include=thoughts,tools,state,superseded";

async function pages(ask: Api["ask"], id: string, way: "before" | "after", limit: number): Promise<Told[]> {
  const items: Told[] = [];
  for (let at: number | undefined = way === "after" ? 0 : undefined; ;) {
    const cursor = at === undefined ? "" : `&${way}=${at}`;
    const { json } = await ask("GET", `/api/sessions/${id}/history?${all}&limit=${limit}${cursor}`);
    expect(json.items.length).toBeLessThanOrEqual(limit);
    if (way === "after") items.push(...json.items);
    else items.unshift(...json.items);
    at = way === "after" ? json.after : json.before;
    if (way === "after" ? !json.isMoreAfter : at === undefined) return items;
  }
}

describe("a history", () => {
  it("is the same by pages forward and backward as in one, whatever their size", async () => {
    const store = openMemoryStore();
    const { id } = await written(store, [
      prompt("Hi"),
      say("Ho"),
      end(),
      ...talk(),
      prompt("a"),
      say("A"),
      end(),
    ]);
    const { ask } = await apiOn({ store });
    const whole = (await ask("GET", `/api/sessions/${id}/history?${all}&limit=500`)).json;
    expect(whole).toMatchObject({ after: 24, isMoreAfter: false, headSeq: 24, sealedSeq: 24 });
    expect(whole).not.toHaveProperty("before");
    const kinds = new Set(whole.items.map(({ type }) => type));
    expect([...kinds].sort()).toEqual(
      ["asked", "call", "compaction", "decided", "end", "plan", "said", "subagent"].sort(),
    );
    for (const limit of [1, 2, 7, 500]) {
      expect(await pages(ask, id, "after", limit)).toEqual(whole.items);
      expect(await pages(ask, id, "before", limit)).toEqual(whole.items);
    }
  });

  it("has only what was said unless more is asked for", async () => {
    const store = openMemoryStore();
    const { id } = await written(store, talk());
    const { ask } = await apiOn({ store });
    const { items } = (await ask("GET", `/api/sessions/${id}/history`)).json;
    expect(new Set(items.map(({ type }) => type))).toEqual(new Set(["said", "compaction", "end"]));
    expect(items.some(({ by }) => by === "thought")).toBe(false);
  });

  it("joins what a running turn has said so far, under the numbers that its entries have", async () => {
    const { ask, owner } = await apiOn();
    const { id } = await owner.create({ cwd: "/p" });
    const { journal } = await owner.open(id);
    await journal.append([
      prompt("Go"),
      say("one "),
      say("two "),
      update("tool_call", { toolCallId: "c", title: "Do" }),
    ]);
    await journal.append([
      update("tool_call_update", { toolCallId: "c", status: "completed" }),
      say("three"),
    ]);
    const { items, headSeq, sealedSeq } = (await ask("GET", `/api/sessions/${id}/history?${all}`)).json;
    expect({ headSeq, sealedSeq }).toEqual({ headSeq: 6, sealedSeq: 0 });
    expect(items).toMatchObject([
      { type: "said", by: "user", seq: 1 },
      { type: "said", by: "assistant", seq: 2, through: 3, content: [{ type: "text", text: "one two " }] },
      { type: "call", callId: "c", title: "Do", status: "completed", seq: 4, through: 5 },
      { type: "said", seq: 6, content: [{ type: "text", text: "three" }] },
    ]);
    await journal.seal([end()]);
    await journal.release();
    expect((await ask("GET", `/api/sessions/${id}/history?${all}`)).json.sealedSeq).toBe(5);
  });

  it("shows what a rewind superseded only if asked, and marks it", async () => {
    const { ask, owner, store } = await apiOn();
    const { id } = await written(store, [prompt("a"), say("A"), end(), prompt("b"), say("B"), end()]);
    await owner.rewind(id, 3);
    const texts = ({ json }: { json: Told }) =>
      json.items
        .filter(({ type }) => type === "said")
        .map(({ content, superseded }) => [content[0]?.text, superseded]);
    expect(texts(await ask("GET", `/api/sessions/${id}/history`))).toEqual([
      ["a", undefined],
      ["A", undefined],
    ]);
    expect(texts(await ask("GET", `/api/sessions/${id}/history?include=superseded`))).toEqual([
      ["a", undefined],
      ["A", undefined],
      ["b", true],
      ["B", true],
    ]);
    expect((await ask("GET", `/api/sessions/${id}/history`)).json.rewinds).toEqual([{ at: 7, toSeq: 3 }]);
  });

  it("refuses what it does not know", async () => {
    const { ask } = await apiOn();
    const { id } = (await ask("POST", "/api/sessions", { body: { cwd: "/p" } })).json;
    for (const query of [
      "limit=0",
      "limit=x",
      "limit=501",
      "before=-1",
      "include=everything",
      "befor=1",
      "limit=1&limit=2",
    ]) {
      const refused = await ask("GET", `/api/sessions/${id}/history?${query}`);
      expect(refused.json, query).toMatchObject({ status: 400, code: "INVALID_PARAMS" });
    }
  });
});
