import { describe, it } from "vitest";
import { openLayeredStore } from "../../../src/store/layered/store.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { storeConformance } from "../../conformance/suite.ts";

storeConformance(
  { describe, it },
  {
    name: "layered, memory over memory,",
    open: async () => openLayeredStore({ layers: [openMemoryStore(), openMemoryStore()] }),
    capabilities: { persistent: false, shared: false, survivesPowerLoss: false },
  },
);
