/** A directory for a test file's databases, and a connection that looks behind the store's back. */
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach } from "vitest";
import type { Database } from "../../../../src/sqlite/engine.ts";
import { loadEngine } from "../../../../src/sqlite/engines.ts";
import { openSqliteStore, type SqliteStoreOptions } from "../../../../src/store/sql/sqlite/store.ts";
import type { Store } from "../../../../src/store/contract.ts";

export interface SqliteSandbox {
  readonly directory: string;
  /** A path that no other test has. */
  readonly newPath: () => string;
  readonly open: (path: string, options?: Omit<SqliteStoreOptions, "path">) => Promise<Store>;
  readonly raw: (path: string) => Database;
}

const engine = await loadEngine();

/** To be called at the top of a test file. Whatever was opened is closed after each test. */
export function sqliteSandbox(): SqliteSandbox {
  const directory = mkdtempSync(join(tmpdir(), "acp-sidecar-sqlite-"));
  const open: { close: () => unknown }[] = [];
  let paths = 0;
  afterEach(async () => {
    for (const each of open.splice(0).reverse()) await each.close();
  });
  afterAll(() => rm(directory, { recursive: true }));
  const keep = <T extends { close: () => unknown }>(each: T): T => (open.push(each), each);
  return {
    directory,
    newPath: () => join(directory, `${(paths += 1)}.db`),
    open: async (path, options = {}) => keep(await openSqliteStore({ path, ...options })),
    raw: (path) => {
      if (!existsSync(path)) writeFileSync(path, "");
      return keep(engine.open(path));
    },
  };
}
