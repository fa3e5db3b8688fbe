/** What other hands do to an encrypted store: nothing can be moved, swapped, changed or put in as plain text; nothing is told. */
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { SessionId } from "../../../src/base/ids.ts";
import { verifySessions } from "../../../src/care/verify.ts";
import { SessionRegistry } from "../../../src/session/registry.ts";
import { thisHolder } from "../../../src/session/holder.ts";
import type { Entry, NewEntry, SessionPatch, Store } from "../../../src/store/contract.ts";
import { Keyring } from "../../../src/store/encrypted/keyring.ts";
import { encryptedStore } from "../../../src/store/encrypted/store.ts";
import { keysCopyId, keysId } from "../../../src/store/keys-id.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { openStore } from "../../../src/store/open.ts";
import { placeholder } from "../../../src/store/placeholder.ts";
import { aSession } from "../../conformance/samples.ts";

const key = randomBytes(32);
const taking = { holder: thisHolder(), ttlMs: 60_000, mayTake: () => true };
const said = (text: string): NewEntry => ({
  kind: "message",
  atMs: 1,
  data: JSON.stringify({ role: "user", content: [{ type: "text", text }] }),
});
const sealed = (text: string): NewEntry => ({ kind: "message", atMs: 1, data: text });

async function written(store: Store, texts: readonly string[], patch: Partial<SessionPatch> = {}) {
  const { id } = await store.create(aSession({ ...(patch as object) }));
  const { lease } = await store.acquire(id, taking);
  await store.seal(id, { from: 1, head: 0 }, texts.map(said), lease);
  await store.release(lease);
  return id;
}

async function entriesOf(store: Store, id: SessionId): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const page of store.read(id)) entries.push(...page);
  return entries;
}

/** An encrypted store, and what other hands see of it. */
async function pair() {
  const inside = openMemoryStore();
  const store = await encryptedStore(inside, new Keyring(key));
  const rewrite = async (id: SessionId, from: number, data: readonly string[]) => {
    const { lease } = await inside.acquire(id, taking);
    await inside.rewrite(id, from, data.map(sealed), lease);
    await inside.release(lease);
  };
  return { inside, store, rewrite };
}

describe("an entry", () => {
  it("that stands in another place is refused, and so is one that was changed or is plain", async () => {
    const { inside, store, rewrite } = await pair();
    const id = await written(store, ["one", "two", "three"]);
    const other = await written(store, ["one", "two", "three"]);
    const [one, two, three] = (await entriesOf(inside, id)).map(({ data }) => data) as [
      string,
      string,
      string,
    ];
    const [ofOther = ""] = (await entriesOf(inside, other)).map(({ data }) => data);
    const flipped = two.replace(/.(?=.{20}"\}$)/, (char) => (char === "A" ? "B" : "A"));
    const wrong: readonly (readonly [string, readonly string[]])[] = [
      ["swapped", [two, one, three]],
      ["doubled", [one, one, three]],
      ["of another session", [ofOther, two, three]],
      ["changed", [one, flipped, three]],
      ["cut", [one, `${two.slice(0, -30)}"}`, three]],
      ["of another generation", [one, two.replace('":"1.', '":"2.'), three]],
      ["plain", [one, said("plain").data, three]],
      ["half an envelope", [one, '{"$enc":7}', three]],
      ["said to be packed", [one, two.replace(/"\}$/, '","kind":"packed"}'), three]],
    ];
    for (const [how, data] of wrong) {
      await rewrite(id, 1, data);
      const seq = data.findIndex((each, at) => each !== [one, two, three][at]) + 1;
      await expect(entriesOf(store, id), how).rejects.toMatchObject({
        code: "DECRYPT_FAILED",
        data: { sessionId: id, seq },
      });
    }
    await rewrite(id, 1, [one, two, three]);
    expect((await entriesOf(store, id)).map(({ data }) => data)).toEqual(
      ["one", "two", "three"].map((text) => said(text).data),
    );
    // Other sessions are read all the while, and what a repair has put in a place says what it is.
    expect(await entriesOf(store, other)).toHaveLength(3);
    await rewrite(id, 2, [placeholder(1).data]);
    expect((await entriesOf(store, id))[1]?.data).toContain("a repair has set it aside");
  });

  it("of a parent is read by its forks, also when the parent is gone, and by no other's", async () => {
    const { store, inside } = await pair();
    const parent = await written(store, ["one", "two"]);
    const child = await store.create(aSession({ lineage: { parentId: parent, atSeq: 2 } }));
    const { lease } = await store.acquire(child.id, taking);
    await store.seal(child.id, { from: 3, head: 2 }, [said("three")], lease);
    const grandchild = await store.create(aSession({ lineage: { parentId: child.id, atSeq: 3 } }));
    const early = await store.create(aSession({ lineage: { parentId: child.id, atSeq: 1 } }));
    await store.delete(parent);
    await store.delete(child.id);
    const texts = async (id: SessionId) => (await entriesOf(store, id)).map(({ data }) => data);
    expect(await texts(grandchild.id)).toEqual(["one", "two", "three"].map((text) => said(text).data));
    expect(await texts(early.id)).toEqual([said("one").data]);
    // Metadata that are replaced keep what the session needs to be read.
    await store.update(grandchild.id, { metadata: { a: 1 } });
    expect(await texts(grandchild.id)).toHaveLength(3);
    expect(await inside.get(grandchild.id)).not.toMatchObject({ metadata: { a: 1 } });
  });
});

describe("a record", () => {
  it("whose fields were taken from another, or are plain, is refused", async () => {
    const { inside, store } = await pair();
    const id = await written(store, [], { title: "mine", client: { info: "c" }, agent: { info: "a" } });
    const other = await written(store, [], { title: "other", client: { info: "x" }, agent: { info: "y" } });
    const [own, others] = [await inside.get(id), await inside.get(other)];
    if (own === undefined || others === undefined) throw new Error("not there");
    const wrong: SessionPatch[] = [
      { title: others.title ?? "" },
      { title: "plain" },
      { cwd: "/plain" },
      { client: others.client ?? {} },
      { agent: { info: "plain" } },
      { settings: others.settings },
      { settings: {} },
      { additionalDirectories: others.additionalDirectories },
      { mcpServerNames: ["plain"] },
      { agentSessionIds: ["plain"] },
      { metadata: { plain: true } },
    ];
    const { title = "", cwd, client = {}, agent = {}, settings } = own;
    const { additionalDirectories, mcpServerNames, agentSessionIds, metadata } = own;
    const right = { title, cwd, client, agent, settings, additionalDirectories, mcpServerNames };
    for (const patch of wrong) {
      await inside.update(id, patch);
      const refused = expect(store.get(id), JSON.stringify(Object.keys(patch)));
      await refused.rejects.toMatchObject({ code: "DECRYPT_FAILED", data: { sessionId: id } });
      await inside.update(id, { ...right, agentSessionIds, metadata });
    }
    expect(await store.get(id)).toMatchObject({ title: "mine", client: { info: "c" } });
  });

  it("that cannot be decrypted is named by verify, which reads all the others", async () => {
    const { inside, store } = await pair();
    const ids: SessionId[] = [];
    for (let n = 0; n < 9; n += 1) ids.push(await written(store, ["one", "two"]));
    // One behind the other, and at both ends.
    const wrong = [0, 3, 4, 8].map((at) => ids[at] as SessionId);
    for (const id of wrong) await inside.update(id, { title: "plain" });
    const { sessions, entries, damages } = await verifySessions(store);
    expect([sessions, entries]).toEqual([5, 10]);
    expect(damages.map(({ sessionId }) => sessionId).sort()).toEqual([...wrong].sort());
    expect(damages[0]?.problem).toMatch(/^its record: Session \w{26} cannot be decrypted/);
    for (const id of ids) await inside.update(id, { title: "plain" });
    expect(await verifySessions(store)).toMatchObject({ sessions: 0, damages: { length: 9 } });
  });

  it.each([keysId, keysCopyId])("of the keys is no session to anybody (%s)", async (id) => {
    const { inside, store } = await pair();
    expect(await inside.get(id)).toBeDefined();
    expect(await store.get(id)).toBeUndefined();
    const found = [await store.count(), (await store.list()).items, (await store.stats()).sessions];
    expect(found).toEqual([0, [], 0]);
    expect(await store.count({ idStartsWith: "0000", updatedSinceMs: 1 })).toBe(0);
    expect(await store.delete(id)).toBe(false);
    await expect(store.update(id, { title: "x" })).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
    await expect(store.acquire(id, taking)).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
    expect(await inside.get(id)).toBeDefined();
  });
});

describe("the keys", () => {
  const junk = [
    { a: 1 },
    { "acp-sidecar.secrets": '{"wrapped":["x.AAAA"]}' },
    { "acp-sidecar.secrets": "{" },
  ];

  it.each([keysId, keysCopyId])("are there once more when their record %s is damaged or gone", async (id) => {
    for (const metadata of [undefined, ...junk]) {
      const { inside, store } = await pair();
      const words = await written(store, ["one"]);
      if (metadata === undefined) await inside.delete(id);
      else {
        const { "acp-sidecar.secrets": secrets } = (await inside.get(id))?.metadata ?? {};
        // Wrapped by the right key, it seems.
        const text = JSON.stringify(metadata).replace(
          "x.",
          `${/"([0-9a-f]+)\./.exec(String(secrets))?.[1]}.`,
        );
        await inside.update(id, { metadata: JSON.parse(text) as Record<string, string> });
      }
      const again = await encryptedStore(inside, new Keyring(key));
      expect((await entriesOf(again, words))[0]?.data).toBe(said("one").data);
      expect((await again.stats()).sessions).toBe(1);
    }
  });

  it("that are damaged in both places are told of, and nothing is written", async () => {
    const { inside, store } = await pair();
    await written(store, ["one"]);
    for (const id of [keysId, keysCopyId]) await inside.update(id, { metadata: {} });
    await expect(encryptedStore(inside, new Keyring(key))).rejects.toMatchObject({
      code: "DECRYPT_FAILED",
      message: expect.stringContaining("keys are gone or damaged") as string,
    });
  });
});

describe("what lies on the disk", () => {
  const marker = "Zanzibarquartz";
  let folder = "";
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  it.each(["file", "sqlite"])("of %s says nothing of what was said or chosen", async (kind) => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-leaks-"));
    const url = `${kind}:${path.join(folder, "store")}`;
    const store = await encryptedStore(await openStore(url), new Keyring(key));
    const registry = new SessionRegistry({ store });
    const { id } = await registry.create({
      ...{ cwd: `/${marker}/a`, title: marker, metadata: { [marker]: marker } },
      ...{ additionalDirectories: [`/${marker}/b`], mcpServerNames: [marker] },
    });
    const text = `${marker} `.repeat(500);
    for (let n = 0; n < 20; n += 1)
      await registry.addMessage(id, { role: "user", content: [{ type: "text", text }] });
    await registry.update(id, () => ({
      ...{ client: { info: marker }, agent: { info: marker }, agentSessionIds: [marker] },
      settings: { modeId: marker },
    }));
    const before = (await store.stats()).bytes;
    await registry.archive(id);
    await store.flush();
    if (kind === "file") expect((await store.stats()).bytes).toBeLessThan(before / 2);
    const words: string[] = [];
    for await (const page of store.read(id)) for (const { data } of page) words.push(data);
    expect(words.filter((each) => each.includes(marker))).toHaveLength(20);
    expect((await store.list({ cwd: `/${marker}/a`, agentSessionId: marker })).items).toHaveLength(1);
    await registry.close();
    await store.close();
    const files = fs.readdirSync(folder, { recursive: true, encoding: "utf8" });
    const read = files.map((name) => path.join(folder, name)).filter((file) => fs.statSync(file).isFile());
    expect(read.length).toBeGreaterThan(0);
    const leaks = [marker, Buffer.from(marker).toString("base64").slice(0, -2)];
    for (const file of read)
      for (const leak of leaks) expect([file, fs.readFileSync(file).includes(leak)]).toEqual([file, false]);
  });
});
