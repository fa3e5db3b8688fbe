/**
 * The keys of one store: secrets of its own, wrapped by the key that people hold, in a record that is no session.
 * Each rotation adds a secret; what is written from then on is encrypted under it, what was written stays under the one
 * that it names. Every session has keys of its own, derived from them.
 *
 * A rotation is so one small write: it happens or does not, whatever ends it, and nothing is encrypted anew.
 */
import { hkdfSync, randomBytes } from "node:crypto";
import { isSidecarError, SidecarError } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import { objectIn } from "../../base/json.ts";
import type { Holder, NewSession, SessionRecord, Store } from "../contract.ts";
import type { ListPlace } from "../query.ts";
import { decryptFailed, type EqualKeys } from "./box.ts";
import { keysId } from "../keys-id.ts";
import { keyBytes, wrappedBy, type Keyring } from "./keyring.ts";

/** First in every list, and never old: retention, also that of a program that knows nothing of it, lets it be. */
export const keysPlace: ListPlace = {
  id: keysId,
  updatedAtMs: 8_640_000_000_000_000,
};

/** Programs that know hidden records, and none of this kind, show it to nobody. */
const hidden = { "acp-sidecar.hidden": "adopting" };
const secretsKey = "acp-sidecar.secrets";

/** The record, of a store that is encrypted. */
export function keysRecordOf(store: Pick<Store, "get">): Promise<SessionRecord | undefined> {
  return store.get(keysPlace.id);
}

/** The ids of the keys that have wrapped the secrets of an encrypted store, and how many secrets there are. */
export function wrappingIn(record: SessionRecord): {
  readonly keyIds: readonly string[];
  readonly secrets: number;
} {
  const wrapped = wrappedIn(record);
  return { keyIds: [...new Set(wrapped.map(wrappedBy))], secrets: wrapped.length };
}

export class StoreKeys {
  readonly #store: Store;
  readonly #ring: Keyring;
  #secrets: readonly Uint8Array[];
  #equal: EqualKeys | undefined;
  /** By generation and session. */
  readonly #derived = new Map<string, Uint8Array>();

  private constructor(store: Store, ring: Keyring, secrets: readonly Uint8Array[]) {
    this.#store = store;
    this.#ring = ring;
    this.#secrets = secrets;
  }

  /** Those of an encrypted store; an empty one becomes so. Errors: `KEY_MISSING`, `NOT_ENCRYPTED`, `STORE_…`. */
  static async of(store: Store, ring: Keyring): Promise<StoreKeys> {
    const found = (await keysRecordOf(store)) ?? (await begun(store, ring));
    return new StoreKeys(store, ring, secretsIn(found, ring));
  }

  /** What is written now is encrypted under this one. */
  get generation(): number {
    return this.#secrets.length;
  }

  /** What encrypts a session under a generation. Errors: `DECRYPT_FAILED`. */
  async keyOf(generation: number, id: SessionId): Promise<Uint8Array> {
    const name = `${generation} ${id}`;
    const known = this.#derived.get(name);
    if (known !== undefined) return known;
    // Another program may have rotated meanwhile.
    if (generation > this.generation) await this.#readAgain();
    const secret = this.#secrets[generation - 1];
    if (secret === undefined) throw decryptFailed();
    if (this.#derived.size >= mostDerived) this.#derived.clear();
    const key = derive(secret, `session ${id}`);
    this.#derived.set(name, key);
    return key;
  }

  /** What encrypts values that lists look for: the same for ever, so that what is equal stays so. */
  get equal(): EqualKeys {
    this.#equal ??= equalKeysOf(this.#secrets);
    return this.#equal;
  }

  /**
   * A new secret from now on, and all of them wrapped by the current key alone. Errors: `SESSION_BUSY` while somebody
   * else rotates, `STORE_…`.
   */
  async rotate(holder: Holder): Promise<void> {
    const asked = { holder, ttlMs: rotationMs, mayTake: () => false };
    const { lease } = await this.#store.acquire(keysPlace.id, asked);
    try {
      await this.#readAgain();
      const secrets = [...this.#secrets, randomBytes(keyBytes)];
      await this.#store.update(keysPlace.id, { metadata: metadataOf(secrets, this.#ring) }, lease);
      await this.#store.flush();
      this.#secrets = secrets;
    } finally {
      await this.#store.release(lease);
    }
  }

  async #readAgain(): Promise<void> {
    const record = await keysRecordOf(this.#store);
    if (record === undefined) throw decryptFailed("The store: its keys are gone. What");
    this.#secrets = secretsIn(record, this.#ring);
  }
}

const mostDerived = 4096;
const rotationMs = 30_000;

async function begun(store: Store, ring: Keyring): Promise<SessionRecord> {
  const { items } = await store.list({ limit: 1 });
  if (items.length > 0)
    throw new SidecarError(
      "NOT_ENCRYPTED",
      "This store holds sessions that are not encrypted; copy them into a new one, which will be: acp-sidecar migrate --from URL --to URL",
    );
  try {
    const record = await store.create(newKeysRecord(ring));
    await store.flush();
    return record;
  } catch (error) {
    const other = isSidecarError(error, "SESSION_EXISTS") ? await keysRecordOf(store) : undefined;
    if (other === undefined) throw error;
    return other;
  }
}

function newKeysRecord(ring: Keyring): NewSession {
  const { id, updatedAtMs } = keysPlace;
  return {
    ...{ id, createdAtMs: 0, updatedAtMs, cwd: "", additionalDirectories: [], mcpServerNames: [] },
    ...{ agentSessionIds: [], settings: {}, metadata: metadataOf([randomBytes(keyBytes)], ring) },
  };
}

function metadataOf(secrets: readonly Uint8Array[], ring: Keyring) {
  const wrapped = secrets.map((secret, at) => ring.wrap(secret, `secret ${at + 1}`));
  return { ...hidden, [secretsKey]: JSON.stringify({ wrapped }) };
}

function secretsIn(record: SessionRecord, ring: Keyring): readonly Uint8Array[] {
  return wrappedIn(record).map((wrapped, at) => ring.unwrap(wrapped, `secret ${at + 1}`));
}

/** Errors: `DECRYPT_FAILED` for a record that somebody has changed. */
function wrappedIn({ metadata }: SessionRecord): readonly string[] {
  const { wrapped } = objectIn(String(metadata[secretsKey])) ?? {};
  if (Array.isArray(wrapped) && wrapped.length > 0 && wrapped.every((each) => typeof each === "string"))
    return wrapped;
  throw decryptFailed("The store: its keys are damaged. What");
}

function equalKeysOf([first]: readonly Uint8Array[]): EqualKeys {
  if (first === undefined) throw decryptFailed();
  return { key: derive(first, "values"), nonceKey: derive(first, "nonces of values") };
}

function derive(secret: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", secret, "", `acp-sidecar ${purpose}`, keyBytes));
}
