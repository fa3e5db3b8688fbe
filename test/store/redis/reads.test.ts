import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { build } from "esbuild";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { Redis } from "ioredis";
import { openRedisStore } from "../../../src/store/redis/store.ts";
import type { Entry, Lease, Store } from "../../../src/store/contract.ts";
import type { SessionId } from "../../../src/base/ids.ts";
import { aJournal, anEntry, aSession, leaseOf, rejectsWith, someEntries } from "../../conformance/samples.ts";
import { redisSandbox, watchedIoredis } from "./sandbox.ts";
import { describeServer } from "../servers.ts";

/** Tells whether V8 has String.prototype laid out for speed. */
const probe = `const isFast = new Function("return %HasFastProperties(String.prototype)");`;

describe("loading ioredis", () => {
  it("leaves the methods of texts as fast as they were", async () => {
    const driver = JSON.stringify(resolve("src/store/redis/driver.ts"));
    const contents = `import { loadIoredis } from ${driver};\n${probe}
      await import("ioredis");
      const alone = isFast();
      await loadIoredis();
      console.log(JSON.stringify({ alone, ours: isFast() }));`;
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: process.cwd() },
      bundle: true,
      write: false,
      platform: "node",
      format: "esm",
      packages: "external",
    });
    const [{ text } = { text: "" }] = outputFiles;
    const args = ["--allow-natives-syntax", "--input-type=module", "--eval", text];
    const { stdout } = spawnSync(process.execPath, args, { encoding: "utf8" });
    expect(JSON.parse(stdout)).toEqual({ alone: false, ours: true });
  });
});

describeServer("TEST_REDIS_URL", 6379, (url) => {
  const sandbox = redisSandbox(url);
  let store: Store;
  const { sent, before, loadDriver } = watchedIoredis();

  beforeEach(async () => {
    store = await openRedisStore({ url: sandbox.url, loadDriver });
  });
  afterEach(async () => {
    before.clear();
    await store.close();
    await sandbox.empty();
  });
  afterAll(sandbox.close);

  const seqs = (entries: readonly Entry[]): number[] => entries.map(({ seq }) => seq);
  const upTo = (last: number): number[] => Array.from({ length: last }, (_, i) => i + 1);
  async function rest(pages: AsyncIterator<readonly Entry[]>): Promise<Entry[]> {
    const entries: Entry[] = [];
    for (let page = await pages.next(); page.done !== true; page = await pages.next())
      entries.push(...page.value);
    return entries;
  }
  /** Begins to read all of it and is given the first page. */
  async function begun(id: SessionId) {
    const pages = store.read(id)[Symbol.asyncIterator]();
    const first = (await pages.next()).value as readonly Entry[];
    sent.length = 0;
    return { pages, first };
  }
  /** Entries 1 … `sealed` are final, those up to `head` are not. */
  async function aHalfSealed(sealed: number, head: number): Promise<{ id: SessionId; lease: Lease }> {
    const { id } = await store.create(aSession());
    const lease = await leaseOf(store, id);
    await store.seal(id, { from: 1, head: 0 }, someEntries(sealed), lease);
    await store.append(id, sealed, someEntries(head - sealed, sealed + 1), lease);
    return { id, lease };
  }

  describe("a read of a whole journal in Redis", () => {
    it("takes blocks as they are, without a script", async () => {
      const { id } = await aJournal(store, 12_000);
      const { pages, first } = await begun(id);
      expect(seqs([...first, ...(await rest(pages))])).toEqual(upTo(12_000));
      expect(sent).toContain("lrange");
      expect(sent).not.toContain("evalsha");
    });

    it("takes them so behind the first page, too, when it begins in the middle", async () => {
      const { id } = await aJournal(store, 12_000);
      sent.length = 0;
      const pages = store.read(id, { from: 151 })[Symbol.asyncIterator]();
      expect(seqs(await rest(pages))).toEqual(upTo(12_000).slice(150));
      expect(sent.filter((command) => command === "evalsha")).toHaveLength(1);
    });

    it("works on a server that does not tell how large a journal is", async () => {
      const { id } = await aJournal(store, 3000);
      const user = `ada-${process.pid}`;
      const client = new Redis(url);
      await client.call("acl", "setuser", user, "on", ">word", "~*", "+@all", "-memory");
      const at = new URL(sandbox.url);
      [at.username, at.password] = [user, "word"];
      const other = await openRedisStore({ url: at.href });
      try {
        expect(seqs(await rest(other.read(id)[Symbol.asyncIterator]()))).toEqual(upTo(3000));
      } finally {
        await other.close();
        await client.call("acl", "deluser", user);
        client.disconnect();
      }
    });

    it("breaks off when a seal has replaced what was given out", async () => {
      const { id, lease } = await aHalfSealed(0, 22_000);
      const { pages } = await begun(id);
      await store.seal(id, { from: 1, head: 22_000 }, [anEntry("all")], lease);
      await store.append(id, 1, someEntries(21_999, 2), lease);
      await rejectsWith("STORE_CONFLICT", rest(pages));
    });

    it("notices a seal between the blocks and the state", async () => {
      const { id, lease } = await aHalfSealed(3000, 9000);
      const { pages, first } = await begun(id);
      const seen = [...first, ...((await pages.next()).value as readonly Entry[])];
      expect(seen.at(-1)?.seq).toBeLessThan(9000);
      const other = await openRedisStore({ url: sandbox.url });
      try {
        // What comes after it stands where entries of the same numbers stood.
        before.set("hmget", async () => {
          await other.seal(id, { from: 3001, head: 9000 }, someEntries(100), lease);
          await other.append(id, 3100, someEntries(9000), lease);
        });
        await rejectsWith("STORE_CONFLICT", rest(pages));
      } finally {
        await other.close();
      }
    });

    it("goes on when a seal has replaced only what comes later", async () => {
      const { id, lease } = await aHalfSealed(9000, 12_000);
      const { pages, first } = await begun(id);
      before.set("hmget", () => store.seal(id, { from: 9001, head: 12_000 }, [anEntry("all")], lease));
      const all = [...first, ...(await rest(pages))];
      expect(seqs(all)).toEqual(upTo(9001));
      expect(all.at(-1)?.data).toBe(anEntry("all").data);
    });

    it("ends when the session is deleted", async () => {
      const { id } = await aJournal(store, 12_000);
      const { pages } = await begun(id);
      await store.delete(id);
      await rejectsWith("SESSION_NOT_FOUND", rest(pages));
    });

    it("goes on in what is kept of a parent that is deleted, though another has its id", async () => {
      const { id: parentId } = await aHalfSealed(9000, 12_000);
      const { id } = await store.create({ ...aSession(), lineage: { parentId, atSeq: 8990 } });
      const lease = await leaseOf(store, id);
      await store.append(id, 8990, someEntries(3000, 8991), lease);
      const { pages, first } = await begun(id);
      await store.delete(parentId);
      await store.create(aSession({ id: parentId }));
      const others = Array.from({ length: 9000 }, () => anEntry("another's"));
      await store.append(parentId, 0, others, await leaseOf(store, parentId));
      const all = [...first, ...(await rest(pages))];
      expect(seqs(all)).toEqual(upTo(11_990));
      expect(all.filter(({ data }) => data === anEntry("another's").data)).toEqual([]);
    });

    it("leaves it to the server to stop in time when there is more than one answer should hold", async () => {
      const { id } = await store.create(aSession());
      const lease = await leaseOf(store, id);
      const large = anEntry("x".repeat(4 << 20));
      for (let at = 0; at < 17; at += 1) await store.append(id, at, [large], lease);
      const { pages, first } = await begun(id);
      expect(seqs([...first, ...(await rest(pages))])).toEqual(upTo(17));
      expect(sent).not.toContain("lrange");
    });

    it("gives small pages of a short journal with large entries among small ones", async () => {
      const { id, lease } = await aJournal(store, 10_500);
      const large = anEntry("x".repeat(2 << 20));
      for (let at = 10_500; at < 10_505; at += 1) await store.append(id, at, [large], lease);
      await store.append(id, 10_505, someEntries(9500), lease);
      const { pages } = await begun(id);
      for (let page = await pages.next(); page.done !== true; page = await pages.next())
        expect(page.value.filter(({ data }) => data.length > 1 << 20).length).toBeLessThanOrEqual(1);
    });
  });
});
