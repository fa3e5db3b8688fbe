import { systemCodeOf } from "../../../base/errors.ts";
import type { StoreStats } from "../../contract.ts";
import type { Database, Session } from "./database.ts";
import type { Statements } from "./statements.ts";

export async function readStats(database: Database, sql: Statements, schema: string): Promise<StoreStats> {
  return database.statements(async (session) => {
    const [totals] = await session.rows<{ sessions: number; entries: number }>(sql.totals);
    const bytes = await sizeOf(session, schema);
    return { sessions: totals?.sessions ?? 0, entries: totals?.entries ?? 0, bytes };
  });
}

/** Tables and indexes on disk; 0 on servers that cannot tell. */
async function sizeOf(session: Session, schema: string): Promise<number> {
  const text = `SELECT COALESCE(sum(pg_total_relation_size(c.oid)), 0)::bigint AS bytes FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind = 'r'`;
  try {
    const [row] = await session.rows<{ bytes: number }>({ name: "", text }, [schema]);
    return row?.bytes ?? 0;
  } catch (error) {
    if (systemCodeOf(error) === "42883") return 0;
    throw error;
  }
}
