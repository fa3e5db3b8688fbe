/** Rows that other hands change below the encryption, in every medium: each is refused, by session and entry, and costs no other. */
import { expect, it } from "vitest";
import type { SessionId } from "../../../src/base/ids.ts";
import { Keyring } from "../../../src/store/encrypted/keyring.ts";
import { encryptedStore } from "../../../src/store/encrypted/store.ts";
import type { NewEntry, SessionPatch, Store } from "../../../src/store/contract.ts";
import { collect } from "../../../src/session/pages.ts";
import { aSession, leaseOf } from "../../conformance/samples.ts";
import { onStores } from "../../session/every-store.ts";

const said = (text: string): NewEntry => ({
  kind: "message",
  atMs: 1,
  data: JSON.stringify({ role: "user", content: [{ type: "text", text }] }),
});

async function filled(store: Store): Promise<SessionId> {
  const { id } = await store.create(aSession({ title: "t", cwd: "/a", metadata: { k: 1 } }));
  const lease = await leaseOf(store, id);
  await store.seal(id, { from: 1, head: 0 }, ["one", "two", "three"].map(said), lease);
  await store.release(lease);
  return id;
}

onStores({ long: ["memory", "file", "layered"] }, (open) => {
  it("refuses entries that were moved, swapped, changed or are plain, and reads the others", async () => {
    const inner = await open();
    const store = await encryptedStore(inner, new Keyring(new Uint8Array(32)));
    const [id, other] = [await filled(store), await filled(store)];
    const own = await collect(inner.read(id));
    const [one, two, three] = own.map(({ data }) => data) as [string, string, string];
    const [, foreign = ""] = (await collect(inner.read(other))).map(({ data }) => data);
    for (const [data, seq] of [
      [[two, one, three], 1],
      [[one, foreign, three], 2],
      [[one, two, said("plain").data], 3],
      [[one, two, three.replace(/.(?=.{9}"\s*\}$)/, (char) => (char === "A" ? "B" : "A"))], 3],
    ] as const) {
      const lease = await leaseOf(inner, id);
      const entries = own.map(({ kind, atMs }, at) => ({ kind, atMs, data: data[at] ?? "" }));
      await inner.rewrite(id, 1, entries, lease);
      await inner.release(lease);
      await expect(collect(store.read(id))).rejects.toMatchObject({
        code: "DECRYPT_FAILED",
        data: { sessionId: id, seq },
      });
      expect(await collect(store.read(other))).toHaveLength(3);
    }
  });

  it("refuses records whose fields are another's or plain, and lists the others", async () => {
    const inner = await open();
    const store = await encryptedStore(inner, new Keyring(new Uint8Array(32)));
    const [id, other] = [await filled(store), await filled(store)];
    const [own, others] = [await inner.get(id), await inner.get(other)];
    if (own === undefined || others === undefined) throw new Error("not there");
    const wrong: SessionPatch[] = [
      { title: others.title ?? "" },
      { settings: others.settings },
      { metadata: { ...own.metadata, k: 2 } },
      { cwd: "/b" },
    ];
    const { title = "", settings, metadata, cwd } = own;
    for (const patch of wrong) {
      await inner.update(id, patch);
      await expect(store.get(id), Object.keys(patch).join()).rejects.toMatchObject({
        code: "DECRYPT_FAILED",
      });
      const { items, unreadable } = await store.list();
      expect([items.map((each) => each.id), unreadable?.map((each) => each.id)]).toEqual([[other], [id]]);
      await inner.update(id, { title, settings, metadata, cwd });
    }
    expect((await store.list()).items).toHaveLength(2);
  });
});
