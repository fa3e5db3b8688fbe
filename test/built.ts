/** Many tests start the program as it is built: before any test runs, it is built where a source is newer. */
import { spawnSync } from "node:child_process";
import os from "node:os";
import path from "node:path";
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ready = fileURLToPath(new URL("../.ci/ready.mjs", import.meta.url));

/** Where tests that run in our own processes record what they do: see vitest.config.ts. */
export function teardown(): void {
  rmSync(path.join(os.tmpdir(), "acp-sidecar-tests", `state-${process.pid}`), {
    recursive: true,
    force: true,
  });
}

export function setup(): void {
  const { status } = spawnSync(process.execPath, [ready, "--build-only"], { stdio: "inherit" });
  if (status !== 0) throw new Error("The build failed");
}
