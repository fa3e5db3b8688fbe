/** What a `postgres://` URL says, split into what the driver reads and what we read. */
import type { SidecarError } from "../../../base/errors.ts";
import { serverUrl, unusable } from "../../server/url.ts";

export interface PostgresLocation {
  /** For the driver. Holds the password: never goes into a message. */
  readonly connectionString: string;
  /** Host, port and database, fit for messages. */
  readonly place: string;
  /** The PostgreSQL schema that the tables are in. */
  readonly schema: string;
  /** Connections at most. */
  readonly poolSize: number;
  /** Whether statements are prepared by name, which some connection poolers cannot bear. */
  readonly prepares: boolean;
}

const defaultSchema = "acp_sidecar";
const defaultPoolSize = 10;

/** Reads `schema`, `pool` and `prepare` from the query and leaves the rest to the driver. Errors: `CONFIG_INVALID`. */
export function parsePostgresUrl(text: string): PostgresLocation {
  const url = serverUrl(
    "PostgreSQL",
    text,
    ["postgres", "postgresql"],
    "write postgres://user@host:5432/database",
  );
  const take = (name: string) => {
    const value = url.searchParams.get(name);
    url.searchParams.delete(name);
    return value;
  };
  const schema = take("schema") ?? defaultSchema;
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
    throw invalid("its schema must be a plain lower-case name, such as acp_sidecar");
  }
  const poolSize = Number(take("pool") ?? defaultPoolSize);
  if (!Number.isInteger(poolSize) || poolSize < 1 || poolSize > 1000) {
    throw invalid("its pool must be a number of connections from 1 to 1000");
  }
  const prepares = take("prepare") !== "false";
  const host = url.hostname || url.searchParams.get("host") || "localhost";
  const place = `${host}:${url.port || 5432}${url.pathname === "" ? "/" : url.pathname}`;
  return { connectionString: url.toString(), place, schema, poolSize, prepares };
}

function invalid(advice: string): SidecarError {
  return unusable("PostgreSQL", advice);
}
