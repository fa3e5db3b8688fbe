import { describe, it } from "vitest";
import { openCacheStore } from "../../../src/store/memory/cache.ts";
import { storeConformance } from "../../conformance/suite.ts";

storeConformance(
  { describe, it },
  {
    name: "cache",
    // Large enough that nothing is evicted: a cache keeps the contract for what it has.
    open: async () => openCacheStore({ maxSessions: 100_000, maxBytes: 1 << 30 }),
    capabilities: { persistent: false, shared: false, survivesPowerLoss: false },
  },
);
