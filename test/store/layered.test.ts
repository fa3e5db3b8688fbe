import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, it } from "vitest";
import { openCacheStore } from "../../src/store/cache.ts";
import { openFileStore } from "../../src/store/file/store.ts";
import { openLayeredStore } from "../../src/store/layered/store.ts";
import { openMemoryStore } from "../../src/store/memory.ts";
import { storeConformance } from "../conformance/suite.ts";

const root = mkdtempSync(join(tmpdir(), "acp-sidecar-layered-"));
let directory = "";
let opened = 0;

storeConformance(
  { describe, it },
  {
    name: "layered, memory over memory,",
    open: async () => openLayeredStore({ layers: [openMemoryStore(), openMemoryStore()] }),
    capabilities: { persistent: false, shared: false, survivesPowerLoss: false },
  },
);

/** A cache so small that sessions come and go, before another one, before what outlives the process. */
async function threeLayers() {
  const layers = [openCacheStore({ maxSessions: 2 }), openCacheStore(), await openFileStore({ directory })];
  return openLayeredStore({ layers });
}

storeConformance(
  { describe, it },
  {
    name: "layered, two caches over files,",
    open: () => {
      directory = join(root, `${(opened += 1)}`);
      return threeLayers();
    },
    reopen: () => threeLayers(),
    capabilities: { persistent: true, shared: true, survivesPowerLoss: true },
    modelRuns: 10,
  },
);

afterAll(() => rm(root, { recursive: true }));
