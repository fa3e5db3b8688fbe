import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, it } from "vitest";
import { openFileStore } from "../../src/store/file/store.ts";
import { storeConformance } from "../conformance/suite.ts";

const root = mkdtempSync(join(tmpdir(), "acp-sidecar-file-"));
let directory = "";
let opened = 0;

const capabilities = { persistent: true, shared: true, survivesPowerLoss: true };
const nextDirectory = () => (directory = join(root, `${(opened += 1)}`));

storeConformance(
  { describe, it },
  {
    name: "file",
    open: () => openFileStore({ directory: nextDirectory() }),
    reopen: () => openFileStore({ directory }),
    capabilities,
  },
);

// Every seal moves the final entries into a segment, and no more than two journals are open.
const eager = { rotateBytes: 1, maxOpenFiles: 2 };
storeConformance(
  { describe, it },
  {
    name: "file, rotating all the time,",
    open: () => openFileStore({ directory: nextDirectory(), ...eager }),
    reopen: () => openFileStore({ directory, ...eager }),
    capabilities,
    modelRuns: 10,
  },
);

afterAll(() => rm(root, { recursive: true }));
