/**
 * PostgreSQL's own guard: with it every role sees and changes the rows that it has written, and no others, whatever program it
 * uses. Switched on by whoever owns the tables, for roles that are named.
 */
import { SidecarError } from "../../base/errors.ts";
import { splitStoreUrl } from "../../base/store-url.ts";
import { keysCopyId, keysId } from "../../store/keys-id.ts";
import { Database, defaultLimits, type Send } from "../../store/sql/postgres/database.ts";
import { loadPg } from "../../store/sql/postgres/driver.ts";
import { postgresFailure } from "../../store/sql/postgres/failures.ts";
import { parsePostgresUrl } from "../../store/sql/postgres/location.ts";
import { openPostgresStore } from "../../store/sql/postgres/store.ts";

export interface RowSecurity {
  readonly isOn: boolean;
  /** Roles that may use the store. */
  readonly roles: readonly string[];
}

/** What belongs to somebody. Each has a column for whose it is, because journals outlive their sessions. */
const tables = ["sessions", "heads", "terms", "lineage", "blocks"] as const;
const derived = ["search_state", "search_sessions", "search_messages"] as const;
const policy = "acp_sidecar_own";

/** Errors: `CONFIG_INVALID` for another kind of store, `STORE_…`. */
export async function rowSecurityOf(url: string): Promise<RowSecurity> {
  return on(url, status);
}

/**
 * Rows that are there are those of whoever runs this, unless they have an owner already. The index of words goes, because it
 * has the words of all; whoever searches keeps an index of their own. All or nothing. Errors: as above; `STORE_READONLY`
 * to a role that does not own the tables.
 */
export async function rowSecurityOn(url: string, roles: readonly string[]): Promise<RowSecurity> {
  const quoted = roles.map(roleName);
  return on(url, async (send, schema) => {
    const { version } = (await send<{ version: number }>(`SELECT version FROM ${schema}.meta`)).rows[0] ?? {
      version: 0,
    };
    await inTransaction(send, [
      `DROP TABLE IF EXISTS ${derived.map((name) => `${schema}.${name}`).join(", ")}`,
      ...tables.flatMap((table) => owning(schema, table)),
      ...metaOf(schema, version),
      ...quoted.flatMap((role) => granting(schema, role)),
    ]);
    return status(send, schema);
  });
}

/** Everybody who may use the tables sees all rows again; whose they are stays known. */
export async function rowSecurityOff(url: string): Promise<RowSecurity> {
  return on(url, async (send, schema) => {
    await inTransaction(
      send,
      [...tables, "meta"].flatMap((table) => [
        `ALTER TABLE ${schema}.${table} NO FORCE ROW LEVEL SECURITY`,
        `ALTER TABLE ${schema}.${table} DISABLE ROW LEVEL SECURITY`,
      ]),
    );
    return status(send, schema);
  });
}

function owning(schema: string, table: (typeof tables)[number]): string[] {
  const of = `${schema}.${table}`;
  const isOwn = "owner = current_user";
  // Nobody fills the places in which somebody else's entries are to stand.
  const mayAdd =
    table === "blocks"
      ? `${isOwn} AND EXISTS (SELECT 1 FROM ${schema}.sessions s WHERE s.journal_id = blocks.journal_id)`
      : isOwn;
  return [
    // For those that are there the default is computed once: now, by us.
    `ALTER TABLE ${of} ADD COLUMN IF NOT EXISTS owner name NOT NULL DEFAULT current_user`,
    `ALTER TABLE ${of} ENABLE ROW LEVEL SECURITY`,
    `ALTER TABLE ${of} FORCE ROW LEVEL SECURITY`,
    ...["", "_add", "_keys"].map((end) => `DROP POLICY IF EXISTS ${policy}${end} ON ${of}`),
    `CREATE POLICY ${policy} ON ${of} USING (${isOwn}) WITH CHECK (${mayAdd})`,
    // What an encrypted store is encrypted with is wrapped, and all who have the key need it.
    ...(table === "sessions" || table === "heads"
      ? [`CREATE POLICY ${policy}_keys ON ${of} FOR SELECT USING (id IN ('${keysId}', '${keysCopyId}'))`]
      : []),
  ];
}

/** All read the version. A flush writes it as it is, and no other. */
function metaOf(schema: string, version: number): string[] {
  const of = `${schema}.meta`;
  return [
    `ALTER TABLE ${of} ENABLE ROW LEVEL SECURITY`,
    ...["_read", "_flush"].map((end) => `DROP POLICY IF EXISTS ${policy}${end} ON ${of}`),
    `CREATE POLICY ${policy}_read ON ${of} FOR SELECT USING (true)`,
    `CREATE POLICY ${policy}_flush ON ${of} FOR UPDATE USING (true) WITH CHECK (version = ${Number(version)})`,
  ];
}

function granting(schema: string, role: string): string[] {
  const all = tables.map((table) => `${schema}.${table}`).join(", ");
  return [
    `GRANT USAGE ON SCHEMA ${schema} TO ${role}`,
    `GRANT SELECT, INSERT, UPDATE, DELETE ON ${all} TO ${role}`,
    `GRANT SELECT, UPDATE (version) ON ${schema}.meta TO ${role}`,
  ];
}

async function status(send: Send, schema: string): Promise<RowSecurity> {
  const secured = await send<{ on: boolean }>(
    `SELECT bool_and(c.relrowsecurity AND c.relforcerowsecurity) AS on FROM pg_catalog.pg_class c
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = ANY($2::text[])`,
    [schema, [...tables]],
  );
  const granted = await send<{ role: string }>(
    `SELECT DISTINCT grantee AS role FROM information_schema.role_table_grants
     WHERE table_schema = $1 AND table_name = 'sessions' AND privilege_type = 'INSERT' ORDER BY grantee`,
    [schema],
  );
  return { isOn: secured.rows[0]?.on === true, roles: granted.rows.map(({ role }) => role) };
}

async function on(
  url: string,
  act: (send: Send, schema: string) => Promise<RowSecurity>,
): Promise<RowSecurity> {
  const parts = splitStoreUrl(url);
  if (parts?.scheme !== "postgres" && parts?.scheme !== "postgresql")
    throw new SidecarError(
      "CONFIG_INVALID",
      "Row security is PostgreSQL's own: name a store with --store postgres://…",
    );
  // Makes the tables, or brings them to our version.
  await (await openPostgresStore({ url: `postgres:${parts.rest}` })).close();
  const location = parsePostgresUrl(`postgres:${parts.rest}`);
  const database = new Database(await loadPg(), location, defaultLimits);
  try {
    return await database.once((send) => act(send, location.schema));
  } catch (error) {
    throw postgresFailure(error, database.place);
  } finally {
    await database.close();
  }
}

async function inTransaction(send: Send, statements: readonly string[]): Promise<void> {
  await send("BEGIN");
  try {
    for (const text of statements) await send(text);
    await send("COMMIT");
  } catch (error) {
    await send("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

/** Errors: `USAGE` for what cannot be one. */
function roleName(role: string): string {
  if (/^[\p{L}_][\p{L}\p{N}_$.@-]{0,62}$/u.test(role)) return `"${role}"`;
  throw new SidecarError(
    "USAGE",
    `${JSON.stringify(role)} is no role's name; allowed: a role of the server, such as ann`,
  );
}
