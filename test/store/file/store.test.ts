import { describe, it } from "vitest";
import { openFileStore } from "../../../src/store/file/store.ts";
import { storeConformance } from "../../conformance/suite.ts";
import { onDisk } from "../media.ts";

storeConformance(
  { describe, it },
  {
    name: "file",
    ...onDisk((directory) => openFileStore({ directory })),
    capabilities: { persistent: true, shared: true, survivesPowerLoss: true },
  },
);
