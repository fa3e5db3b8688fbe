import { describe, it } from "vitest";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { storeConformance } from "../../conformance/suite.ts";

storeConformance(
  { describe, it },
  {
    name: "memory",
    open: async () => openMemoryStore(),
    capabilities: { persistent: false, shared: false, survivesPowerLoss: false },
  },
);
