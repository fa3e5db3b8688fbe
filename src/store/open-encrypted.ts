/** The store of a URL, encrypted if that is asked for; and none that is encrypted as if it were not. */
import type { SessionRecord, Store } from "./contract.ts";
import { openStore } from "./open.ts";
import { isSidecarError, type SidecarError } from "../base/errors.ts";
import { isSealed, keysCopyId, keysId } from "./keys-id.ts";
import { wrapStore } from "./shell.ts";

/** What is encrypted with, as the configuration says it. */
export interface Encryption {
  /** Absent: nothing is encrypted. */
  readonly encryptionKey?: string;
  readonly previousKeys?: readonly string[];
}

/**
 * Errors: as `openStore`; `KEY_MISSING` for a store that is encrypted with a key that is not named or not at hand;
 * `KEY_INVALID`; `NOT_ENCRYPTED` for one that holds plain sessions and is to be encrypted. A store that ends with the
 * process is never encrypted.
 * @param as it is, whether encrypted or not, whatever is asked for: to be read and copied
 */
export async function openStoreWith(
  url: string,
  { encryptionKey, previousKeys }: Encryption = {},
  as?: "it is",
): Promise<Store> {
  const store = await openStore(url);
  if (!store.capabilities.persistent) return store;
  try {
    const mayBePlain = encryptionKey === undefined || as === "it is";
    if (mayBePlain && !(await hasKeys(store))) return await plainStore(store);
    if (encryptionKey === undefined) throw await whichKey(store);
    const { keyringOf } = await import("./encrypted/key-source.ts");
    const ring = await keyringOf(encryptionKey, previousKeys);
    const { encryptedStore } = await import("./encrypted/store.ts");
    return await encryptedStore(store, ring);
  } catch (error) {
    await store.close();
    throw error;
  }
}

/**
 * While it is empty somebody else may begin to encrypt it: that is looked for behind the first session, which then goes
 * again, so that no store is ever mixed.
 */
async function plainStore(store: Store): Promise<Store> {
  const newest = await newestIn(store);
  // Whatever became of its keys: nothing plain is to be written there.
  if (newest !== undefined && newest !== "damaged" && isSealed(newest)) throw await whichKey(store);
  if (newest !== undefined) return store;
  let isPlain = false;
  return wrapStore(store, {
    create: async (session) => {
      const made = await store.create(session);
      if (isPlain || !(await hasKeys(store))) {
        isPlain = true;
        return made;
      }
      await store.delete(made.id);
      throw await whichKey(store);
    },
  });
}

async function newestIn(store: Store): Promise<SessionRecord | "damaged" | undefined> {
  try {
    return (await store.list({ limit: 1 })).items[0];
  } catch (error) {
    // One that is damaged is one all the same, and says so to whoever reads it.
    if (isSidecarError(error, "STORE_CORRUPT")) return "damaged";
    throw error;
  }
}

/** What knows of keys is loaded where there are some. */
async function whichKey(store: Store): Promise<SidecarError> {
  const [{ keyIdsOf, keysDamaged, wrappedSecrets }, { keyMissing }] = await Promise.all([
    import("./encrypted/keys-record.ts"),
    import("./encrypted/keyring.ts"),
  ]);
  const [wrapped] = (await wrappedSecrets(store)) ?? [];
  return wrapped === undefined ? keysDamaged() : keyMissing(keyIdsOf(wrapped).join(", "));
}

/** Whoever begins an encrypted store may be killed between the two, and either may be damaged. */
async function hasKeys(store: Store): Promise<boolean> {
  try {
    const found = await Promise.all([store.get(keysId), store.get(keysCopyId)]);
    return found.some((record) => record !== undefined);
  } catch (error) {
    if (isSidecarError(error, "STORE_CORRUPT")) return true;
    throw error;
  }
}
