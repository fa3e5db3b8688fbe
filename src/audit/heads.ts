/**
 * Signed heads: the newest link of a session's integrity chain, signed with a key that whoever writes to the store and the log
 * need not have. By them a chain is noticed that was shortened or made anew.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from "node:crypto";
import { SidecarError } from "../base/errors.ts";
import { shownSource, textFrom } from "../base/secret-source.ts";

/** A link of a session's chain, and the entry that carries it. */
export interface Head {
  readonly sessionId: string;
  readonly seq: number;
  readonly sha256: string;
}

function textOf({ sessionId, seq, sha256 }: Head): Buffer {
  return Buffer.from(`acp-sidecar.head 1 ${sessionId} ${seq} ${sha256}`);
}

/** In hexadecimal digits. @param privateKey of Ed25519 */
export function signHead(head: Head, privateKey: KeyObject): string {
  // In no form that the log takes for a secret.
  return sign(null, textOf(head), privateKey).toString("hex");
}

/** Whether this head, to the letter, was signed. @param key public, or private */
export function verifyHead(head: Head, signature: string, key: KeyObject): boolean {
  return verify(null, textOf(head), key, Buffer.from(signature, "hex"));
}

/** A new key that signs, and the one that only verifies, in PEM. */
export function newSigningKey(): { readonly privateKey: string; readonly publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return {
    privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    publicKey: publicKey.export({ type: "spki", format: "pem" }).toString(),
  };
}

/** A public key is everybody's to read. */
function isSecret(text: string): boolean {
  return !text.includes("BEGIN PUBLIC KEY") || text.includes("PRIVATE KEY");
}

/** Errors: `KEY_INVALID`. */
export async function signingKeyFrom(source: string): Promise<KeyObject> {
  const key = keyIn(await textFrom(source, "key", { isSecret }), source);
  if (key.type === "private") return key;
  throw invalid(`${shownSource(source)} holds a public key: it can verify and sign nothing`);
}

/** Of either key. Errors: `KEY_INVALID`. */
export async function verifyingKeyFrom(source: string): Promise<KeyObject> {
  const key = keyIn(await textFrom(source, "key", { isSecret }), source);
  return key.type === "private" ? createPublicKey(key) : key;
}

/** What stands before the 32 bytes of a private key of Ed25519 in PKCS #8. */
const pkcs8Start = Buffer.from("302e020100300506032b657004220420", "hex");

/** PEM; or the 32 bytes of a private key in base 64 or as 64 hexadecimal digits. */
function keyIn(text: string, source: string): KeyObject {
  const line = text.trim();
  try {
    const raw = Buffer.from(line, /^[0-9a-f]{64}$/i.test(line) ? "hex" : "base64");
    const key = line.includes("PUBLIC KEY")
      ? line.includes("PRIVATE KEY")
        ? createPrivateKey(line)
        : createPublicKey(line)
      : line.includes("PRIVATE KEY")
        ? createPrivateKey(line)
        : createPrivateKey({
            key: Buffer.concat([pkcs8Start, raw.length === 32 ? raw : Buffer.alloc(0)]),
            format: "der",
            type: "pkcs8",
          });
    if (key.asymmetricKeyType === "ed25519") return key;
  } catch {
    // Told below: what Node says of it may quote it.
  }
  throw invalid(`${shownSource(source)} holds no key of Ed25519: make one with keys generate --signing`);
}

function invalid(message: string): SidecarError {
  return new SidecarError("KEY_INVALID", message);
}
