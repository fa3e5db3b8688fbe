/** How `pg` is loaded, and what its values are made of. */
import type { Pool, PoolClient, PoolConfig } from "pg";
import { loadPeer } from "../../server/peer.ts";

/** A connection of the pool; its `end` breaks it off if a statement still runs on it. */
export type PgClient = PoolClient & { end(): Promise<void> };

export interface PgDriver {
  readonly Pool: new (config: PoolConfig) => Pool;
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
