/** A session that cannot be decrypted is told to its owner, and to nobody else: not even that it is there. */
import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { SessionRegistry } from "../../../src/session/registry.ts";
import type { Access } from "../../../src/store/guarded/access.ts";
import { guardedStore } from "../../../src/store/guarded/store.ts";
import { Keyring } from "../../../src/store/encrypted/keyring.ts";
import { encryptedStore } from "../../../src/store/encrypted/store.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";

const as = (principal?: string): Access => ({
  isAdmin: false,
  ...(principal !== undefined && { principal }),
});

/** Ann has two sessions, both shared with Bob, of which one is changed by other hands. */
async function changed() {
  const inside = openMemoryStore();
  const store = await encryptedStore(inside, new Keyring(randomBytes(32)));
  const of = (access: Access) => new SessionRegistry({ store: guardedStore(store, access) });
  const ann = of(as("ann"));
  const [{ id: bad }, { id: good }] = [await ann.create({ cwd: "/a" }), await ann.create({ cwd: "/a" })];
  for (const id of [bad, good]) await ann.sharing.share(id, { with: "bob" });
  await inside.update(bad, { title: "plain" });
  return { ann, of, bad, good, inside };
}

const ids = async (registry: SessionRegistry) => {
  const { items, unreadable = [] } = await registry.list();
  return { items: items.map(({ id }) => id), unreadable: unreadable.map(({ id }) => id) };
};

describe("a session that cannot be decrypted", () => {
  it("stands beside its owner's others in lists, and is named when it is asked for", async () => {
    const { ann, of, bad, good } = await changed();
    for (const registry of [ann, of({ isAdmin: true })]) {
      expect(await ids(registry)).toEqual({ items: [good], unreadable: [bad] });
      await expect(registry.get(bad)).rejects.toMatchObject({ code: "DECRYPT_FAILED" });
      await expect(registry.rename(bad, "x")).rejects.toMatchObject({ code: "DECRYPT_FAILED" });
    }
  });

  it("is not there for others, whatever they ask: neither with whom it was shared nor strangers", async () => {
    const { of, bad, good, inside } = await changed();
    for (const [access, sees] of [
      [as("bob"), [good]],
      [as("eve"), []],
      [as(), []],
    ] as const) {
      const registry = of(access);
      expect(await ids(registry)).toEqual({ items: sees, unreadable: [] });
      for (const act of [
        () => registry.get(bad),
        () => registry.rename(bad, "x"),
        () => registry.archive(bad),
        () => registry.fork(bad),
        () => registry.sharing.shares(bad),
        ...(access.principal === undefined ? [] : [() => registry.sharing.own(bad)]),
        () => registry.sharing.endHolding(bad, { force: true }),
        () => registry.read(bad)[Symbol.asyncIterator]().next(),
        () => registry.resolve(bad),
        () => registry.resolve(bad.slice(-8)),
      ])
        await expect(act(), String(act)).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
      expect([await registry.delete(bad), await registry.remove(bad, { force: true })]).toEqual([
        false,
        false,
      ]);
    }
    expect(await inside.get(bad)).toBeDefined();
  });

  it("is deleted by its owner, and by a token that may delete", async () => {
    const { ann, of, bad } = await changed();
    const token = (permissions: readonly ("read" | "delete")[], limits = {}): Access => ({
      ...as("ann"),
      token: { id: "t", name: "t", permissions, isOwners: false, ...limits },
    });
    await expect(of(token(["read"])).delete(bad)).rejects.toMatchObject({ code: "FORBIDDEN" });
    // Where it lies nobody knows any more.
    expect(await of(token(["read", "delete"], { folder: "/a" })).delete(bad)).toBe(false);
    expect(await ids(of(token(["read"], { folder: "/a" })))).toMatchObject({ unreadable: [] });
    expect(await of(token(["read", "delete"])).delete(bad)).toBe(true);
    expect(await ids(ann)).toMatchObject({ unreadable: [] });
  });
});
