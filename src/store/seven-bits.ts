/** Bytes as text that every store takes: seven bits a character, an eighth and a bit more room than the bytes have. */

/** What lines and servers cannot hold, and what stands for it: two bytes in UTF-8, but only three characters of 128. */
const unfit = [0, 10, 13];
const firstStandIn = 128;

const toCode = Uint8Array.from({ length: 128 }, (_, value) =>
  unfit.includes(value) ? firstStandIn + unfit.indexOf(value) : value,
);
const toValue = Uint8Array.from({ length: 256 }, (_, code) => unfit[code - firstStandIn] ?? code & 127);

export function textOfBytes(bytes: Uint8Array): string {
  const codes = Buffer.allocUnsafe(Math.ceil((bytes.length * 8) / 7));
  let [at, held, bits] = [0, 0, 0];
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 7) {
      bits -= 7;
      codes[at++] = toCode[(held >> bits) & 127] ?? 0;
    }
    held &= (1 << bits) - 1;
  }
  if (bits > 0) codes[at] = toCode[(held << (7 - bits)) & 127] ?? 0;
  return codes.toString("latin1");
}

export function bytesOfText(text: string): Buffer {
  const codes = Buffer.from(text, "latin1");
  const bytes = Buffer.allocUnsafe(Math.floor((codes.length * 7) / 8));
  let [at, held, bits] = [0, 0, 0];
  for (const code of codes) {
    held = (held << 7) | (toValue[code] ?? 0);
    bits += 7;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = held >> bits;
    held &= (1 << bits) - 1;
  }
  return bytes;
}
