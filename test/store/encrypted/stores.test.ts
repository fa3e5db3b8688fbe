/** A store keeps the contract when it is encrypted. */
import { randomBytes } from "node:crypto";
import { describe, it } from "vitest";
import { Keyring } from "../../../src/store/encrypted/keyring.ts";
import { encryptedStore } from "../../../src/store/encrypted/store.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { storeConformance } from "../../conformance/suite.ts";

const ring = new Keyring(randomBytes(32));

storeConformance(
  { describe, it },
  {
    name: "memory, encrypted",
    open: async () => encryptedStore(openMemoryStore(), ring),
    capabilities: { persistent: false, shared: false, survivesPowerLoss: false },
    modelRuns: 10,
  },
);
