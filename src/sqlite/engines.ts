/** Loads the SQLite that serves on this Node: its own where that is sound, else better-sqlite3. */
import { SidecarError, reasonOf, systemCodeOf } from "../base/errors.ts";
import { nodeEngine } from "./engine-node.ts";
import type { Engine } from "./engine.ts";

/** For tests: names the engine to be used, or a file with better-sqlite3's native part, whatever this Node has. */
const engineVariable = "SIDECAR_SQLITE_ENGINE";

/** Errors: `STORE_UNAVAILABLE` with what to do where no engine can be loaded. */
export async function loadEngine(): Promise<Engine> {
  const forced = process.env[engineVariable];
  if (forced === undefined) return nodeEngine(false) ?? betterEngine();
  if (forced !== "node:sqlite") return betterEngine(forced.endsWith(".node") ? forced : undefined);
  const engine = nodeEngine(true);
  if (engine === undefined) throw new SidecarError("STORE_UNAVAILABLE", "This Node has no SQLite");
  return engine;
}

async function betterEngine(nativeBinding?: string): Promise<Engine> {
  try {
    const { default: Driver } = await import("better-sqlite3");
    const options = { fileMustExist: true, ...(nativeBinding !== undefined && { nativeBinding }) };
    // The native part is loaded with the first database: if that cannot be, it is said here what to do.
    new Driver(":memory:", options).close();
    return {
      name: "better-sqlite3",
      open: (path, timeout = 0, access = "rw") =>
        new Driver(path, { ...options, timeout, readonly: access === "ro" }),
    };
  } catch (error) {
    throw new SidecarError("STORE_UNAVAILABLE", adviceOn(error), {
      data: { missing: "better-sqlite3" },
      cause: error,
    });
  }
}

/** A person meets this where Node has no SQLite that serves, so that a package with native code is needed. */
function adviceOn(error: unknown): string {
  let what = `better-sqlite3 was built for another Node or system: ${reasonOf(error)}`;
  let how = "npm rebuild better-sqlite3, with --global if acp-sidecar is";
  if (systemCodeOf(error) === "ERR_MODULE_NOT_FOUND") {
    // npm leaves an optional dependency out without a word when its install script fails.
    what = "better-sqlite3 is not installed, or could not be";
    how =
      "npm install better-sqlite3, with --global if acp-sidecar is, adds it or shows why it cannot be built";
  } else if (/bindings file/.test(reasonOf(error))) {
    what = "the install script of better-sqlite3 has not run";
    // Of scripts allowed by a flag npm hears for global packages only.
    how =
      "npm rebuild --global better-sqlite3 --allow-scripts=better-sqlite3 (in a project without both flags), or pnpm approve-builds";
  }
  return `SQLite cannot be loaded (${what}); ${how}, or use Node 24.16 or newer, which has SQLite itself, or another store`;
}
