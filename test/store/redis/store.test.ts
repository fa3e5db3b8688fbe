import { describe, it } from "vitest";
import { openRedisStore } from "../../../src/store/redis/store.ts";
import { storeConformance } from "../../conformance/suite.ts";
import { onServer } from "../media.ts";
import { redisSandbox } from "./sandbox.ts";
import { describeServer } from "../servers.ts";

describeServer("TEST_REDIS_URL", 6379, (server) => {
  const opening = onServer(redisSandbox(server), (url) => openRedisStore({ url }));
  // A server that logs to its disk promises more; redis-durability.test.ts starts such servers.
  const capabilities = { persistent: true, shared: true, survivesPowerLoss: false };
  storeConformance({ describe, it }, { name: "redis", ...opening, capabilities, modelRuns: 10 });
});
