import { readdirSync, readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { defineConfig } from "vitest/config";
import { luaInTests } from "./.ci/lua.mjs";
import { viewInTests } from "./.ci/view.mjs";

const files = readdirSync(new URL("test", import.meta.url), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".test.ts"))
  .map((name) => `test/${name.replaceAll("\\", "/")}`);
/** Modules that are mocked are so for whole files: such a file gets a process, and modules, of its own. */
const alone = files.filter((file) =>
  /\bvi\.(mock|doMock|resetModules)\(/.test(readFileSync(new URL(file, import.meta.url), "utf8")),
);

const stateFolder = path.join(os.tmpdir(), "acp-sidecar-tests", `state-${process.pid}`);

export default defineConfig({
  plugins: [luaInTests, viewInTests],
  test: {
    globalSetup: ["test/built.ts"],
    // What is recorded of what tests do is no part of the records of whoever runs them, and their processes are apart.
    env: { XDG_STATE_HOME: stateFolder, XDG_RUNTIME_DIR: path.join(stateFolder, "run") },
    tags: [
      {
        name: "long",
        description: "what .ci/run runs, and npm test does not; CONTRIBUTING says what belongs there",
      },
    ],
    // What hangs fails at last; a machine that is busy with other things is no failure.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Many tests wait for processes and timers: two at a time even where there are two cores.
    maxWorkers: 2,
    // Files that share a process load the modules once: half of the time that most of them take.
    projects: [
      {
        extends: true,
        test: { name: "together", include: ["test/**/*.test.ts"], exclude: alone, isolate: false },
      },
      { extends: true, test: { name: "alone", include: alone } },
    ],
  },
});
