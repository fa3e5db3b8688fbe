/**
 * What the suite asks of layers in store.test.ts, of three of them, the last one files.
 * @module-tag long
 */
import { describe, it } from "vitest";
import { storeConformance } from "../../conformance/suite.ts";
import { onDisk, threeLayers } from "../media.ts";

storeConformance(
  { describe, it },
  {
    name: "layered, two caches over files,",
    ...onDisk(threeLayers),
    capabilities: { persistent: true, shared: true, survivesPowerLoss: true },
    modelRuns: 10,
  },
);
