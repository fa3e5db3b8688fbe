/**
 * So do the others.
 * @module-tag long
 */
import { randomBytes } from "node:crypto";
import { describe, it } from "vitest";
import type { Store } from "../../../src/store/contract.ts";
import { Keyring } from "../../../src/store/encrypted/keyring.ts";
import { encryptedStore } from "../../../src/store/encrypted/store.ts";
import { openFileStore } from "../../../src/store/file/store.ts";
import { guardedStore } from "../../../src/store/guarded/store.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { openPostgresStore } from "../../../src/store/sql/postgres/store.ts";
import { openRedisStore } from "../../../src/store/redis/store.ts";
import { openSqliteStore } from "../../../src/store/sql/sqlite/store.ts";
import { storeConformance } from "../../conformance/suite.ts";
import { onDisk, onServer } from "../media.ts";
import { redisSandbox } from "../redis/sandbox.ts";
import { describeServer } from "../servers.ts";
import { postgresSandbox } from "../sql/postgres/sandbox.ts";

const onOneMachine = { persistent: true, shared: true, survivesPowerLoss: true };
const anns = async (store: Promise<Store>) => guardedStore(await store, { principal: "ann", isAdmin: false });

storeConformance(
  { describe, it },
  {
    name: "memory, guarded, without an identity",
    open: async () => guardedStore(openMemoryStore(), { isAdmin: false }),
    capabilities: { persistent: false, shared: false, survivesPowerLoss: false },
    modelRuns: 10,
  },
);
storeConformance(
  { describe, it },
  {
    name: "file, guarded",
    ...onDisk((directory) => anns(openFileStore({ directory }))),
    capabilities: onOneMachine,
    modelRuns: 5,
  },
);
const ring = new Keyring(randomBytes(32));
storeConformance(
  { describe, it },
  {
    name: "sqlite, encrypted and guarded",
    ...onDisk((path) => anns(openSqliteStore({ path }).then((store) => encryptedStore(store, ring)))),
    capabilities: onOneMachine,
    modelRuns: 3,
  },
);
describeServer("TEST_POSTGRES_URL", 5432, (server) => {
  const opening = onServer(postgresSandbox(server), (url) => anns(openPostgresStore({ url })));
  storeConformance(
    { describe, it },
    { name: "postgres, guarded", ...opening, capabilities: onOneMachine, modelRuns: 3 },
  );
});
describeServer("TEST_REDIS_URL", 6379, (server) => {
  const opening = onServer(redisSandbox(server), (url) => anns(openRedisStore({ url })));
  const capabilities = { persistent: true, shared: true, survivesPowerLoss: false };
  storeConformance({ describe, it }, { name: "redis, guarded", ...opening, capabilities, modelRuns: 3 });
});
