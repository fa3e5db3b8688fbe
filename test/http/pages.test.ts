/** Pages that are kept: the same page is asked for again and again, while others do what they may to its session. */
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { defaults } from "../../src/config/options.ts";
import { noAudit } from "../../src/audit/audit.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { wrapStore } from "../../src/store/shell.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { sqliteSandbox } from "../store/sql/sqlite/sandbox.ts";
import { end, prompt, say, written } from "../history/talk.ts";
import { apiOn } from "./rig.ts";

const { newPath, open } = sqliteSandbox();

const think = (said: string) => say(said, "agent_thought_chunk");
const talk = () => [prompt("Hello"), say("secret words"), end(), prompt("More"), say("other words"), end()];

/** The API on a file, and another who has the same file open as another process would. */
async function twoOn() {
  const path = newPath();
  const others = await open(path);
  const { id } = await written(others, talk());
  const registry = new SessionRegistry({ ...defaults, audit: noAudit, store: others });
  const { ask } = await apiOn({ store: await open(path) });
  const page = async () => {
    for (let time = 0; time < 3; time += 1) await ask("GET", `/api/sessions/${id}/history`);
    return ask("GET", `/api/sessions/${id}/history`);
  };
  return { id, registry, page, ask };
}

describe("a page that is asked for again and again", () => {
  it("has what another process has added, taken back and removed just now", async () => {
    const { id, registry, page } = await twoOn();
    const first = await page();
    expect(first.text).toContain("secret words");
    await registry.addMessage(id, { role: "user", content: "added" });
    expect((await page()).text).toContain("added");
    await registry.rewind(id, 3);
    expect((await page()).text).not.toContain("added");
    await registry.compaction.erase(id);
    expect((await page()).text).not.toContain("secret words");
    await registry.remove(id);
    expect((await page()).status).toBe(404);
    await registry.close();
  });

  it("has another tag as soon as it has changed", async () => {
    const { id, registry, page, ask } = await twoOn();
    const tag = (await page()).headers.get("etag") ?? "";
    const again = () => ask("GET", `/api/sessions/${id}/history`, { headers: { "if-none-match": tag } });
    expect(await again()).toMatchObject({ status: 304, text: "" });
    await registry.addMessage(id, { role: "user", content: "added" });
    const changed = await again();
    expect(changed.status).toBe(200);
    expect(changed.headers.get("etag")).not.toBe(tag);
    await registry.close();
  });

  it("is not there any more for whom it was shared with, when it is theirs no longer", async () => {
    const store = openMemoryStore();
    const ada = await apiOn({ store, identity: "ada" });
    const bob = await apiOn({ store, identity: "bob" });
    const { id } = (await ada.ask("POST", "/api/sessions", { body: { cwd: "/p" } })).json;
    await ada.ask("POST", `/api/sessions/${id}/messages`, { body: { role: "user", content: "for bob" } });
    const asBob = async () => {
      for (let time = 0; time < 3; time += 1) await bob.ask("GET", `/api/sessions/${id}/history`);
      return bob.ask("GET", `/api/sessions/${id}/history`);
    };
    expect((await asBob()).status).toBe(404);
    await ada.owner.sharing.share(id, { with: "bob", permissions: ["read"] });
    expect((await asBob()).text).toContain("for bob");
    await ada.owner.sharing.unshare(id, "bob");
    expect((await asBob()).status).toBe(404);
  });

  it("is the same whether it is kept or not, compressed or not", async () => {
    const store = openMemoryStore();
    const { id } = await written(store, [prompt("Hello"), say("words ".repeat(1000)), end()]);
    const { raw, ask } = await apiOn({ store });
    const at = `/api/sessions/${id}/history`;
    const { text, headers } = await ask("GET", at);
    const again = await ask("GET", at);
    expect(again.text).toBe(text);
    expect([...again.headers]).toEqual([...headers]);
    for (let time = 0; time < 2; time += 1) {
      const zipped = await raw("GET", at, { headers: { "accept-encoding": "gzip" } });
      expect(zipped.headers.get("content-encoding")).toBe("gzip");
      expect(zipped.headers.get("etag")).toBe(headers.get("etag"));
      expect(gunzipSync(Buffer.from(await zipped.arrayBuffer())).toString()).toBe(text);
    }
    const head = await raw("HEAD", at);
    expect([head.status, await head.text(), head.headers.get("etag")]).toEqual([
      200,
      "",
      headers.get("etag"),
    ]);
  });

  it("is made of little more than what it shows", async () => {
    const inner = openMemoryStore();
    let entries = 0;
    const store = wrapStore(inner, {
      read: async function* (id, range) {
        for await (const page of inner.read(id, range)) {
          entries += page.length;
          yield page;
        }
      },
    });
    const turns = Array.from({ length: 300 }, (_, turn) => [
      prompt(`${turn}`),
      think("Hm"),
      say("Yes"),
      end(),
    ]);
    const { id } = await written(store, turns.flat());
    const { ask } = await apiOn({ store });
    for (const [include, shown] of [
      ["thoughts", 50],
      ["", 67],
    ] as const) {
      entries = 0;
      const { items } = (await ask("GET", `/api/sessions/${id}/history?include=${include}&before=600`)).json;
      expect(items).toHaveLength(50);
      expect(entries).toBeLessThan(2 * shown + 40);
    }
  });

  it("is refused again and again where the address is not as it must be", async () => {
    const store = openMemoryStore();
    const { id } = await written(store, talk());
    const { ask } = await apiOn({ store });
    for (let time = 0; time < 2; time += 1) {
      expect((await ask("GET", `/api/sessions/${id}/history?limit=0`)).json.code).toBe("INVALID_PARAMS");
      expect((await ask("GET", `/api/sessions/${id}/history?limit=5&limit=6`)).status).toBe(400);
      expect((await ask("GET", `/api/sessions/${id}/history`, { token: "" })).status).toBe(401);
      expect((await ask("GET", `/api/sessions/${id}/history`, { headers: { host: "evil" } })).status).toBe(
        400,
      );
      expect((await ask("GET", `/api/sessions/${id}/history`)).status).toBe(200);
    }
  });
});
