/**
 * The keys of one store: secrets of its own, wrapped by the key that people hold, in records that are no sessions.
 * Each rotation adds a secret; what is written from then on is encrypted under it, what was written stays under the one
 * that it names. Every session has keys of its own, derived from them.
 *
 * A rotation is so one small write: it happens or does not, whatever ends it, and nothing is encrypted anew.
 */
import { hkdfSync, randomBytes } from "node:crypto";
import { isSidecarError, SidecarError } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import type { Holder, SessionRecord, Store } from "../contract.ts";
import { isSealed, keysId } from "../keys-id.ts";
import { decryptFailed, type EqualKeys } from "./box.ts";
import { keyBytes, type Keyring } from "./keyring.ts";
import {
  beginKeys,
  isKeysId,
  keysDamaged,
  listStart,
  putKeys,
  replaceKeys,
  wrappedSecrets,
} from "./keys-record.ts";

export class StoreKeys {
  readonly #store: Store;
  readonly #ring: Keyring;
  #secrets: readonly Uint8Array[];
  #equal: EqualKeys | undefined;
  /** Of each session by generation. */
  readonly #derived = new Map<SessionId, Map<number, Uint8Array>>();

  private constructor(store: Store, ring: Keyring, secrets: readonly Uint8Array[]) {
    this.#store = store;
    this.#ring = ring;
    this.#secrets = secrets;
  }

  /** Those of an encrypted store; an empty one becomes so. Errors: `KEY_MISSING`, `NOT_ENCRYPTED`, `DECRYPT_FAILED`, `STORE_…`. */
  static async of(store: Store, ring: Keyring): Promise<StoreKeys> {
    const found = await wrappedSecrets(store);
    if (found === undefined) await begin(store, ring);
    // Whoever made the one was killed before the other.
    else if (found.length === 1 && found[0] !== undefined) await putKeys(store, found[0]);
    return new StoreKeys(store, ring, await secretsOf(store, ring));
  }

  /** What is written now is encrypted under this one. */
  get generation(): number {
    return this.#secrets.length;
  }

  /** What encrypts a session under a generation. Errors: `DECRYPT_FAILED`. */
  async keyOf(generation: number, id: SessionId): Promise<Uint8Array> {
    const known = this.knownKeyOf(generation, id);
    if (known !== undefined) return known;
    // Another program may have rotated meanwhile.
    if (generation > this.generation) await this.#readAgain();
    const key = this.knownKeyOf(generation, id);
    if (key === undefined) throw decryptFailed();
    return key;
  }

  /** The same without a wait, which is too much for each entry; undefined under a generation of which this process does not know. */
  knownKeyOf(generation: number, id: SessionId): Uint8Array | undefined {
    const known = this.#derived.get(id)?.get(generation);
    if (known !== undefined) return known;
    const secret = this.#secrets[generation - 1];
    if (secret === undefined) return undefined;
    if (this.#derived.size >= mostDerived) this.#derived.clear();
    const key = derive(secret, `session ${id}`);
    this.#derived.set(id, (this.#derived.get(id) ?? new Map<number, Uint8Array>()).set(generation, key));
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
    const { lease } = await this.#store.acquire(keysId, asked);
    try {
      await this.#readAgain();
      const secrets = [...this.#secrets, randomBytes(keyBytes)];
      await replaceKeys(this.#store, wrap(secrets, this.#ring), lease);
      this.#secrets = secrets;
    } finally {
      await this.#store.release(lease);
    }
  }

  async #readAgain(): Promise<void> {
    this.#secrets = await secretsOf(this.#store, this.#ring);
  }
}

const mostDerived = 4096;
const rotationMs = 30_000;

async function begin(store: Store, ring: Keyring): Promise<void> {
  const found = await newest(store);
  // Another process may have begun it meanwhile.
  if (found !== undefined && (await wrappedSecrets(store)) === undefined)
    throw isSealed(found) ? keysDamaged() : notEncrypted();
  await beginKeys(store, wrap([randomBytes(keyBytes)], ring), async () => {
    // Whoever has opened it without a key looks for keys behind its first session: one of us sees the other.
    const made = await newest(store);
    if (made !== undefined && !isSealed(made)) throw notEncrypted();
  });
}

async function newest(store: Store): Promise<SessionRecord | undefined> {
  const { items } = await store.list({ cursor: listStart, limit: 1 });
  return items.find(({ id }) => !isKeysId(id));
}

function notEncrypted(): SidecarError {
  return new SidecarError(
    "NOT_ENCRYPTED",
    "This store holds sessions that are not encrypted; copy them into a new one, which will be: acp-sidecar migrate --from URL --to URL",
  );
}

function wrap(secrets: readonly Uint8Array[], ring: Keyring): readonly string[] {
  return secrets.map((secret, at) => ring.wrap(secret, aboutSecret(at)));
}

/** Of the record that can be unwrapped. Errors: `KEY_MISSING`, `DECRYPT_FAILED`. */
async function secretsOf(store: Store, ring: Keyring): Promise<readonly Uint8Array[]> {
  for (const wrapped of (await wrappedSecrets(store)) ?? []) {
    try {
      return wrapped.map((each, at) => ring.unwrap(each, aboutSecret(at)));
    } catch (error) {
      if (!isSidecarError(error, "DECRYPT_FAILED")) throw error;
    }
  }
  throw keysDamaged();
}

function aboutSecret(at: number): string {
  return `secret ${at + 1}`;
}

function equalKeysOf([first]: readonly Uint8Array[]): EqualKeys {
  if (first === undefined) throw decryptFailed();
  return { key: derive(first, "values"), nonceKey: derive(first, "nonces of values") };
}

function derive(secret: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", secret, "", `acp-sidecar ${purpose}`, keyBytes));
}
