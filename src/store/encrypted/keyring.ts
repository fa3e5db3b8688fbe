/** Keys that people hold: 32 bytes each, told apart by an id that says nothing of them. They wrap what encrypts. */
import { createHash } from "node:crypto";
import { SidecarError } from "../../base/errors.ts";
import { openBytes, sealBytes } from "./box.ts";

export const keyBytes = 32;

/** The first half of a hash: whoever sees the id learns nothing of the key. */
export function keyIdOf(key: Uint8Array): string {
  return createHash("sha256").update("acp-sidecar key id\0").update(key).digest("hex").slice(0, 12);
}

export class Keyring {
  readonly #current: Uint8Array;
  readonly #byId: ReadonlyMap<string, Uint8Array>;

  /** @param previous those from before: what they have wrapped is read, and nothing is wrapped with them any more */
  constructor(current: Uint8Array, previous: readonly Uint8Array[] = []) {
    this.#current = current;
    this.#byId = new Map([...previous, current].map((key) => [keyIdOf(key), key]));
  }

  get currentId(): string {
    return keyIdOf(this.#current);
  }

  wrap(secret: Uint8Array, about: string): string {
    return `${this.currentId}.${sealBytes(this.#current, secret, aboutKey(this.currentId, about))}`;
  }

  /** Errors: `KEY_MISSING` with the id of the key that is wanted, `DECRYPT_FAILED`. */
  unwrap(wrapped: string, about: string): Uint8Array {
    const keyId = wrappedBy(wrapped);
    const key = this.#byId.get(keyId);
    if (key === undefined) throw keyMissing(keyId);
    return openBytes(key, wrapped.slice(keyId.length + 1), aboutKey(keyId, about));
  }
}

/** The id of the key that has wrapped it. */
export function wrappedBy(wrapped: string): string {
  return wrapped.slice(0, wrapped.indexOf("."));
}

export function keyMissing(keyId: string): SidecarError {
  return new SidecarError(
    "KEY_MISSING",
    `The store is encrypted with key ${keyId}, which is not at hand: name it with --encryption-key, or among --previous-keys; nothing was changed`,
    { data: { keyId } },
  );
}

function aboutKey(keyId: string, about: string): string {
  return `key ${keyId} ${about}`;
}
