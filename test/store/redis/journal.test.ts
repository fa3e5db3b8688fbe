import { afterAll, afterEach, beforeEach, expect, it } from "vitest";
import type { Store } from "../../../src/store/contract.ts";
import { openRedisStore } from "../../../src/store/redis/store.ts";
import {
  anEntry,
  aSession,
  assertJournal,
  entriesOf,
  leaseOf,
  rejectsWith,
  someEntries,
} from "../../conformance/samples.ts";
import { redisSandbox } from "./sandbox.ts";
import { describeServer } from "../servers.ts";

describeServer("TEST_REDIS_URL", 6379, (url) => {
  const sandbox = redisSandbox(url);
  let store: Store;
  beforeEach(async () => {
    store = await openRedisStore({ url: sandbox.url });
  });
  afterEach(async () => {
    await store.close();
    await sandbox.empty();
  });
  afterAll(sandbox.close);

  it(
    "takes an entry as large as a message may be, and seals it",
    { timeout: 120_000, tags: ["long"] },
    async () => {
      const { id } = await store.create(aSession());
      const lease = await leaseOf(store, id);
      const large = anEntry("é".repeat(30 << 20));
      await store.append(id, 0, [...someEntries(1), large], lease);
      expect(await store.seal(id, { from: 2, head: 2 }, [large, anEntry("end")], lease)).toBe(3);
      await assertJournal(store, id, [...someEntries(1), large, anEntry("end")]);
    },
  );

  it("refuses more than a server takes in one command, and has changed nothing", async () => {
    const { id } = await store.create(aSession());
    const lease = await leaseOf(store, id);
    await store.append(id, 0, someEntries(2), lease);
    const tooMuch = Array.from({ length: 5 }, () => anEntry("x".repeat(60 << 20)));
    await rejectsWith("STORE_UNSUPPORTED", store.append(id, 2, tooMuch, lease));
    await rejectsWith("STORE_UNSUPPORTED", store.seal(id, { from: 1, head: 2 }, tooMuch, lease));
    expect(await entriesOf(store, id)).toHaveLength(2);
    expect(await store.append(id, 2, someEntries(1, 3), lease)).toBe(3);
  });
});
