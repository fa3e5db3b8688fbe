import { describe, expect, it } from "vitest";
import { end, prompt, say, talk, written } from "../history/talk.ts";
import { ChainCheck } from "../../src/session/chain-check.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { sealedWhileRead } from "../../src/store/refusals.ts";
import { wrapStore } from "../../src/store/shell.ts";
import { apiOn, type Api } from "./rig.ts";

const texts = async (ask: Api["ask"], id: string, query = "") => {
  const { json } = await ask("GET", `/api/sessions/${id}/history${query}`);
  return json.items.filter(({ type }) => type === "said").map(({ content }) => content[0]?.text);
};

describe("messages over HTTP", () => {
  it("are added, and found by entry and by id [REQ D6.2]", async () => {
    const { ask } = await apiOn();
    const { id } = (await ask("POST", "/api/sessions", { body: { cwd: "/p" } })).json;
    const messages = `/api/sessions/${id}/messages`;
    const first = await ask("POST", messages, { body: { role: "user", content: "Hello" } });
    expect(first).toMatchObject({ status: 201, json: { seq: 1, messageId: "acp-sidecar:message:1" } });
    await ask("POST", messages, { body: { role: "assistant", content: [{ type: "text", text: "Hi" }] } });
    for (const name of ["2", "acp-sidecar:message:2"]) {
      const { item, edits } = (await ask("GET", `${messages}/${encodeURIComponent(name)}`)).json;
      expect({ item, edits }).toMatchObject({
        item: { by: "assistant", content: [{ text: "Hi" }] },
        edits: [],
      });
    }
    for (const name of ["0", "3", "99999999999999999999", "nothing", "%00"])
      expect((await ask("GET", `${messages}/${name}`)).status, name).toBe(404);
    const wrong = await ask("POST", messages, { body: { role: "robot", content: "x" } });
    expect(wrong.json).toMatchObject({ status: 400, code: "INVALID_PARAMS" });
  });

  it("are told to be there also where a turn ends while that is looked up", async () => {
    const inner = openMemoryStore();
    const store = wrapStore(inner, {
      read: async function* (id, range) {
        if (((await inner.get(id))?.headSeq ?? 0) > 0 && (reads += 1) === 1) throw sealedWhileRead(id);
        yield* inner.read(id, range);
      },
    });
    let reads = 0;
    const { ask } = await apiOn({ store });
    const { id } = (await ask("POST", "/api/sessions", { body: { cwd: "/p" } })).json;
    const body = { role: "user", content: "Hello" };
    const added = await ask("POST", `/api/sessions/${id}/messages`, { body });
    expect(added).toMatchObject({ status: 201, json: { seq: 1, headSeq: 1 } });
    expect(reads).toBe(2);
    expect(await texts(ask, id)).toEqual(["Hello"]);
  });

  it("have their earlier wordings", async () => {
    const store = openMemoryStore();
    const { id } = await written(store, [prompt("a"), say("A"), end(), prompt("b"), say("B"), end()]);
    const { ask } = await apiOn({ store });
    const body = { editSeq: 4, content: "better b" };
    expect((await ask("POST", `/api/sessions/${id}/rewind`, { body })).status).toBe(200);
    const { edits } = (await ask("GET", `/api/sessions/${id}/messages/8`)).json;
    expect(edits).toMatchObject([
      { seq: 4, counts: false, content: [{ text: "b" }] },
      { seq: 8, counts: true, content: [{ text: "better b" }] },
    ]);
    expect(await texts(ask, id)).toEqual(["a", "A", "better b"]);
    expect((await ask("POST", `/api/sessions/${id}/rewind`, { body: { undo: true } })).status).toBe(200);
    expect(await texts(ask, id)).toEqual(["a", "A", "b", "B"]);
  });

  it("are cleared so that they can be brought back, or erased so that nothing can, and the chain holds", async () => {
    const store = openMemoryStore();
    const { id } = await written(store, talk("secret"));
    const { ask, owner } = await apiOn({ store });
    await owner.addMessage(id, { role: "user", content: "another secret" });
    expect((await ask("DELETE", `/api/sessions/${id}/history`)).json).toMatchObject({ erased: false });
    expect(await texts(ask, id)).toEqual([]);
    await ask("POST", `/api/sessions/${id}/rewind`, { body: { undo: true } });
    expect(await texts(ask, id)).toContain("another secret");

    expect((await ask("DELETE", `/api/sessions/${id}/history?erase=true`)).json).toMatchObject({
      erased: true,
    });
    const check = new ChainCheck();
    let all = "";
    for await (const page of store.read(id))
      for (const entry of page) {
        all += entry.data;
        check.take(entry);
      }
    expect(all).not.toContain("secret");
    expect(check.report.damage).toBeUndefined();
    expect(check.report.linked?.through).toBeGreaterThan(18);
    await ask("POST", `/api/sessions/${id}/messages`, { body: { role: "user", content: "anew" } });
    expect(await texts(ask, id, "?include=superseded")).toEqual(["anew"]);
  });

  it("are not erased where a fork has them, too, nor by who may not delete", async () => {
    const store = openMemoryStore();
    const { id } = await written(store, [prompt("a"), end()]);
    const { ask, tokenFor } = await apiOn({ store });
    const erase = `/api/sessions/${id}/history?erase=true`;
    const token = await tokenFor("write");
    expect((await ask("DELETE", erase, { token })).json.code).toBe("FORBIDDEN");
    const fork = await ask("POST", `/api/sessions/${id}/fork`);
    expect(fork).toMatchObject({ status: 201, json: { lineage: { parentId: id, atSeq: 2 } } });
    expect((await ask("DELETE", erase)).json).toMatchObject({ status: 409, code: "STORE_CONFLICT" });
    expect(await texts(ask, fork.json.id)).toEqual(["a"]);
    // What was refused has not been done by half.
    expect(await texts(ask, id)).toEqual(["a"]);
  });
});
