/** Many tests start the program as it is built: before any test runs, it is built where a source is newer. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const ready = fileURLToPath(new URL("../.ci/ready.mjs", import.meta.url));

export function setup(): void {
  const { status } = spawnSync(process.execPath, [ready, "--build-only"], { stdio: "inherit" });
  if (status !== 0) throw new Error("The build failed");
}
