/** How a store grows: what was measured, what can only be estimated, and what cannot be said. */
import { expect, it } from "vitest";
import { SessionRegistry } from "../../src/session/registry.ts";
import { openStore } from "../../src/store/open.ts";
import { growthOf, measured } from "../../src/upkeep/growth.ts";
import { cli, scratchFolder } from "../cli/harness.ts";
import { end, prompt } from "../history/talk.ts";

const folder = scratchFolder();
const dayMs = 86_400_000;

it("is measured against what upkeep found, a day ago or more, and in the last month", () => {
  const sample = (days: number, of: number) => ({
    atMs: days * dayMs,
    sessions: of,
    entries: of * 10,
    bytes: of * 1000,
  });
  expect(measured([sample(1, 1), sample(100, 50), sample(105, 60)], sample(110, 100))).toEqual({
    by: "measured",
    days: 10,
    perDay: { sessions: 5, entries: 50, bytes: 5000 },
  });
  expect(measured([sample(109.5, 60)], sample(110, 100))).toBeUndefined();
  expect(measured([sample(100, 50)], sample(110, 40))?.perDay?.bytes).toBe(-1000);
});

it("is estimated from the sessions that were begun, or not said, and the command says which", async () => {
  const url = `sqlite:${folder}/growing.db`;
  const stats = async () => (await cli(["sessions", "stats", "--growth", "--store", url])).out;
  {
    await using store = await openStore(url);
    await new SessionRegistry({ store }).create({ cwd: "/work" });
  }
  expect(await stats()).toMatch(/^growth: +cannot be said yet/m);
  expect(await stats()).not.toMatch(/a day:|disk is full/);
  await using store = await openStore(url);
  for (let n = 0; n < 10; n += 1) {
    const atMs = Date.now() - (n + 1) * dayMs;
    const registry = new SessionRegistry({ store, now: () => atMs });
    const { id } = await registry.create({ cwd: "/work" });
    const { journal } = await registry.open(id);
    await journal.seal([prompt("x"), end()].map((entry) => ({ ...entry, atMs })));
    await journal.release();
    await registry.close();
  }
  expect(await stats()).toMatch(/^growth: +estimated from the sessions that were begun in the last 10 days/m);
  expect(await stats()).toMatch(/^entries a day: +2\.0$/m);
  expect(await stats()).toMatch(/^disk is full: +in more than ten years at this rate$/m);
  const registry = new SessionRegistry({ store });
  const growth = await growthOf(registry, store, url);
  expect(growth).toMatchObject({ by: "estimated", perDay: { sessions: expect.closeTo(1.1, 1) as number } });
  expect((await growthOf(registry, store, "postgres://h/d")).room).toBeUndefined();
  await registry.close();
});
