/** Loads the SQLite library that serves on this Node. */
import { SidecarError, reasonOf } from "../../../base/errors.ts";
import type { Engine } from "./engine.ts";

export async function loadEngine(): Promise<Engine> {
  try {
    const { default: Driver } = await import("better-sqlite3");
    // Its native part is loaded with the first database: if that cannot be, it is said here what to do.
    new Driver(":memory:").close();
    return { name: "better-sqlite3", open: (path, options) => new Driver(path, options) };
  } catch (error) {
    throw new SidecarError(
      "STORE_UNAVAILABLE",
      `SQLite cannot be loaded (${reasonOf(error)}); run "npm rebuild better-sqlite3" or use another store`,
      { cause: error },
    );
  }
}
