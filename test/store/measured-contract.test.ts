/**
 * A measured store keeps the contract.
 * @module-tag long
 */
import { describe, it } from "vitest";
import { Figures } from "../../src/figures/figures.ts";
import { measuring } from "../../src/store/measured.ts";
import { defineStore } from "../../src/store/shell.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { storeConformance } from "../conformance/suite.ts";

storeConformance(
  { describe, it },
  {
    name: "memory, measured",
    open: async () => defineStore(measuring(openMemoryStore(), new Figures())),
    capabilities: { persistent: false, shared: false, survivesPowerLoss: false },
    modelRuns: 2,
  },
);
