/** Links by which whoever has one reads one session. */
import { describe, expect, it } from "vitest";
import { SessionRegistry } from "../../src/session/registry.ts";
import { guardedStore } from "../../src/store/guarded/store.ts";
import type { Access } from "../../src/store/guarded/access.ts";
import { tokenGrant } from "../../src/store/guarded/tokens.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";

const inside = openMemoryStore();
const hour = 3_600_000;

function as(access: Partial<Access>): SessionRegistry {
  return new SessionRegistry({ store: guardedStore(inside, { isAdmin: false, ...access }) });
}
const secretIn = (fragment: string) => /^#token=([^&]+)&/.exec(fragment)?.[1] ?? "";

describe("a link", () => {
  it("reads its one session as its owner does, and does nothing else with it", async () => {
    const ann = as({ principal: "ann" });
    const { id } = await ann.create({ cwd: "/a", title: "one" });
    const { id: other } = await ann.create({ cwd: "/a" });
    const { fragment, token } = await ann.sharing.links.make(id);
    expect(fragment).toMatch(new RegExp(`&${id}$`));
    expect(token.untilMs).toBeGreaterThan(Date.now() + 6 * 24 * hour);
    const reader = as(await tokenGrant(inside, secretIn(fragment)));
    expect((await reader.get(id)).title).toBe("one");
    expect((await reader.list()).items.map((each) => each.id)).toEqual([id]);
    await expect(reader.get(other)).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
    for (const act of [
      () => reader.rename(id, "x"),
      () => reader.archive(id),
      () => reader.fork(id),
      () => reader.delete(id),
      () => reader.sharing.links.make(id),
      () => reader.sharing.links.end(id),
      () => reader.sharing.share(id, { with: "eve" }),
    ])
      await expect(act()).rejects.toMatchObject({ code: "FORBIDDEN" });
  });

  it("is the owner's to make, list and end, and an admin's, and nobody else's", async () => {
    const ann = as({ principal: "ann" });
    const { id } = await ann.create({ cwd: "/a" });
    await ann.sharing.share(id, { with: "bob", permissions: ["read", "prompt"] });
    for (const [who, code] of [
      [as({ principal: "bob" }), "FORBIDDEN"],
      [as({ principal: "eve" }), "SESSION_NOT_FOUND"],
    ] as const)
      for (const act of ["make", "list", "end"] as const)
        await expect(who.sharing.links[act](id)).rejects.toMatchObject({ code });
    const first = await ann.sharing.links.make(id, { untilMs: Date.now() + hour });
    await as({ principal: "root", isAdmin: true }).sharing.links.make(id);
    expect(await ann.sharing.links.list(id)).toHaveLength(2);
    expect(await ann.sharing.links.end(id)).toBe(2);
    expect(await ann.sharing.links.list(id)).toEqual([]);
    await expect(tokenGrant(inside, secretIn(first.fragment))).rejects.toMatchObject({
      code: "TOKEN_INVALID",
    });
  });

  it("of an admin reads no more than the one session", async () => {
    const { id } = await as({ principal: "ann" }).create({ cwd: "/a" });
    const { id: other } = await as({ principal: "ann" }).create({ cwd: "/a" });
    const { fragment } = await as({ principal: "root", isAdmin: true }).sharing.links.make(id);
    const grant = await tokenGrant(inside, secretIn(fragment));
    expect(grant).toMatchObject({ principal: "ann", isAdmin: false });
    await expect(as(grant).get(other)).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
  });

  it("ends by itself, cannot end before it begins, and there are at most a hundred", async () => {
    const ann = as({ principal: "ann" });
    const { id } = await ann.create({ cwd: "/a" });
    await expect(ann.sharing.links.make(id, { untilMs: Date.now() - 1 })).rejects.toMatchObject({
      code: "INVALID_PARAMS",
    });
    await expect(ann.sharing.links.make(id, { untilMs: Number.NaN })).rejects.toMatchObject({
      code: "INVALID_PARAMS",
    });
    for (let made = 0; made < 100; made += 1) await ann.sharing.links.make(id);
    await expect(ann.sharing.links.make(id)).rejects.toMatchObject({ code: "INVALID_PARAMS" });
  });

  it("is one of a hundred also where many are made at once", async () => {
    const ann = as({ principal: "ann" });
    const { id } = await ann.create({ cwd: "/a" });
    const making = Array.from({ length: 110 }, () => ann.sharing.links.make(id));
    const refused = (await Promise.allSettled(making)).filter(({ status }) => status === "rejected");
    expect(refused).toHaveLength(10);
    for (const each of refused) expect(each).toMatchObject({ reason: { code: "INVALID_PARAMS" } });
    expect(await ann.sharing.links.list(id)).toHaveLength(100);
  });

  it("that has ended is gone from the store when the next one is made", async () => {
    const ann = as({ principal: "ann" });
    const { id } = await ann.create({ cwd: "/a" });
    const { id: other } = await ann.create({ cwd: "/a" });
    const { token } = await ann.sharing.links.make(id, { untilMs: Date.now() + hour });
    const store = guardedStore(inside, { isAdmin: false, principal: "ann" });
    const later = new SessionRegistry({ store, now: () => Date.now() + 2 * hour });
    await later.sharing.links.make(other);
    expect((await ann.sharing.tokens.list()).map((each) => each.id)).not.toContain(token.id);
  });

  it("reads nothing of what was nobody's and has an owner now, and is not listed there", async () => {
    const all = as({});
    const { id } = await all.create({ cwd: "/a" });
    const { fragment } = await all.sharing.links.make(id);
    const ann = as({ principal: "ann" });
    await ann.sharing.own(id);
    const reader = as(await tokenGrant(inside, secretIn(fragment)));
    await expect(reader.get(id)).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
    expect(await ann.sharing.links.list(id)).toEqual([]);
  });

  it("of a session that is nobody's, and of one that is not there", async () => {
    const all = as({});
    const { id } = await all.create({ cwd: "/a" });
    const { fragment } = await all.sharing.links.make(id);
    const reader = as(await tokenGrant(inside, secretIn(fragment)));
    expect((await reader.get(id)).id).toBe(id);
    await all.delete(id);
    await expect(all.sharing.links.make(id)).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
  });
});
