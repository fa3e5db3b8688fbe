import { randomBytes } from "node:crypto";
import { describe, it } from "vitest";
import type { Store } from "../../../src/store/contract.ts";
import { Keyring } from "../../../src/store/encrypted/keyring.ts";
import { encryptedStore } from "../../../src/store/encrypted/store.ts";
import type { Access } from "../../../src/store/guarded/access.ts";
import { guardedStore } from "../../../src/store/guarded/store.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { openSqliteStore } from "../../../src/store/sql/sqlite/store.ts";
import { storeConformance } from "../../conformance/suite.ts";
import { onDisk } from "../media.ts";

const ann: Access = { principal: "ann", isAdmin: false };
const onOneMachine = { persistent: true, shared: true, survivesPowerLoss: true };
const as = async (access: Access, store: Promise<Store>) => guardedStore(await store, async () => access);

storeConformance(
  { describe, it },
  {
    name: "sqlite, guarded, with an identity",
    ...onDisk((path) => as(ann, openSqliteStore({ path }))),
    capabilities: onOneMachine,
    modelRuns: 10,
  },
);

storeConformance(
  { describe, it },
  {
    name: "memory, guarded, without an identity",
    open: async () => guardedStore(openMemoryStore(), { isAdmin: false }),
    capabilities: { persistent: false, shared: false, survivesPowerLoss: false },
    modelRuns: 10,
  },
);

const ring = new Keyring(randomBytes(32));
storeConformance(
  { describe, it },
  {
    name: "sqlite, encrypted and guarded",
    ...onDisk((path) =>
      as(
        ann,
        openSqliteStore({ path }).then((store) => encryptedStore(store, ring)),
      ),
    ),
    capabilities: onOneMachine,
    modelRuns: 5,
  },
);
