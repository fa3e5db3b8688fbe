/** The guard of a medium's own; loaded when it is asked for. */
import type { RowSecurity } from "./postgres/row-security.ts";

export type { RowSecurity } from "./postgres/row-security.ts";

const loaded = () => import("./postgres/row-security.ts");

/** Errors: `CONFIG_INVALID` for a store that has none, `STORE_…`. */
export async function rowSecurityOf(url: string): Promise<RowSecurity> {
  return (await loaded()).rowSecurityOf(url);
}

/** Errors: as above; `USAGE` for what is no role's name. */
export async function rowSecurityOn(url: string, roles: readonly string[]): Promise<RowSecurity> {
  return (await loaded()).rowSecurityOn(url, roles);
}

export async function rowSecurityOff(url: string): Promise<RowSecurity> {
  return (await loaded()).rowSecurityOff(url);
}
