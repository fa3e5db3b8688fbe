import { describe, it } from "vitest";
import { openSqliteStore } from "../../../../src/store/sql/sqlite/store.ts";
import { storeConformance } from "../../../conformance/suite.ts";
import { onDisk } from "../../media.ts";

storeConformance(
  { describe, it },
  {
    name: "sqlite",
    ...onDisk((path) => openSqliteStore({ path })),
    capabilities: { persistent: true, shared: true, survivesPowerLoss: true },
  },
);
