/** Several processes that bring one index up to date: none keeps the others waiting until it is done. */
import { afterAll, expect, it, vi } from "vitest";
import { catchUp } from "../../../src/history/search/catch-up.ts";
import { paceOf } from "../../../src/history/search/pace.ts";
import { pause } from "../../../src/base/time.ts";
import { openStore } from "../../../src/index.ts";
import { locked, type MigrationLock } from "../../../src/store/server/migration-lock.ts";
import { Turns } from "../../../src/store/server/turns.ts";
import { describeServer } from "../../store/servers.ts";
import { postgresSandbox } from "../../store/sql/postgres/sandbox.ts";
import { asks, rigOn, says } from "./rig.ts";

it("has a gap for those who wait, who ask for the lock from time to time", async () => {
  const lock = aLock();
  const turns = new Turns();
  let isDone = false;
  const waiting = (async () => {
    await turn();
    await locked(lock, async () => void (isDone = true));
  })();
  const endMs = performance.now() + 5000;
  while (!isDone && performance.now() < endMs) {
    await turns.begin();
    await locked(lock, () => turns.hold(() => pause(100)));
  }
  await waiting;
  expect(performance.now()).toBeLessThan(endMs);
});

describeServer("TEST_POSTGRES_URL", 5432, (server) => {
  const sandbox = postgresSandbox(server);
  afterAll(sandbox.close);

  it("ends a turn also in the middle of a session, and goes on where it ended", async () => {
    await using store = await openStore(sandbox.url);
    const { session, found, registry } = rigOn(store);
    const many = Array.from({ length: 1600 }, (_, n) => says(`alder ${n}`));
    const ids = [await session([asks("alder"), ...many], {}, 1), await session([asks("alder")], {}, 2)];
    const index = (await store.textIndex())!;
    const turns = vi.spyOn(index, "alone");
    const { messages } = await catchUp(registry, index, { pace: { ...paceOf(), turnMs: 0 } });
    expect(messages).toBe(1602);
    expect(turns.mock.calls.length).toBeGreaterThan(2);
    expect(await found("alder 0", { in: ids[0]! })).toEqual([`${ids[0]}:2`]);
    expect(await found("alder 1599", { in: ids[0]! })).toEqual([`${ids[0]}:1601`]);
    expect((await found("alder", { limit: 2, perSession: 1 })).map((at) => at.split(":")[0])).toEqual(
      ids.reverse(),
    );
  });
});

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** One that lies in this process. */
function aLock(): MigrationLock {
  let owner: string | undefined;
  return {
    of: "words",
    take: async (one) => {
      if (owner !== undefined) return false;
      owner = one;
      return true;
    },
    prolong: async (one, forMs) => {
      if (owner === one && forMs === 0) owner = undefined;
    },
  };
}
