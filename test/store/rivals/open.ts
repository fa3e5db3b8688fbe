/** How all who take part in a race open its store. */
import { openFileStore } from "../../../src/store/file/store.ts";
import { openStore } from "../../../src/store/open.ts";
import { openPostgresStore } from "../../../src/store/sql/postgres/store.ts";
import type { Store } from "../../../src/store/contract.ts";

/** Files are rotated all the time, so that this is raced for as well; PostgreSQL soon ends what is frozen. */
export async function openRaced(url: string): Promise<Store> {
  const [, scheme, rest = ""] = /^(\w+):(.*)$/.exec(url) ?? [];
  if (scheme === "file") return openFileStore({ directory: rest, rotateBytes: 4096 });
  if (scheme === "postgres") return openPostgresStore({ url, transactionIdleMs: 300 });
  return openStore(url);
}
