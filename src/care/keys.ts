/** The keys of a store, seen from outside: whether it is encrypted, with which keys, and rotated. */
import { randomBytes } from "node:crypto";
import { SidecarError } from "../base/errors.ts";
import { thisHolder } from "../session/holder.ts";
import { sealRebuilt } from "../store/encrypted/after-repair.ts";
import { keyringOf } from "../store/encrypted/key-source.ts";
import { keyBytes, type Keyring } from "../store/encrypted/keyring.ts";
import { mendRecords, type Mended } from "../store/encrypted/mending.ts";
import { openStoreWith, type Encryption } from "../store/open-encrypted.ts";
import { recallRewinds } from "./recall-rewinds.ts";
import { keyIdsOf, keysDamaged, wrappedSecrets } from "../store/encrypted/keys-record.ts";
import { isSealed } from "../store/keys-id.ts";
import { StoreKeys } from "../store/encrypted/store-keys.ts";
import { openStore } from "../store/open.ts";
import type { Store } from "../store/contract.ts";

export interface KeysStatus {
  readonly encrypted: boolean;
  /** Ids of the keys without which nothing in it can be read. */
  readonly keyIds: readonly string[];
  /** How often it was rotated. */
  readonly rotations: number;
  /** Id of the key that is configured. */
  readonly configured?: string;
  /** Whether the store is under the configured key alone. */
  readonly isCurrent: boolean;
}

/** A new key, as a key source holds it. */
export function newKey(): string {
  return randomBytes(keyBytes).toString("base64");
}

/** Id of the configured key, once it and those before it were read. Errors: `KEY_INVALID`. */
export async function keyAtHand({ encryptionKey = "", previousKeys }: Encryption): Promise<string> {
  return (await keyringOf(encryptionKey, previousKeys)).currentId;
}

/** Needs no key. Errors: `STORE_…`, `KEY_INVALID`, `DECRYPT_FAILED` for keys that were damaged. */
export async function keysStatus(url: string, encryption: Encryption): Promise<KeysStatus> {
  const { encryptionKey, previousKeys } = encryption;
  const ring = encryptionKey === undefined ? undefined : await keyringOf(encryptionKey, previousKeys);
  await using store = await openStore(url);
  const found = await wrappedSecrets(store);
  const { items } = found === undefined ? await store.list({ limit: 1 }) : { items: [] };
  if (found?.length === 0 || items.some(isSealed)) throw keysDamaged();
  const [wrapped = []] = found ?? [];
  const keyIds = keyIdsOf(wrapped);
  const configured = ring?.currentId;
  return {
    encrypted: found !== undefined,
    keyIds,
    rotations: Math.max(0, wrapped.length - 1),
    ...(configured !== undefined && { configured }),
    isCurrent: keyIds.length === 1 && keyIds[0] === configured,
  };
}

/**
 * What is written from now on is encrypted anew, and the store needs the configured key alone. Errors: `KEY_MISSING`,
 * `NOT_ENCRYPTED` for a store that is plain, `SESSION_BUSY` while somebody else rotates, `CONFIG_INVALID`, `STORE_…`.
 */
export async function rotateKeys(url: string, { encryptionKey, previousKeys }: Encryption): Promise<void> {
  if (encryptionKey === undefined)
    throw new SidecarError("CONFIG_INVALID", "Name the key to rotate to with --encryption-key", {
      data: { option: "encryptionKey" },
    });
  const ring = await keyringOf(encryptionKey, previousKeys);
  await using store: Store = await openStore(url);
  if ((await wrappedSecrets(store)) === undefined)
    throw new SidecarError("NOT_ENCRYPTED", "This store is not encrypted: there are no keys to rotate");
  const keys = await StoreKeys.of(store, ring);
  await keys.rotate(thisHolder());
}

/**
 * What a repair has made again of an encrypted store is encrypted, what can be kept of records that other hands have changed
 * is, and what the entries tell of rewinds is recalled. Returns which records have lost what. Without the key nothing happens:
 * those sessions are refused until it is done. Errors: `KEY_MISSING`, `DECRYPT_FAILED`, `STORE_…`.
 */
export async function mendSealed(url: string, encryption: Encryption): Promise<readonly Mended[]> {
  const { encryptionKey, previousKeys } = encryption;
  if (encryptionKey === undefined) return [];
  const { rebuilt, mended } = await mendedIn(url, await keyringOf(encryptionKey, previousKeys));
  const ids = [...rebuilt, ...mended.filter(({ fields }) => fields.includes("settings")).map(({ id }) => id)];
  if (ids.length > 0) {
    await using store = await openStoreWith(url, encryption);
    await recallRewinds(store, ids);
  }
  return mended;
}

async function mendedIn(url: string, ring: Keyring) {
  await using inner = await openStore(url);
  if ((await wrappedSecrets(inner)) === undefined) return { rebuilt: [], mended: [] };
  const rebuilt = await sealRebuilt(inner, ring);
  return { rebuilt, mended: await mendRecords(inner, ring) };
}
