/** The part of `pg` that this store uses, and how it is loaded. */
import { loadPeer } from "../../server/peer.ts";

export interface PgQuery {
  readonly text: string;
  /** A named statement is parsed once per connection. */
  readonly name?: string;
  readonly values?: readonly unknown[];
  readonly rowMode?: "array";
  readonly query_timeout?: number;
}

export interface PgResult<Row> {
  readonly rows: readonly Row[];
  readonly rowCount: number | null;
}

export interface PgClient {
  query<Row>(query: PgQuery): Promise<PgResult<Row>>;
  /** Back to the pool, or away with it when it is not fit for further use. */
  release(destroy: boolean): void;
  /** Breaks the connection off if a statement still runs on it. */
  end(): Promise<void>;
}

interface ErrorSource {
  on(event: "error", listener: (error: Error) => void): unknown;
}

export interface PgPool extends ErrorSource {
  connect(): Promise<PgClient>;
  end(): Promise<void>;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "connect", listener: (client: ErrorSource) => void): unknown;
}

export interface PgPoolConfig {
  readonly connectionString: string;
  readonly max: number;
  readonly connectionTimeoutMillis: number;
  readonly query_timeout: number;
  readonly keepAlive: boolean;
  readonly keepAliveInitialDelayMillis: number;
  readonly application_name: string;
  readonly types: { getTypeParser(oid: number): (text: string) => unknown };
}

export interface PgDriver {
  readonly Pool: new (config: PgPoolConfig) => PgPool;
}

export async function loadPg(load: () => Promise<unknown> = () => import("pg")): Promise<PgDriver> {
  const module = (await loadPeer("pg", load)) as Partial<PgDriver> & { readonly default?: PgDriver };
  // Earlier releases are CommonJS throughout, whose exports Node may show as one default only.
  return module.Pool === undefined && module.default !== undefined ? module.default : (module as PgDriver);
}

const boolOid = 16;
const bigintOid = 20;

/** The store's columns are texts, booleans and integers that a JavaScript number holds. */
export const columnTypes = {
  getTypeParser(oid: number): (text: string) => unknown {
    if (oid === bigintOid) return Number;
    if (oid === boolOid) return (text) => text === "t";
    return (text) => text;
  },
};
