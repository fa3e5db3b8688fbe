/** A store keeps the contract when it is encrypted. */
import { randomBytes } from "node:crypto";
import { describe, it } from "vitest";
import type { Store } from "../../../src/store/contract.ts";
import { Keyring } from "../../../src/store/encrypted/keyring.ts";
import { encryptedStore } from "../../../src/store/encrypted/store.ts";
import { openSqliteStore } from "../../../src/store/sql/sqlite/store.ts";
import { storeConformance } from "../../conformance/suite.ts";
import { onDisk } from "../media.ts";

const ring = new Keyring(randomBytes(32));
const encrypted = async (store: Promise<Store>) => encryptedStore(await store, ring);

storeConformance(
  { describe, it },
  {
    name: "sqlite, encrypted",
    ...onDisk((path) => encrypted(openSqliteStore({ path }))),
    capabilities: { persistent: true, shared: true, survivesPowerLoss: true },
    modelRuns: 10,
  },
);
