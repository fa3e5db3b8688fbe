/** Where keys come from: `file:PATH`, `env:NAME` or `command:PROGRAM`. Nothing of a key is ever in a message. */
import { SidecarError } from "../../base/errors.ts";
import { shownSource, textFrom } from "../../base/secret-source.ts";
import { keyBytes, Keyring } from "./keyring.ts";

/** Errors: `KEY_INVALID` with the source, and how to mend it. */
export async function keyringOf(
  encryptionKey: string,
  previousKeys: readonly string[] = [],
): Promise<Keyring> {
  const current = await keyFrom(encryptionKey);
  return new Keyring(current, await Promise.all(previousKeys.map(keyFrom)));
}

async function keyFrom(source: string): Promise<Uint8Array> {
  const key = keyIn(await textFrom(source, "key"));
  if (key !== undefined) return key;
  const wrong = `${shownSource(source)} holds no key: write one with acp-sidecar keys generate`;
  throw new SidecarError("KEY_INVALID", wrong);
}

/** 32 bytes as 64 hexadecimal digits or in base 64, on a line of its own. */
function keyIn(text: string): Uint8Array | undefined {
  const line = text.trim();
  const encoding = /^[0-9a-f]{64}$/i.test(line)
    ? "hex"
    : /^[A-Za-z0-9+/]{43}=?$/.test(line)
      ? "base64"
      : undefined;
  const key = encoding && new Uint8Array(Buffer.from(line, encoding));
  return key?.length === keyBytes ? key : undefined;
}
