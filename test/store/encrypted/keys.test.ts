/** The keys of a store: which open it, what a rotation changes, and where they come from. */
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { newSessionId } from "../../../src/base/ids.ts";
import { keysStatus, rotateKeys } from "../../../src/care/keys.ts";
import { thisHolder } from "../../../src/session/holder.ts";
import { keyringOf } from "../../../src/store/encrypted/key-source.ts";
import { keyIdOf } from "../../../src/store/encrypted/keyring.ts";
import { encryptedStore } from "../../../src/store/encrypted/store.ts";
import { openStoreWith, type Encryption } from "../../../src/store/open-encrypted.ts";
import { keysCopyId, keysId } from "../../../src/store/keys-id.ts";
import { openStore } from "../../../src/store/open.ts";
import { wrapStore } from "../../../src/store/shell.ts";
import { aSession, anEntry } from "../../conformance/samples.ts";

let folder = "";
beforeAll(() => void (folder = fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-keys-"))));
afterAll(() => fs.rmSync(folder, { recursive: true }));

let made = 0;
function aKey(): { readonly source: string; readonly id: string } {
  const key = randomBytes(32);
  const file = path.join(folder, `key-${(made += 1)}`);
  fs.writeFileSync(file, `${key.toString("base64")}\n`, { mode: 0o600 });
  return { source: `file:${file}`, id: keyIdOf(key) };
}

const aStoreUrl = () => `sqlite:${path.join(folder, `store-${(made += 1)}.db`)}`;

/** A session with one entry that holds these words. */
async function written(url: string, encryption: Encryption, words: string) {
  await using store = await openStoreWith(url, encryption);
  const { id } = await store.create(aSession({ title: words }));
  const { lease } = await store.acquire(id, { holder: thisHolder(), ttlMs: 1000, mayTake: () => true });
  await store.append(id, 0, [anEntry(words)], lease);
  await store.release(lease);
  return id;
}

async function wordsIn(url: string, encryption: Encryption, id: ReturnType<typeof newSessionId>) {
  await using store = await openStoreWith(url, encryption);
  const texts: string[] = [];
  for await (const page of store.read(id)) for (const { data } of page) texts.push(data);
  return [(await store.get(id))?.title, ...texts];
}

describe("an encrypted store", () => {
  it("opens with its key alone, and says which one it wants", async () => {
    const [url, key, other] = [aStoreUrl(), aKey(), aKey()];
    const id = await written(url, { encryptionKey: key.source }, "hello");
    expect((await wordsIn(url, { encryptionKey: key.source }, id))[0]).toBe("hello");
    const missing = { code: "KEY_MISSING", data: { keyId: key.id } };
    await expect(openStoreWith(url, {})).rejects.toMatchObject(missing);
    await expect(openStoreWith(url, { encryptionKey: other.source })).rejects.toMatchObject(missing);
    await expect(openStoreWith(url, {}, "it is")).rejects.toMatchObject(missing);
    expect(await wordsIn(url, { encryptionKey: key.source }, id)).toHaveLength(2);
  });

  it("is not mixed with what somebody writes who has opened it without a key, while it was empty", async () => {
    for (const kind of ["sqlite", "file"]) {
      const [url, key] = [`${kind}:${path.join(folder, `begun-${kind}`)}`, aKey()];
      await using plain = await openStoreWith(url);
      const id = await written(url, { encryptionKey: key.source }, "sealed");
      const late = plain.create(aSession({ title: "plain" }));
      await expect(late).rejects.toMatchObject({ code: "KEY_MISSING", data: { keyId: key.id } });
      await using store = await openStoreWith(url, { encryptionKey: key.source });
      expect((await store.list()).items.map((each) => each.id)).toEqual([id]);
    }
  });

  it("is not begun where somebody makes a plain session at the same instant", async () => {
    const [url, key] = [aStoreUrl(), aKey()];
    await using inner = await openStore(url);
    const plain = aSession({ title: "plain" });
    const begun = encryptedStore(
      wrapStore(inner, {
        // Between the look at what is there and the first sign of keys.
        create: async (session) => {
          if (session.id === keysCopyId) await inner.create(plain);
          return inner.create(session);
        },
        close: () => undefined,
      }),
      await keyringOf(key.source),
    );
    await expect(begun).rejects.toMatchObject({ code: "NOT_ENCRYPTED" });
    await using store = await openStoreWith(url);
    expect((await store.list()).items.map(({ title }) => title)).toEqual(["plain"]);
  });

  it("whose keys are gone is told of, and not taken for a plain one", async () => {
    const [url, key] = [aStoreUrl(), aKey()];
    await written(url, { encryptionKey: key.source }, "words");
    await using inner = await openStore(url);
    for (const id of [keysId, keysCopyId]) await inner.update(id, { metadata: {} });
    const gone = { code: "DECRYPT_FAILED", message: expect.stringContaining("gone or damaged") as string };
    await expect(openStoreWith(url, {})).rejects.toMatchObject(gone);
    await expect(keysStatus(url, {})).rejects.toMatchObject(gone);
    for (const id of [keysId, keysCopyId]) await inner.delete(id);
    for (const encryption of [{ encryptionKey: key.source }, {}]) {
      await expect(openStoreWith(url, encryption)).rejects.toMatchObject(gone);
      await expect(openStoreWith(url, encryption, "it is")).rejects.toMatchObject(gone);
      await expect(keysStatus(url, encryption)).rejects.toMatchObject(gone);
    }
  });

  it("names no key that cannot be one, and takes the copy", async () => {
    const [url, key] = [aStoreUrl(), aKey()];
    await written(url, { encryptionKey: key.source }, "words");
    await using inner = await openStore(url);
    const { metadata = {} } = (await inner.get(keysId)) ?? {};
    const secrets = JSON.stringify({ wrapped: ["evil\u001b[31m\n.AAAA"] });
    await inner.update(keysId, { metadata: { ...metadata, "acp-sidecar.secrets": secrets } });
    expect(await keysStatus(url, {})).toMatchObject({ keyIds: [key.id] });
    await expect(openStoreWith(url, {})).rejects.toMatchObject({ data: { keyId: key.id } });
  });

  it("is not made of one that holds plain sessions", async () => {
    const [url, key] = [aStoreUrl(), aKey()];
    const id = await written(url, {}, "plain");
    await expect(openStoreWith(url, { encryptionKey: key.source })).rejects.toMatchObject({
      code: "NOT_ENCRYPTED",
    });
    expect((await wordsIn(url, {}, id))[0]).toBe("plain");
    await using store = await openStoreWith(url, { encryptionKey: key.source }, "it is");
    expect(await store.count()).toBe(1);
  });

  it.each([keysId, keysCopyId])(
    "is one also while the record %s is missing, and has it again",
    async (id) => {
      const [url, key] = [aStoreUrl(), aKey()];
      const session = await written(url, { encryptionKey: key.source }, "words");
      // As whoever begins it leaves it when killed between the two.
      await using inside = await openStore(url);
      await inside.delete(id);
      const missing = { code: "KEY_MISSING", data: { keyId: key.id } };
      await expect(openStoreWith(url, {})).rejects.toMatchObject(missing);
      expect((await wordsIn(url, { encryptionKey: key.source }, session))[0]).toBe("words");
    },
  );

  it("is made by one of several that open it first", async () => {
    const [url, { source: encryptionKey }] = [aStoreUrl(), aKey()];
    const stores = await Promise.all([1, 2, 3].map(() => openStoreWith(url, { encryptionKey })));
    for (const store of stores) await store.create(aSession({ title: "one of three" }));
    for (const store of stores) {
      const { items } = await store.list();
      expect(items.map(({ title }) => title)).toEqual(["one of three", "one of three", "one of three"]);
    }
    await Promise.all(stores.map((store) => store.close()));
  });
});

describe("a rotation", () => {
  it("puts all under the new key, and what is written from then on where the old one never was", async () => {
    const [url, before, now] = [aStoreUrl(), aKey(), aKey()];
    const first = await written(url, { encryptionKey: before.source }, "first");
    const both = { encryptionKey: now.source, previousKeys: [before.source] };
    await expect(rotateKeys(url, { encryptionKey: now.source })).rejects.toMatchObject({
      code: "KEY_MISSING",
    });
    await rotateKeys(url, both);
    expect(await keysStatus(url, { encryptionKey: now.source })).toEqual({
      encrypted: true,
      keyIds: [now.id],
      rotations: 1,
      configured: now.id,
      isCurrent: true,
    });
    const second = await written(url, { encryptionKey: now.source }, "second");
    expect((await wordsIn(url, { encryptionKey: now.source }, first))[0]).toBe("first");
    expect((await wordsIn(url, { encryptionKey: now.source }, second))[0]).toBe("second");
    await expect(openStoreWith(url, { encryptionKey: before.source })).rejects.toMatchObject({
      code: "KEY_MISSING",
      data: { keyId: now.id },
    });
    await using inside = await openStore(url);
    const generations: string[] = [];
    for (const id of [first, second])
      for await (const page of inside.read(id))
        for (const { data } of page) generations.push(/^\{"\$enc":"(\d+)\./.exec(data)?.[1] ?? "");
    expect(generations).toEqual(["1", "2"]);
  });

  it("is heard of by who has the store open, as soon as there is something to read", async () => {
    const [url, before, now] = [aStoreUrl(), aKey(), aKey()];
    const both = { encryptionKey: now.source, previousKeys: [before.source] };
    const first = await written(url, { encryptionKey: before.source }, "first");
    await using running = await openStoreWith(url, both);
    await using old = await openStoreWith(url, { encryptionKey: before.source });
    await rotateKeys(url, both);
    const second = await written(url, { encryptionKey: now.source }, "second");
    expect((await running.get(second))?.title).toBe("second");
    // One that has only the old key says what it lacks, reads what it can, and writes what everybody can read.
    expect((await old.get(first))?.title).toBe("first");
    await expect(old.get(second)).rejects.toMatchObject({ code: "KEY_MISSING", data: { keyId: now.id } });
    const { id } = await old.create(aSession({ title: "third" }));
    expect((await running.get(id))?.title).toBe("third");
  });

  it("is one at a time, and refused for a store that is plain", async () => {
    const [url, key] = [aStoreUrl(), aKey()];
    await written(url, { encryptionKey: key.source }, "words");
    const rotations = await Promise.allSettled(
      [1, 2, 3].map(() => rotateKeys(url, { encryptionKey: key.source })),
    );
    const failed = rotations.flatMap((each) => (each.status === "rejected" ? [each.reason as unknown] : []));
    for (const error of failed) expect(error).toMatchObject({ code: "SESSION_BUSY" });
    const { rotations: count } = await keysStatus(url, {});
    expect(count).toBe(3 - failed.length);
    const plain = aStoreUrl();
    await written(plain, {}, "plain");
    await expect(rotateKeys(plain, { encryptionKey: key.source })).rejects.toMatchObject({
      code: "NOT_ENCRYPTED",
    });
    expect(await keysStatus(plain, {})).toMatchObject({ encrypted: false, keyIds: [], rotations: 0 });
  });
});

describe("where a key comes from", () => {
  const hex = randomBytes(32).toString("hex");
  const opened = async (encryptionKey: string) => {
    await using store = await openStoreWith(aStoreUrl(), { encryptionKey });
    return await store.count();
  };
  const refused = (encryptionKey: string, what: RegExp) =>
    expect(opened(encryptionKey)).rejects.toMatchObject({
      code: "KEY_INVALID",
      message: expect.stringMatching(what) as string,
    });

  it("a file, a variable or a command, in either form", async () => {
    process.env["TEST_KEY_OF_A_STORE"] = hex;
    expect(await opened("env:TEST_KEY_OF_A_STORE")).toBe(0);
    delete process.env["TEST_KEY_OF_A_STORE"];
    await refused("env:TEST_KEY_OF_A_STORE", /is not set/);
    expect(await opened(aKey().source)).toBe(0);
    expect(await opened(`command:echo ${hex}`)).toBe(0);
  });

  it("says what is wrong in a line, and nothing of the key", async () => {
    const file = path.join(folder, "bad");
    fs.writeFileSync(file, `${hex.slice(2)}\n`, { mode: 0o600 });
    await refused(`file:${file}`, /holds no key/);
    fs.writeFileSync(file, hex);
    fs.chmodSync(file, 0o644);
    await refused(`file:${file}`, /can be read by others; run: chmod 600/);
    await refused(`file:${path.join(folder, "none")}`, /cannot be read/);
    await refused(`command:echo ${hex}; echo ${hex}`, /several lines/);
    await refused("command:exit 3", /ended with 3/);
    await refused("command:PASSWORD=hunter2 false", /^(?!.*hunter2).* and see: it$/);
    await refused("command:head -c 5000 /dev/zero", /printed more than a key has/);
    fs.mkdirSync(path.join(folder, "a-folder"), { recursive: true });
    await refused(`file:${path.join(folder, "a-folder")}`, /a-folder is no file/);
    await refused("file:/dev/zero", /is no file/);
    await refused("command:echo short secret", /command:echo … holds no key/);
    const said = await opened(`command:echo ${hex.slice(4)}`).catch((error: unknown) => String(error));
    expect(said).not.toContain(hex.slice(4, 20));
  });
});
