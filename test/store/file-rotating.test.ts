import { describe, it } from "vitest";
import { openFileStore } from "../../src/store/file/store.ts";
import { storeConformance } from "../conformance/suite.ts";
import { onDisk } from "./media.ts";

storeConformance(
  { describe, it },
  {
    // Every seal moves the final entries into a segment, and no more than two journals are open.
    name: "file, rotating all the time,",
    ...onDisk((directory) => openFileStore({ directory, rotateBytes: 1, maxOpenFiles: 2 })),
    capabilities: { persistent: true, shared: true, survivesPowerLoss: true },
    modelRuns: 10,
  },
);
