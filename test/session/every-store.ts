/** The same tests on every kind of store: what the session layer promises holds wherever sessions are kept. */
import { afterAll, afterEach, describe } from "vitest";
import type { Store } from "../../src/store/contract.ts";
import { openCacheStore } from "../../src/store/memory/cache.ts";
import { openFileStore } from "../../src/store/file/store.ts";
import { openLayers, openStore } from "../../src/store/open.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { openSqliteStore } from "../../src/store/sql/sqlite/store.ts";
import { onDisk, onServer } from "../store/media.ts";
import { postgresSandbox } from "../store/sql/postgres/sandbox.ts";
import { redisSandbox } from "../store/redis/sandbox.ts";
import { describeServer } from "../store/servers.ts";
import type { StoreUnderTest } from "../conformance/suite.ts";

type Opening = Pick<StoreUnderTest, "open" | "dispose">;

/** @param body its tests; `open` gives an empty store, which is closed after the test */
export function onEveryStore(body: (open: () => Promise<Store>) => void): void {
  onStores({ long: [] }, body);
}

/** @param long the kinds that `npm test` leaves out, where the tests take their time */
export function onStores(
  { long }: { readonly long: readonly string[] },
  body: (open: () => Promise<Store>) => void,
): void {
  const on = (name: string, opening: Opening) =>
    describe(name, { tags: long.includes(name) ? ["long"] : [] }, () => {
      const opened: Store[] = [];
      afterEach(async () => {
        for (const store of opened.splice(0)) await store.close();
      });
      afterAll(() => opening.dispose?.());
      body(async () => {
        const store = await opening.open();
        opened.push(store);
        return store;
      });
    });
  on("memory", { open: async () => openMemoryStore() });
  on(
    "file",
    onDisk((directory) => openFileStore({ directory })),
  );
  on(
    "sqlite",
    onDisk((path) => openSqliteStore({ path })),
  );
  on(
    "layered",
    onDisk(async (path) => openLayers([openCacheStore(), await openSqliteStore({ path })])),
  );
  describeServer("TEST_POSTGRES_URL", 5432, (server) =>
    on("postgres", onServer(postgresSandbox(server), openStore)),
  );
  describeServer("TEST_REDIS_URL", 6379, (server) => on("redis", onServer(redisSandbox(server), openStore)));
}
