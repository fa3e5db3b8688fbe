/**
 * AES-256-GCM of texts. Every text is bound to what it is about, its additional data: what stands in another place than
 * where it was put cannot be opened there. NIST SP 800-38D; nonces are random, or made of the text where equal texts
 * must be equal (as in RFC 8452, with HMAC).
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { SidecarError } from "../../base/errors.ts";

const algorithm = "aes-256-gcm";
const [nonceBytes, tagBytes] = [12, 16];
const noncesAtOnce = 256;

/** @param nonce one that was never used */
export function sealText(key: Uint8Array, text: string, about: string, nonce?: Uint8Array): string {
  return sealBytes(key, Buffer.from(text), about, nonce);
}

/** Errors: `DECRYPT_FAILED`. */
export function openText(key: Uint8Array, sealed: string, about: string): string {
  return openBytes(key, sealed, about).toString();
}

/** The same for equal texts that are about the same: it can be looked for. */
export function sealEqual({ key, nonceKey }: EqualKeys, text: string, about: string): string {
  return sealBytes(key, Buffer.from(text), about, nonceOf(nonceKey, text, about));
}

/** Errors: `DECRYPT_FAILED`. */
export function openEqual({ key, nonceKey }: EqualKeys, sealed: string, about: string): string {
  const text = openText(key, sealed, about);
  const nonce = Buffer.from(sealed, "base64").subarray(0, nonceBytes);
  if (!timingSafeEqual(nonce, nonceOf(nonceKey, text, about))) throw decryptFailed();
  return text;
}

export interface EqualKeys {
  readonly key: Uint8Array;
  readonly nonceKey: Uint8Array;
}

/** In base 64: the nonce, what is encrypted, the tag. */
export function sealBytes(
  key: Uint8Array,
  bytes: Uint8Array,
  about: string,
  nonce: Uint8Array = randomBytes(nonceBytes),
): string {
  const cipher = createCipheriv(algorithm, key, nonce);
  cipher.setAAD(Buffer.from(about));
  return Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]).toString("base64");
}

/** Errors: `DECRYPT_FAILED`. */
export function openBytes(key: Uint8Array, sealed: string, about: string): Buffer {
  const bytes = Buffer.from(sealed, "base64");
  try {
    const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonceBytes), {
      authTagLength: tagBytes,
    });
    decipher.setAAD(Buffer.from(about));
    decipher.setAuthTag(bytes.subarray(-tagBytes));
    const opened = decipher.update(bytes.subarray(nonceBytes, -tagBytes));
    // It gives nothing more, but fails for what is not as it was.
    decipher.final();
    return opened;
  } catch {
    // The reason that OpenSSL gives is the same for each: changed, moved, or another key.
    throw decryptFailed();
  }
}

/** Random nonces, each given once. The system is asked for many at a time: to ask takes longer than to encrypt an entry. */
export class Nonces {
  #random = Buffer.alloc(0);
  #at = 0;

  next(): Uint8Array {
    if (this.#at === this.#random.length) {
      // Not the same memory again: nobody's nonce may change under his hands.
      this.#random = randomBytes(noncesAtOnce * nonceBytes);
      this.#at = 0;
    }
    const from = this.#at;
    this.#at += nonceBytes;
    return this.#random.subarray(from, this.#at);
  }
}

function nonceOf(nonceKey: Uint8Array, text: string, about: string): Buffer {
  const hash = createHmac("sha256", nonceKey).update(`${about.length} ${about}`).update(text);
  return hash.digest().subarray(0, nonceBytes);
}

/** What was changed, moved from another place, or encrypted with another key. Told where it is met. */
export function decryptFailed(what = "What is encrypted"): SidecarError {
  return new SidecarError(
    "DECRYPT_FAILED",
    `${what} cannot be decrypted: it was changed or moved by other hands, or is not encrypted`,
  );
}
