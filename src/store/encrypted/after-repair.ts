/**
 * Records that a repair has made again below the encryption. It knows them from an index, whose terms are encrypted, and
 * puts nothing in the place of what is lost: that stands there as plain text, which is refused, until the key is at hand.
 */
import type { SessionId } from "../../base/ids.ts";
import type { SessionRecord, Store } from "../contract.ts";
import type { Keyring } from "./keyring.ts";
import { isKeysId } from "./keys-record.ts";
import { ancestorsOfFork, SealedRecords, type Ancestors } from "./sealed-record.ts";
import { StoreKeys } from "./store-keys.ts";

/** Encrypts what is plain in them. Returns which they were. Errors: `KEY_MISSING`, `DECRYPT_FAILED`, `STORE_…`. */
export async function sealRebuilt(inner: Store, ring: Keyring): Promise<readonly SessionId[]> {
  const rebuilt = await rebuiltIn(inner);
  if (rebuilt.length === 0) return [];
  const records = new SealedRecords(await StoreKeys.of(inner, ring));
  const ancestorsNow = async ({ lineage }: SessionRecord): Promise<Ancestors> => {
    if (lineage === undefined) return [];
    const parent = await inner.get(lineage.parentId);
    // Of one that was deleted nobody knows any more whose entries it had.
    return ancestorsOfFork(lineage, parent === undefined ? [] : await records.ancestorsIn(parent));
  };
  for (const record of rebuilt) {
    const { id, metadata } = record;
    const patch = { additionalDirectories: [], mcpServerNames: [], settings: {} };
    const sealed = await records.sealPatch(id, patch, []);
    const ancestors = await records.sealAncestors(id, await ancestorsNow(record));
    await inner.update(id, { ...sealed, metadata: { ...ancestors, ...metadata } });
  }
  return rebuilt.map(({ id }) => id);
}

/** Parents first: ids grow. */
async function rebuiltIn(inner: Store): Promise<readonly SessionRecord[]> {
  const found: SessionRecord[] = [];
  let cursor: string | undefined;
  do {
    const page = await inner.list({ limit: 1000, ...(cursor !== undefined && { cursor }) });
    found.push(...page.items.filter((record) => !isKeysId(record.id) && isPlain(record)));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return found.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** No record that was encrypted has nothing there. */
function isPlain({ additionalDirectories, mcpServerNames, settings }: SessionRecord): boolean {
  return (
    additionalDirectories.length === 0 && mcpServerNames.length === 0 && Object.keys(settings).length === 0
  );
}
