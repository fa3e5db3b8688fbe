/** The records that hold what a store is encrypted with: the secrets of the store, wrapped. Twice, because all hangs on them. */
import { isSidecarError, SidecarError } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import { objectIn } from "../../base/json.ts";
import type { Lease, NewSession, SessionRecord, Store } from "../contract.ts";
import { keysCopyId, keysId } from "../keys-id.ts";
import { encodeCursor } from "../query.ts";
import { wrappedBy } from "./keyring.ts";

/** First in every list, and never old: retention, also that of a program that knows nothing of it, lets them be. */
const updatedAtMs = 8_640_000_000_000_000;
const ids: readonly SessionId[] = [keysId, keysCopyId];

/** Behind them a list begins. */
export const listStart = encodeCursor({ id: keysId, updatedAtMs });

/** Programs that know hidden records, and none of this kind, show them to nobody. */
const hidden = { "acp-sidecar.hidden": "adopting" };
const secretsKey = "acp-sidecar.secrets";

export function isKeysId(id: SessionId): boolean {
  return ids.includes(id);
}

/** Those of the two that can be read. */
export async function keysRecords(store: Pick<Store, "get">): Promise<readonly SessionRecord[]> {
  const found = await Promise.all(ids.map((id) => readable(store, id)));
  return found.filter((record) => record !== undefined);
}

async function readable(store: Pick<Store, "get">, id: SessionId): Promise<SessionRecord | undefined> {
  try {
    return await store.get(id);
  } catch (error) {
    if (isSidecarError(error, "STORE_CORRUPT")) return undefined;
    throw error;
  }
}

/** The wrapped secrets as each sound record has them, the one first that is written last. Undefined for a store that is plain. */
export async function wrappedSecrets(
  store: Pick<Store, "get">,
): Promise<readonly (readonly string[])[] | undefined> {
  const records = await keysRecords(store);
  return records.length === 0
    ? undefined
    : records.flatMap((record) => [wrappedIn(record)].filter((each) => each.length > 0));
}

/** The ids of the keys that have wrapped secrets. */
export function keyIdsOf(wrapped: readonly string[]): readonly string[] {
  return [...new Set(wrapped.map(wrappedBy))];
}

/**
 * Makes what is missing of the two. The copy first, which is made once: of several that begin a store at once all have
 * what it says. Errors: `STORE_…`.
 */
export async function putKeys(store: Store, wrapped: readonly string[]): Promise<void> {
  await createOnce(store, keysCopyId, wrapped);
  const copy = await readable(store, keysCopyId);
  const copied = copy === undefined ? [] : wrappedIn(copy);
  if (copied.length > 0) await createOnce(store, keysId, copied);
  await store.flush();
}

/**
 * Makes both of a store that had none. Errors: `STORE_…`, and those of `confirm`.
 * @param confirm what is looked at once the first of them can be seen; when it rejects, that one goes again
 */
export async function beginKeys(
  store: Store,
  wrapped: readonly string[],
  confirm: () => Promise<void>,
): Promise<void> {
  if (await createOnce(store, keysCopyId, wrapped)) {
    try {
      await confirm();
    } catch (error) {
      // Whoever has completed them meanwhile has the other one, and makes this one again.
      await store.delete(keysCopyId);
      throw error;
    }
  }
  await putKeys(store, wrapped);
}

/** Whether we have made it. */
async function createOnce(store: Store, id: SessionId, wrapped: readonly string[]): Promise<boolean> {
  try {
    await store.create(recordOf(id, wrapped));
    return true;
  } catch (error) {
    if (isSidecarError(error, "SESSION_EXISTS")) return false;
    throw error;
  }
}

/** @param lease of the first record; the copy is written before it */
export async function replaceKeys(store: Store, wrapped: readonly string[], lease: Lease): Promise<void> {
  await store.update(keysCopyId, { metadata: metadataOf(wrapped) });
  await store.update(keysId, { metadata: metadataOf(wrapped) }, lease);
  await store.flush();
}

function recordOf(id: SessionId, wrapped: readonly string[]): NewSession {
  return {
    ...{ id, createdAtMs: 0, updatedAtMs, cwd: "", additionalDirectories: [], mcpServerNames: [] },
    ...{ agentSessionIds: [], settings: {}, metadata: metadataOf(wrapped) },
  };
}

function metadataOf(wrapped: readonly string[]) {
  return { ...hidden, [secretsKey]: JSON.stringify({ wrapped }) };
}

/** The id of the key, and what it has wrapped. */
const wrappedForm = /^[0-9a-f]{12}\.[A-Za-z0-9+/]+={0,2}$/;

/** None for a record that was damaged. */
function wrappedIn({ metadata }: SessionRecord): readonly string[] {
  const { wrapped } = objectIn(String(metadata[secretsKey])) ?? {};
  const isSound = (each: unknown): each is string => typeof each === "string" && wrappedForm.test(each);
  return Array.isArray(wrapped) && wrapped.every(isSound) ? wrapped : [];
}

/** Nobody can make them anew. */
export function keysDamaged(): SidecarError {
  return new SidecarError(
    "DECRYPT_FAILED",
    "The store is encrypted, but its keys are gone or damaged; restore it from a backup; nothing was changed",
  );
}
