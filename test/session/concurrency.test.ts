/** Many at once on one session: in one registry, and in two over one SQLite file. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { isSidecarError } from "../../src/base/errors.ts";
import { textOf } from "../../src/acp/content.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { openSqliteStore } from "../../src/store/sql/sqlite/store.ts";
import type { Store } from "../../src/store/contract.ts";
import type { SessionId } from "../../src/base/ids.ts";

const directory = mkdtempSync(join(tmpdir(), "acp-sidecar-registry-"));
const stores: Store[] = [];
let files = 0;

afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
});
afterAll(() => rmSync(directory, { recursive: true }));

async function registryOn(opening: Promise<Store> | Store): Promise<SessionRegistry> {
  const store = await opening;
  stores.push(store);
  return new SessionRegistry({ store });
}

async function textsOf(registry: SessionRegistry, id: SessionId): Promise<string[]> {
  const texts: string[] = [];
  for await (const message of registry.messages(id)) texts.push(textOf(message));
  return texts;
}

const hundred = Array.from({ length: 100 }, (_, n) => n);

describe.each([
  ["memory", () => openMemoryStore()],
  ["sqlite", () => openSqliteStore({ path: join(directory, `${(files += 1)}.db`) })],
] as const)("a hundred at once on a %s store [REQ A10]", (_name, open) => {
  it("updates leave none out", async () => {
    const registry = await registryOn(open());
    const { id } = await registry.create({ cwd: "/", metadata: { count: 0 } });
    const seen = await Promise.all(
      hundred.map(() =>
        registry.update(id, ({ metadata }) => ({ metadata: { count: Number(metadata["count"]) + 1 } })),
      ),
    );
    expect(seen.map(({ metadata }) => metadata["count"])).toEqual(hundred.map((n) => n + 1));
  });

  it("messages are all there, in the order of the calls, beside updates and reads", async () => {
    const registry = await registryOn(open());
    const { id } = await registry.create({ cwd: "/" });
    const acts = hundred.flatMap((n) => [
      registry.addMessage(id, { role: "user", content: `${n}` }),
      registry.update(id, () => ({ title: `${n}` })),
      registry.get(id),
    ]);
    await Promise.all(acts);
    expect(await textsOf(registry, id)).toEqual(hundred.map(String));
    expect(await registry.get(id)).toMatchObject({ headSeq: 100, title: "99" });
  });

  it("sessions are made, spoken to and ended independently", async () => {
    const registry = await registryOn(open());
    await Promise.all(
      hundred.map(async (n) => {
        const { id } = await registry.create({ cwd: `/${n}` });
        await registry.addMessage(id, { role: "user", content: `${n}` });
        expect(await textsOf(registry, id)).toEqual([`${n}`]);
        if (n % 2 === 0) await registry.end(id);
      }),
    );
    expect([await registry.count(), registry.live.size]).toEqual([50, 50]);
  });
});

describe("two registries on one SQLite file [REQ A10]", () => {
  async function pair() {
    const path = join(directory, `${(files += 1)}.db`);
    return {
      one: await registryOn(openSqliteStore({ path })),
      two: await registryOn(openSqliteStore({ path })),
    };
  }

  it("see each other's sessions, changes and endings", async () => {
    const { one, two } = await pair();
    const { id } = await one.create({ cwd: "/" });
    await two.update(id, () => ({ title: "by two" }));
    expect((await one.get(id)).title).toBe("by two");
    await one.addMessage(id, { role: "user", content: "from one" });
    await two.addMessage(id, { role: "assistant", content: "from two" });
    expect(await textsOf(one, id)).toEqual(["from one", "from two"]);
    await two.end(id);
    await expect(one.addMessage(id, { role: "user", content: "x" })).rejects.toMatchObject({
      code: "SESSION_NOT_FOUND",
    });
  });

  it("that change different things at once keep both", async () => {
    const { one, two } = await pair();
    const { id } = await one.create({ cwd: "/" });
    await Promise.all(
      hundred.flatMap((n) => [
        one.update(id, () => ({ title: `${n}` })),
        two.update(id, ({ metadata }) => ({ metadata: { n: Number(metadata["n"] ?? 0) + 1 } })),
      ]),
    );
    expect(await one.get(id)).toMatchObject({ title: "99", metadata: { n: 100 } });
  });

  it("that speak at once either write or are told that it is busy; nothing is lost or doubled", async () => {
    const { one, two } = await pair();
    const { id } = await one.create({ cwd: "/" });
    const written: string[] = [];
    const speak = async (registry: SessionRegistry, text: string) => {
      try {
        await registry.addMessage(id, { role: "user", content: text });
        written.push(text);
      } catch (error) {
        if (!isSidecarError(error, "SESSION_BUSY")) throw error;
      }
    };
    await Promise.all(hundred.flatMap((n) => [speak(one, `one ${n}`), speak(two, `two ${n}`)]));
    const texts = await textsOf(one, id);
    expect(texts.toSorted()).toEqual(written.toSorted());
    const by = (name: string) =>
      texts.filter((text) => text.startsWith(name)).map((text) => Number(text.slice(4)));
    expect(by("one")).toEqual(by("one").toSorted((a, b) => a - b));
    expect(by("two")).toEqual(by("two").toSorted((a, b) => a - b));
    expect((await one.get(id)).headSeq).toBe(texts.length);
  });
});
