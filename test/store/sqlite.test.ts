import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, it } from "vitest";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import { storeConformance } from "../conformance/suite.ts";

const directory = mkdtempSync(join(tmpdir(), "acp-sidecar-sqlite-"));
let path = "";
let opened = 0;

storeConformance(
  { describe, it },
  {
    name: "sqlite",
    open: () => openSqliteStore({ path: (path = join(directory, `${(opened += 1)}.db`)) }),
    reopen: () => openSqliteStore({ path }),
    capabilities: { persistent: true, shared: true, survivesPowerLoss: true },
  },
);

afterAll(() => rm(directory, { recursive: true }));
