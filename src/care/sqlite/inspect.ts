/** `verify`: what is damaged in a database, by session and entry, while others use it. */
import { randomUUID } from "node:crypto";
import { closeSync, openSync, rmSync } from "node:fs";
import { basename } from "node:path";
import type { Database } from "../../store/sql/sqlite/engine.ts";
import type { Damage } from "../medium.ts";
import { asStoreError } from "../../store/sql/sqlite/errors.ts";
import { findDamage } from "./check.ts";
import { rebuild } from "./fresh.ts";
import { mend } from "./mend.ts";
import { openDamaged } from "./open-damaged.ts";
import { PageFile } from "./page-file.ts";

/**
 * Changes nothing. When something is wrong, a copy of the database's pages is made beside it for a moment, and
 * what a repair would keep of it is compared with what should be there. Errors: `STORE_…`.
 */
export async function inspectSqliteStore(given: string): Promise<readonly Damage[]> {
  try {
    const { db, path } = await openDamaged(given);
    try {
      db.exec("BEGIN");
      const found = findDamage(db, basename(path));
      if (found.length === 0) return [];
      return told(found, await lossesOf(db, path));
    } finally {
      db.close();
    }
  } catch (error) {
    throw asStoreError(error, given);
  }
}

/** What is lost says more than what was found: of a session that lost something, only that is told. */
export function told(found: readonly Damage[], losses: readonly Damage[]): readonly Damage[] {
  const named = new Set(losses.map(({ sessionId }) => sessionId));
  const others = found.filter(({ sessionId }) => sessionId === undefined || !named.has(sessionId));
  return [...losses, ...others];
}

async function lossesOf(db: Database, path: string): Promise<readonly Damage[]> {
  const own = `${path}.${randomUUID()}`;
  const [copy, rebuilt] = [`${own}.copy.tmp`, `${own}.rebuilt.tmp`];
  try {
    closeSync(openSync(copy, "wx", 0o600));
    await db.backup(copy, { progress: () => 1000 });
    return await mendedFrom(copy, rebuilt, basename(path));
  } finally {
    for (const each of [copy, rebuilt]) rmSync(each, { force: true });
  }
}

async function mendedFrom(copy: string, rebuilt: string, name: string): Promise<readonly Damage[]> {
  const file = new PageFile(copy);
  try {
    const fresh = await rebuild(file, rebuilt);
    try {
      return mend(fresh, name, () => undefined).damage;
    } finally {
      fresh.close();
    }
  } finally {
    file.close();
  }
}
