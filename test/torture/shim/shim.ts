/** Builds the shim (shim.c) with the C compiler of this machine, and says how a program is started with it. */
import { execFile } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { root } from "../../e2e/harness/paths.ts";

const run = promisify(execFile);
const source = fileURLToPath(new URL("shim.c", import.meta.url));
const cache = join(root, "node_modules/.cache/acp-sidecar-torture");

/** Kills a program under the shim at any instant, but not between an act and its record. */
export const shimKill = "SIGPWR";

export interface ShimUse {
  /** Calls on files below it are recorded and made to fail. */
  readonly directory: string;
  readonly trace?: string;
  readonly faults?: string;
  /** Syncs take up to so long. */
  readonly syncUs?: number;
}

/** The shim's file, built when it is not there; or why there is none. */
export async function buildShim(): Promise<
  { readonly path: string } | { readonly path?: never; readonly why: string }
> {
  if (process.platform !== "linux") return { why: "the shim needs Linux" };
  const name = `shim-${createHash("sha256").update(readFileSync(source)).digest("hex").slice(0, 16)}.so`;
  const path = join(cache, name);
  if (existsSync(path)) return { path };
  mkdirSync(cache, { recursive: true });
  // Tests of one file build it at the same time.
  const fresh = `${path}.${randomUUID()}`;
  try {
    await run("cc", ["-shared", "-fPIC", "-O2", "-o", fresh, source, "-ldl", "-lpthread"]);
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    return { why: isMissing ? "there is no C compiler (cc)" : `cc failed: ${String(error)}` };
  }
  renameSync(fresh, path);
  return { path };
}

export function shimEnvironment(shim: string, use: ShimUse): NodeJS.ProcessEnv {
  return {
    LD_PRELOAD: shim,
    // Calls that go round the C library would not be seen.
    UV_USE_IO_URING: "0",
    TORTURE_ROOT: use.directory,
    ...(use.trace !== undefined && { TORTURE_TRACE: use.trace }),
    ...(use.faults !== undefined && { TORTURE_FAULTS: use.faults }),
    ...(use.syncUs !== undefined && { TORTURE_SYNC_US: String(use.syncUs) }),
  };
}
