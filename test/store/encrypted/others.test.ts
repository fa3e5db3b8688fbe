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
import { openPostgresStore } from "../../../src/store/sql/postgres/store.ts";
import { openSqliteStore } from "../../../src/store/sql/sqlite/store.ts";
import { openRedisStore } from "../../../src/store/redis/store.ts";
import { storeConformance } from "../../conformance/suite.ts";
import { onDisk, onServer, threeLayers } from "../media.ts";
import { redisSandbox } from "../redis/sandbox.ts";
import { describeServer } from "../servers.ts";
import { postgresSandbox } from "../sql/postgres/sandbox.ts";

const ring = new Keyring(randomBytes(32));
const encrypted = async (store: Promise<Store>) => encryptedStore(await store, ring);
const runner = { describe, it };
const onOneMachine = { persistent: true, shared: true, survivesPowerLoss: true };

storeConformance(runner, {
  name: "sqlite, encrypted",
  ...onDisk((path) => encrypted(openSqliteStore({ path }))),
  capabilities: onOneMachine,
  modelRuns: 10,
});
storeConformance(runner, {
  name: "file, encrypted",
  ...onDisk((directory) => encrypted(openFileStore({ directory }))),
  capabilities: onOneMachine,
  modelRuns: 5,
});
storeConformance(runner, {
  name: "layers, encrypted",
  ...onDisk((directory) => encrypted(threeLayers(directory))),
  capabilities: onOneMachine,
  modelRuns: 5,
});
describeServer("TEST_POSTGRES_URL", 5432, (server) => {
  const opening = onServer(postgresSandbox(server), (url) => encrypted(openPostgresStore({ url })));
  storeConformance(runner, {
    name: "postgres, encrypted",
    ...opening,
    capabilities: onOneMachine,
    modelRuns: 3,
  });
});
describeServer("TEST_REDIS_URL", 6379, (server) => {
  const opening = onServer(redisSandbox(server), (url) => encrypted(openRedisStore({ url })));
  const capabilities = { persistent: true, shared: true, survivesPowerLoss: false };
  storeConformance(runner, { name: "redis, encrypted", ...opening, capabilities, modelRuns: 3 });
});
