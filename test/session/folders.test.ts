import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { SessionId } from "../../src/base/ids.ts";
import { hiddenAs } from "../../src/session/hidden.ts";
import type { SessionFilter } from "../../src/session/registry-options.ts";
import type { SessionRegistry } from "../../src/session/registry.ts";
import { openStore } from "../../src/store/open.ts";
import { registryOf } from "./registry-rig.ts";

const root = realpathSync(mkdtempSync(path.join(tmpdir(), "acp-sidecar-folders-")));
afterAll(() => rmSync(root, { recursive: true }));

const real = path.join(root, "caf\u00e9");
const link = path.join(root, "link");
const decomposed = path.join(root, "cafe\u0301");
const other = path.join(root, "other");
for (const folder of [real, other]) mkdirSync(folder);
symlinkSync(real, link);

async function listed(registry: SessionRegistry, filter: SessionFilter, limit = 1000): Promise<SessionId[]> {
  const ids: SessionId[] = [];
  let cursor: string | undefined;
  do {
    const page = await registry.list({ ...filter, limit, ...(cursor !== undefined && { cursor }) });
    expect(page.items.length).toBeLessThanOrEqual(limit);
    ids.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return ids;
}

describe.each(["memory:", "sqlite:"])("sessions of one folder by several spellings, on %s", (scheme) => {
  it("are listed, counted and cleared by each of them, and say the one that they were given", async () => {
    const url = scheme === "memory:" ? scheme : `sqlite:${path.join(root, "sessions.db")}`;
    const { registry, store, pass } = registryOf({ store: await openStore(url) });
    const spellings = [real, link, decomposed, `${link}/`, path.join(link, ".")];
    const ids: SessionId[] = [];
    for (let n = 0; n < 12; n += 1) {
      const { id, cwd } = await registry.create({ cwd: spellings[n % 5] ?? "", metadata: { n } });
      expect(cwd).toBe([real, link, decomposed, link, link][n % 5]);
      ids.unshift(id);
      pass(1000);
      await registry.create({ cwd: other });
    }
    await registry.create({ cwd: link, metadata: hiddenAs("adopting") });
    for (const cwd of spellings) {
      expect(await listed(registry, { cwd })).toEqual(ids);
      for (const limit of [1, 2, 5, 12]) expect(await listed(registry, { cwd }, limit)).toEqual(ids);
      expect(await registry.count({ cwd })).toBe(12);
      expect(await registry.count({ cwd, metadata: { n: 1 } })).toBe(1);
    }
    // Whoever changes metadata knows nothing of that.
    for (const id of ids) await registry.update(id, () => ({ updatedAtMs: 1, metadata: {} }));
    expect((await listed(registry, { cwd: real })).toSorted()).toEqual(ids.toSorted());
    expect(await listed(registry, { cwd: path.join(root, "link", "deeper") })).toEqual([]);
    await registry.clear({ cwd: decomposed });
    expect(await listed(registry, { cwd: link })).toEqual([]);
    expect(await registry.count()).toBe(12);
    await store.close();
  });
});

describe("a session whose project has moved", () => {
  it("moves with it, and is found there alone", async () => {
    const { registry } = registryOf();
    const before = path.join(root, "before");
    const after = path.join(root, "after");
    mkdirSync(before);
    const { id } = await registry.create({ cwd: before, metadata: { team: "blue" } });
    renameSync(before, after);
    symlinkSync(after, path.join(root, "after-link"));
    const moved = await registry.move(id, path.join(root, "after-link"));
    expect(moved).toMatchObject({ cwd: path.join(root, "after-link"), metadata: { team: "blue" } });
    expect(await listed(registry, { cwd: after })).toEqual([id]);
    expect(await listed(registry, { cwd: before })).toEqual([]);
    expect((await registry.move(id, after)).metadata).toEqual({ team: "blue" });
    expect(await registry.count({ cwd: after })).toBe(1);
  });

  it("stays while a turn of it runs elsewhere", async () => {
    const { registry, store } = registryOf({ now: Date.now });
    const { id } = await registry.create({ cwd: real });
    const holder = { host: "elsewhere", pid: 1, startedAt: "1" };
    const { lease } = await store.acquire(id, { holder, ttlMs: 60_000, mayTake: () => false });
    await store.renew({ ...lease, turnRunning: true });
    await expect(registry.move(id, other)).rejects.toMatchObject({ code: "SESSION_BUSY" });
    expect((await registry.get(id)).cwd).toBe(real);
    await store.renew({ ...lease, turnRunning: false });
    expect((await registry.move(id, other)).cwd).toBe(other);
  });
});
