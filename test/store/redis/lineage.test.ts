/** Forks of forks. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { SessionId } from "../../../src/base/ids.ts";
import type { Store } from "../../../src/store/contract.ts";
import { openRedisStore } from "../../../src/store/redis/store.ts";
import { anEntry, aSession, entriesOf, leaseOf } from "../../conformance/samples.ts";
import { describeServer } from "../servers.ts";
import { redisSandbox, watchedIoredis } from "./sandbox.ts";

describeServer("TEST_REDIS_URL", 6379, (url) => {
  const sandbox = redisSandbox(url);
  const { sent, loadDriver } = watchedIoredis();
  let store: Store;
  beforeAll(async () => {
    store = await openRedisStore({ url: sandbox.url, loadDriver });
  });
  afterAll(async () => {
    await store.close();
    await sandbox.close();
  });

  async function commandsOf(work: () => Promise<unknown>): Promise<number> {
    sent.length = 0;
    await work();
    return sent.length;
  }

  /** Forks of forks, each with an entry of its own; the newest last. */
  async function generations(depth: number): Promise<readonly SessionId[]> {
    const ids: SessionId[] = [];
    for (let at = 0; at < depth; at += 1) {
      const parentId = ids.at(-1);
      const { id } = await store.create(aSession(parentId && { lineage: { parentId, atSeq: at } }));
      await store.seal(id, { from: at + 1, head: at }, [anEntry(`${at}`)], await leaseOf(store, id));
      ids.push(id);
    }
    return ids;
  }

  /** Commands to fork the youngest, to read it, and to delete it when its ancestors are deleted. */
  async function costs(depth: number) {
    const ids = await generations(depth);
    const youngest = ids.at(-1) as SessionId;
    const lineage = { parentId: youngest, atSeq: depth };
    const { id } = aSession();
    const fork = await commandsOf(() => store.create(aSession({ id, lineage })));
    const read = await commandsOf(async () => expect(await entriesOf(store, id)).toHaveLength(depth));
    for (const each of ids) await store.delete(each);
    expect(await entriesOf(store, id)).toHaveLength(depth);
    const deletion = await commandsOf(() => store.delete(id));
    return { fork, read, deletion };
  }

  it("costs a family as many commands more as there are journals, and for a new fork none", async () => {
    const [few, many] = [await costs(20), await costs(40)];
    expect(many.fork).toBe(few.fork);
    expect(many.read).toBeLessThanOrEqual(2 * few.read);
    expect(many.deletion).toBeLessThanOrEqual(2 * few.deletion);
    expect((await store.stats()).bytes).toBe(0);
    expect(await sandbox.keys()).toEqual([`${sandbox.prefix}{list}:schema`]);
  });
});
