import { describe, it } from "vitest";
import { openPostgresStore } from "../../../../src/store/sql/postgres/store.ts";
import { storeConformance } from "../../../conformance/suite.ts";
import { onServer } from "../../media.ts";
import { postgresSandbox } from "./sandbox.ts";
import { describeServer } from "../../servers.ts";

describeServer("TEST_POSTGRES_URL", 5432, (server) => {
  const opening = onServer(postgresSandbox(server), (url) => openPostgresStore({ url }));
  const capabilities = { persistent: true, shared: true, survivesPowerLoss: true };
  storeConformance({ describe, it }, { name: "postgres", ...opening, capabilities, modelRuns: 10 });
});
