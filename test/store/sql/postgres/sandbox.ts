/** A PostgreSQL schema of a test file's own, gone with the file. */
import pg from "pg";

export interface PostgresSandbox {
  /** Opens the store in the schema of this test file. */
  readonly url: string;
  readonly schema: string;
  readonly pool: pg.Pool;
  /** Leaves no row behind; quicker than making the schema again. */
  readonly empty: () => Promise<void>;
  readonly drop: () => Promise<void>;
  readonly close: () => Promise<void>;
}

let schemas = 0;

export function postgresSandbox(serverUrl: string): PostgresSandbox {
  schemas += 1;
  const schema = `test_${process.pid}_${Date.now()}_${schemas}`;
  const url = new URL(serverUrl);
  url.searchParams.set("schema", schema);
  const pool = new pg.Pool({ connectionString: serverUrl, max: 2 });
  const drop = async () => void (await pool.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`));
  const empty = async () => {
    const { rows } = await pool.query<{ made: boolean }>("SELECT to_regnamespace($1) IS NOT NULL AS made", [
      schema,
    ]);
    if (rows[0]?.made !== true) return;
    for (const table of ["sessions", "heads", "terms", "lineage", "blocks"]) {
      await pool.query(`DELETE FROM ${schema}.${table}`);
    }
  };
  const close = async () => {
    await drop();
    await pool.end();
  };
  return { url: url.toString(), schema, pool, empty, drop, close };
}
