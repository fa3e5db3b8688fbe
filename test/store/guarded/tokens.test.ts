import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { newSessionId } from "../../../src/base/ids.ts";
import { thisHolder } from "../../../src/session/holder.ts";
import { SessionRegistry } from "../../../src/session/registry.ts";
import type { Store } from "../../../src/store/contract.ts";
import type { Access } from "../../../src/store/guarded/access.ts";
import { Failures } from "../../../src/store/guarded/failures.ts";
import { guardedAs, openGuarded } from "../../../src/store/guarded/open.ts";
import { guardedStore } from "../../../src/store/guarded/store.ts";
import { createToken, listTokens, revokeToken, tokenGrant } from "../../../src/store/guarded/tokens.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { aSession } from "../../conformance/samples.ts";
import { scratchFolder } from "../../cli/harness.ts";
import { onStores } from "../../session/every-store.ts";

const ann: Access = { principal: "ann", isAdmin: false };
const by = (store: Store, access: Access) => {
  const guarded = guardedStore(store, access);
  return { store: guarded, registry: new SessionRegistry({ store: guarded }) };
};

onStores({ long: ["file", "layered"] }, (open) => {
  it("acts for its maker with less, until it ends or is revoked", async () => {
    const store = await open();
    const maker = by(store, ann);
    const { id } = await maker.registry.create({ cwd: "/code/a" });
    const other = await maker.registry.create({ cwd: "/code/b" });
    const { token, secret } = await createToken(maker.store, {
      name: "phone",
      scope: "read",
      sessions: [id],
    });
    expect(secret).toMatch(/^acps_[A-Za-z0-9_-]{43}$/);
    const kept = JSON.stringify((await store.list({ metadata: { "acp-sidecar.hidden": "token" } })).items);
    expect(kept).not.toContain(secret);
    expect(kept).toContain(createHash("sha256").update(secret).digest("hex"));
    const access = await tokenGrant(store, secret);
    expect(access).toMatchObject({
      principal: "ann",
      isAdmin: false,
      token: { name: "phone", permissions: ["read"] },
    });
    const phone = by(store, access);
    expect((await phone.store.list()).items.map((record) => record.id)).toEqual([id]);
    expect([await phone.store.count(), await phone.store.get(other.id)]).toEqual([1, undefined]);
    await expect(phone.registry.rename(id, "x")).rejects.toMatchObject({ code: "FORBIDDEN" });
    await expect(phone.registry.create({ cwd: "/code/a" })).rejects.toMatchObject({ code: "FORBIDDEN" });
    for (const act of [
      () => createToken(phone.store, { name: "x", scope: "read" }),
      () => listTokens(phone.store),
      () => revokeToken(phone.store, token.id),
    ])
      await expect(act()).rejects.toMatchObject({ code: "FORBIDDEN" });
    expect(await listTokens(maker.store)).toEqual([token]);
    expect(await listTokens(by(store, { principal: "bob", isAdmin: false }).store)).toEqual([]);
    expect(await listTokens(by(store, { principal: "root", isAdmin: true }).store)).toHaveLength(1);
    await expect(revokeToken(by(store, { isAdmin: false }).store, token.id)).rejects.toMatchObject({
      code: "INVALID_PARAMS",
    });
    await revokeToken(maker.store, "phone");
    const short = await createToken(maker.store, { name: "short", scope: "write", untilMs: Date.now() - 1 });
    const failures = await Promise.all(
      [secret, short.secret, `acps_${"A".repeat(43)}`, "nothing", "", "x".repeat(1_000_000)].map((each) =>
        tokenGrant(store, each).catch((error: unknown) => error),
      ),
    );
    expect(new Set(failures.map((error) => (error as Error).message)).size).toBe(1);
    for (const error of failures) expect(error).toMatchObject({ code: "TOKEN_INVALID", data: {} });
  });

  it("is no session to anybody, whatever they ask by", async () => {
    const store = await open();
    const maker = by(store, ann);
    const { token } = await createToken(maker.store, { name: "t", scope: "admin" });
    const root = by(store, { principal: "root", isAdmin: true });
    const plain = new SessionRegistry({ store });
    for (const { registry } of [maker, root, by(store, { isAdmin: false }), { registry: plain }]) {
      expect([await registry.count(), (await registry.list({ archived: "include" })).items]).toEqual([0, []]);
      expect(await registry.peek(token.id)).toBeUndefined();
      expect(await registry.find(token.id)).toBeUndefined();
      expect(await registry.clear()).toBe(0);
      expect(await registry.expire({ idleForMs: -1000 })).toBe(0);
    }
    for (const each of [maker, root]) {
      expect(await each.store.delete(token.id)).toBe(false);
      await expect(each.store.update(token.id, { metadata: {} })).rejects.toMatchObject({
        code: "SESSION_NOT_FOUND",
      });
    }
    expect(await listTokens(maker.store)).toHaveLength(1);
  });
});

describe("a token", () => {
  it("reaches what was before sessions were compacted as it reaches these sessions", async () => {
    const store = openMemoryStore();
    const maker = by(store, ann);
    const [one, other] = [
      await maker.registry.create({ cwd: "/code/a" }),
      await maker.registry.create({ cwd: "/code/b" }),
    ];
    const kept = async (of: string) =>
      maker.store.create(aSession({ metadata: { "acp-sidecar.hidden": "originals", "acp-sidecar.of": of } }));
    const [ofOne, ofOther] = [await kept(one.id), await kept(other.id)];
    for (const limits of [{ sessions: [one.id] }, { folder: "/code/a" }, {}]) {
      const { secret } = await createToken(maker.store, { name: "t", scope: "read", ...limits });
      const { store: limited, registry } = by(store, await tokenGrant(store, secret));
      const isLimited = Object.keys(limits).length > 0;
      expect((await registry.originals.of(one.id)).map(({ id }) => id)).toEqual([ofOne.id]);
      expect((await limited.get(ofOne.id))?.id).toBe(ofOne.id);
      expect((await limited.get(ofOther.id))?.id).toBe(isLimited ? undefined : ofOther.id);
      const all = await limited.list({ metadata: { "acp-sidecar.hidden": "originals" } });
      expect(all.items.some(({ id }) => id === ofOther.id)).toBe(!isLimited);
    }
  });

  it("takes along what a session was, when it deletes that for good, as whoever may delete it does", async () => {
    const store = openMemoryStore();
    const maker = by(store, ann);
    for (const who of ["of the session", "of the folder", "bob"]) {
      const { id } = await maker.registry.create({
        cwd: "/code/a",
        metadata: { "acp-sidecar.compactedAtMs": 1 },
      });
      const metadata = { "acp-sidecar.hidden": "originals", "acp-sidecar.of": id };
      await maker.store.create(aSession({ metadata }));
      await maker.registry.sharing.share(id, { with: "bob", permissions: ["delete"] });
      const limits = who === "of the session" ? { sessions: [id] } : { folder: "/code/a" };
      const { secret } = await createToken(maker.store, { name: "t", scope: "admin", ...limits });
      const access = who === "bob" ? { principal: "bob", isAdmin: false } : await tokenGrant(store, secret);
      expect(await by(store, access).registry.delete(id)).toBe(true);
      expect((await store.list({ metadata })).items).toEqual([]);
    }
  });

  it("is made by itself, and no other record becomes one, or another session's originals", async () => {
    const store = openMemoryStore();
    const maker = by(store, ann);
    const own = await maker.registry.create({ cwd: "/code/a" });
    const reader = await createToken(maker.store, { name: "t", scope: "read" });
    const readable = by(store, await tokenGrant(store, reader.secret)).store;
    const hash = createHash("sha256")
      .update(`acps_${"A".repeat(43)}`)
      .digest("hex");
    const tokenFacts = JSON.stringify({ scope: "admin", permissions: ["read"], isAdmin: true });
    const forged = {
      ...{ "acp-sidecar.hidden": "token", "acp-sidecar.token": hash },
      "acp-sidecar.tokenFacts": tokenFacts,
    };
    const originals = { "acp-sidecar.hidden": "originals", "acp-sidecar.of": newSessionId() };
    for (const act of [
      () => readable.create(aSession({ metadata: forged })),
      () => maker.store.create(aSession({ metadata: forged })),
      () => maker.store.update(own.id, { metadata: forged }),
      () => maker.store.update(own.id, { metadataChanges: forged }),
      () => maker.store.update(own.id, { metadataChanges: originals }),
    ])
      await expect(act()).rejects.toMatchObject({ code: "FORBIDDEN" });
    expect(await listTokens(by(store, { principal: "root", isAdmin: true }).store)).toHaveLength(1);
  });

  it("of a scope has what the scope has, of a folder what lies in it", async () => {
    const store = openMemoryStore();
    const maker = by(store, ann);
    const inside = await maker.registry.create({ cwd: "/code/a/deep" });
    const beside = await maker.registry.create({ cwd: "/code/ab" });
    const grant = async (scope: "read" | "write" | "admin") => {
      const { secret } = await createToken(maker.store, { name: scope, scope, folder: "/code/a" });
      return by(store, await tokenGrant(store, secret));
    };
    const write = await grant("write");
    await write.registry.rename(inside.id, "x");
    expect(await write.store.get(beside.id)).toBeUndefined();
    expect([await write.store.count(), (await write.store.list()).items.length]).toEqual([1, 1]);
    await expect(write.registry.create({ cwd: "/work" })).rejects.toMatchObject({ code: "FORBIDDEN" });
    await expect(write.registry.move(inside.id, "/elsewhere")).rejects.toMatchObject({ code: "FORBIDDEN" });
    const further = { additionalDirectories: ["/code/a/../secret"] };
    const { journal } = await write.registry.open(inside.id);
    await expect(journal.update(further)).rejects.toMatchObject({ code: "FORBIDDEN" });
    await journal.release();
    for (const act of [
      () => write.registry.create({ cwd: "/code/a", ...further }),
      () => write.registry.update(inside.id, () => further),
      () => write.registry.remove(inside.id),
      () => write.registry.sharing.share(inside.id, { with: "bob" }),
    ])
      await expect(act()).rejects.toMatchObject({ code: "FORBIDDEN" });
    const made = await write.registry.create({ cwd: "/code/a" });
    expect(await maker.registry.sharing.ownerOf(made.id)).toBe("ann");
    const narrow = await createToken(maker.store, {
      name: "n",
      scope: "write",
      permissions: ["prompt", "delete"],
    });
    expect(narrow.token.permissions).toEqual(["read", "prompt"]);
    // What was begun and came to nothing goes; an adoption that a token may not make leaves nothing behind.
    const begun = { cwd: "/code/a", metadata: { "acp-sidecar.hidden": "adopting" } };
    expect(await write.registry.delete((await write.registry.create(begun)).id)).toBe(true);
    await write.registry.addMessage(made.id, { role: "user", content: "x" });
    await expect(write.registry.delete(made.id)).rejects.toMatchObject({ code: "FORBIDDEN" });
    const read = await grant("read");
    await expect(read.registry.create(begun)).rejects.toMatchObject({ code: "FORBIDDEN" });
    const admin = await grant("admin");
    await admin.registry.sharing.share(inside.id, { with: "bob" });
    await admin.registry.remove(inside.id);
    expect(await admin.store.get(beside.id)).toBeUndefined();
    // An admin's token is one only with that scope.
    const root = by(store, { principal: "root", isAdmin: true });
    const { secret } = await createToken(root.store, { name: "r", scope: "write" });
    expect(await by(store, await tokenGrant(store, secret)).store.get(beside.id)).toBeUndefined();
  });

  it("is read from where it is kept, asked for again, and refused in a URL", { tags: ["long"] }, async () => {
    const folder = scratchFolder();
    const url = `sqlite:${path.join(folder, "s.db")}`;
    await using store = await openGuarded(url, { identity: "ann" });
    const registry = new SessionRegistry({ store });
    const { id } = await registry.create({ cwd: "/a" });
    const { secret } = await createToken(store, { name: "t", scope: "read" });
    const file = path.join(folder, "token");
    fs.writeFileSync(file, `${secret}\n`, { mode: 0o600 });
    await using byFile = await openGuarded(url, { token: `file:${file}`, identity: "ignored" });
    expect((await byFile.get(id))?.id).toBe(id);
    const anew = guardedAs(byFile, { token: `file:${file}` });
    const told: object[] = [];
    const listening = new SessionRegistry({ store: anew });
    listening.on("access", (news) => void told.push(news));
    const { secret: writing } = await createToken(store, { name: "w", scope: "write" });
    fs.writeFileSync(`${file}2`, writing, { mode: 0o600 });
    const writer = guardedAs(byFile, { token: `file:${file}2` });
    const { lease } = await writer.acquire(id, { holder: thisHolder(), ttlMs: 60_000, mayTake: () => true });
    await writer.renew(lease);
    await revokeToken(store, "t");
    await revokeToken(store, "w");
    for (const act of [
      () => anew.get(id),
      () => anew.list(),
      () => anew.count(),
      () => anew.update(id, {}),
      () => anew.stats(),
      () => anew.identity(),
    ])
      await expect(act()).rejects.toMatchObject({ code: "TOKEN_INVALID" });
    await listening.delivered();
    expect(told).toMatchObject([{ what: "tokenRefused", source: "local" }]);
    fs.chmodSync(file, 0o644);
    await expect(guardedAs(byFile, { token: `file:${file}` }).get(id)).rejects.toThrow("chmod 600");
    for (const wrong of [`redis://x:${secret}@localhost`, `sqlite:${secret}`])
      await expect(openGuarded(wrong)).rejects.toMatchObject({
        code: "CONFIG_INVALID",
        message: expect.not.stringContaining(secret) as string,
      });
    // Within seconds.
    const lost = () =>
      writer.renew(lease).then(
        () => undefined,
        (error: unknown) => (error as { code: string }).code,
      );
    await expect.poll(lost, { timeout: 15_000, interval: 500 }).toBe("LEASE_LOST");
    await expect(openGuarded(url, { identity: "a\nb" })).rejects.toMatchObject({ code: "INVALID_PARAMS" });
  });
});

describe("failures", () => {
  it("are five a second from one source, and then wait; other sources do not", () => {
    let now = 0;
    const failures = new Failures(() => now);
    for (let at = 0; at < 5; at += 1) {
      expect(failures.waitMs("a")).toBe(0);
      failures.note("a");
      now += 100;
    }
    expect(failures.waitMs("a")).toBe(500);
    expect(failures.waitMs("b")).toBe(0);
    now = 1001;
    expect(failures.waitMs("a")).toBe(0);
    for (let at = 0; at < 20_000; at += 1) failures.note(`source ${at}`);
    expect(failures.waitMs("a")).toBe(0);
  });
});
