/** What a list that is followed costs while nothing happens, and that it misses nothing for that. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, expect, it } from "vitest";
import { SidecarError } from "../../src/base/errors.ts";
import { ListFeed } from "../../src/http/events/list-feed.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { openStore } from "../../src/store/open.ts";

const root = fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-list-feed-"));
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

async function followed(url: string) {
  const [store, other] = [await openStore(url), await openStore(url)];
  const [registry, others] = [new SessionRegistry({ store }), new SessionRegistry({ store: other })];
  const clock = { nowMs: 0, reads: 0 };
  const { changeMark } = registry;
  const list: typeof registry.list = (query) => {
    clock.reads += 1;
    return registry.list(query);
  };
  const counted = { changeMark, list, peek: (id: Parameters<typeof registry.peek>[0]) => registry.peek(id) };
  const feed = new ListFeed(counted, () => clock.nowMs);
  const close = async () => {
    await feed.close();
    await Promise.all([store.close(), other.close()]);
  };
  return { feed, clock, registry, others, [Symbol.asyncDispose]: close };
}

it("a list is read again when something was written, here or elsewhere, and after a second at the latest", async () => {
  await using at = await followed(`sqlite:${path.join(root, "s.db")}`);
  const { feed, clock, registry, others } = at;
  const readsBy = async (act: () => Promise<unknown>) => {
    const before = clock.reads;
    await act();
    await feed.look();
    await feed.look();
    return clock.reads - before > 0;
  };
  expect(await readsBy(async () => {})).toBe(true);
  expect(await readsBy(async () => {})).toBe(false);
  expect(await readsBy(() => registry.create({ cwd: "/here" }))).toBe(true);
  const { end } = feed.ring;
  expect(await readsBy(() => others.create({ cwd: "/elsewhere" }))).toBe(true);
  expect(feed.ring.end).toBe(end + 1);
  expect(await readsBy(async () => {})).toBe(false);
  expect(await readsBy(async () => (clock.nowMs += 1000))).toBe(true);
});

it("a list of a store that cannot say whether anything was written is read each time", async () => {
  await using at = await followed("memory:");
  const { feed, clock } = at;
  await feed.look();
  const before = clock.reads;
  await feed.look();
  expect(clock.reads).toBeGreaterThan(before);
});

it("who comes while the store is away loads the list again when it is back", async () => {
  await using at = await followed("memory:");
  const { registry } = at;
  let isAway = true;
  const list: typeof registry.list = async (query) => {
    if (isAway) throw new SidecarError("STORE_UNAVAILABLE", "The store is away");
    return registry.list(query);
  };
  const { changeMark } = registry;
  const feed = new ListFeed({ changeMark, list, peek: (id) => registry.peek(id) });
  try {
    const joining = feed.join(undefined);
    expect((await joining.next()).done).toBe(false);
    const { value } = (await joining.next()) as { value: { number: number } };
    await registry.create({ cwd: "/meanwhile" });
    isAway = false;
    await feed.look();
    const told = Buffer.from(feed.ring.from(value.number)?.bytes ?? []).toString();
    expect(told.match(/(?<=event: ).*/g)).toEqual(["resync", "recovered"]);
  } finally {
    await feed.close();
  }
});
