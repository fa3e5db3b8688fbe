/**
 * A guarded store keeps the contract for who may do everything.
 * @module-tag long
 */
import { describe, it } from "vitest";
import { guardedStore } from "../../../src/store/guarded/store.ts";
import { openSqliteStore } from "../../../src/store/sql/sqlite/store.ts";
import { storeConformance } from "../../conformance/suite.ts";
import { onDisk } from "../media.ts";

storeConformance(
  { describe, it },
  {
    name: "sqlite, guarded, with an identity",
    ...onDisk(async (path) =>
      guardedStore(await openSqliteStore({ path }), async () => ({ principal: "ann", isAdmin: false })),
    ),
    capabilities: { persistent: true, shared: true, survivesPowerLoss: true },
    modelRuns: 5,
  },
);
