/** Who looks after a store: one process at a time, in every store, and whoever is killed is followed at once. */
import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { processSpace } from "../../src/base/process.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { upkeepId } from "../../src/store/keys-id.ts";
import { knownOf, UpkeepLease } from "../../src/upkeep/lease.ts";
import { onEveryStore } from "../session/every-store.ts";

onEveryStore((open) => {
  it("is one process at a time, who knows what those before have noted; it is no session", async () => {
    const store = await open();
    const first = await UpkeepLease.take(store);
    expect(first?.known.beganMs).toBe(0);
    expect(await UpkeepLease.take(store)).toBeUndefined();
    const known = { beganMs: 7, samples: [], failed: ["backup"], unpacked: [] };
    await first?.note(known);
    await first?.release();
    const second = await UpkeepLease.take(store);
    expect(second?.known).toEqual(known);
    await second?.release();
    expect(await knownOf(store)).toEqual(known);
    const registry = new SessionRegistry({ store });
    expect((await registry.list()).items).toEqual([]);
    expect([await registry.count(), (await registry.stats()).sessions]).toEqual([0, 0]);
  });

  it("is taken over at once from a process that is gone, and not from one that may live elsewhere", async () => {
    const store = await open();
    await (await UpkeepLease.take(store))?.release();
    const { pid } = spawnSync("true");
    const mayTake = () => true;
    const hold = (host: string) =>
      store.acquire(upkeepId, { holder: { host, pid, startedAt: "1" }, ttlMs: 60_000, mayTake });
    await hold("another machine");
    expect(await UpkeepLease.take(store)).toBeUndefined();
    await hold(processSpace());
    const lease = await UpkeepLease.take(store);
    expect(lease).toBeDefined();
    await lease?.release();
  });
});
