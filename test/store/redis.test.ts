import { afterAll, describe, it } from "vitest";
import { openRedisStore } from "../../src/store/redis/store.ts";
import { storeConformance } from "../conformance/suite.ts";
import { redisSandbox } from "./redis-sandbox.ts";
import { describeServer } from "./servers.ts";

describeServer("TEST_REDIS_URL", 6379, (url) => {
  const sandbox = redisSandbox(url);
  afterAll(sandbox.close);
  storeConformance(
    { describe, it },
    {
      name: "redis",
      open: async () => {
        await sandbox.empty();
        return openRedisStore({ url: sandbox.url });
      },
      reopen: () => openRedisStore({ url: sandbox.url }),
      // A server that logs to its disk promises more; redis-durability.test.ts starts such servers.
      capabilities: { persistent: true, shared: true, survivesPowerLoss: false },
      modelRuns: 10,
    },
  );
});
