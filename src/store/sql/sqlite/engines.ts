/** Loads the SQLite that serves on this Node: its own where that is sound, else better-sqlite3. */
import { SidecarError, reasonOf, systemCodeOf } from "../../../base/errors.ts";
import type { Engine } from "./engine.ts";

/** For tests: names the engine to be used, whatever this Node has. */
const engineVariable = "SIDECAR_SQLITE_ENGINE";

/** Errors: `STORE_UNAVAILABLE` with what to do where no engine can be loaded. */
export async function loadEngine(): Promise<Engine> {
  const forced = process.env[engineVariable];
  if (forced !== "better-sqlite3") {
    const { nodeEngine } = await import("./engine-node.ts");
    const engine = nodeEngine(forced === "node:sqlite");
    if (engine !== undefined) return engine;
  }
  try {
    const { default: Driver } = await import("better-sqlite3");
    // Its native part is loaded with the first database: if that cannot be, it is said here what to do.
    new Driver(":memory:").close();
    return {
      name: "better-sqlite3",
      open: (path, timeout = 0) => new Driver(path, { timeout, fileMustExist: true }),
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
  const isMissing = systemCodeOf(error) === "ERR_MODULE_NOT_FOUND";
  const isUnbuilt = isMissing || /bindings file/.test(reasonOf(error));
  const what = isMissing
    ? "better-sqlite3 is not installed"
    : isUnbuilt
      ? "the install script of better-sqlite3 has not run"
      : `better-sqlite3 was built for another Node or system: ${reasonOf(error)}`;
  const how = isMissing
    ? "install it"
    : `npm rebuild better-sqlite3${isUnbuilt ? " --allow-scripts=better-sqlite3, or pnpm approve-builds" : ""}`;
  return `SQLite cannot be loaded (${what}); ${how}, or use Node 24.16 or newer, which has SQLite itself, or another store`;
}
