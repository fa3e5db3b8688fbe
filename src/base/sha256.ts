/** SHA-256 of a text's UTF-8, in hex. */
import crypto from "node:crypto";

/** Node's own in one step, at half the cost; Node 20.11 and older have none. */
const inOneStep = crypto.hash as typeof crypto.hash | undefined;
/** Of what is longer no copy is made as a whole. */
const pieceChars = 256 << 10;

export function sha256Of(text: string): string {
  if (text.length > pieceChars) return inPieces(text);
  return inOneStep === undefined
    ? crypto.createHash("sha256").update(text).digest("hex")
    : inOneStep("sha256", text, "hex");
}

function inPieces(text: string): string {
  const hash = crypto.createHash("sha256");
  for (let from = 0; from < text.length;) {
    // The two halves of a character stay together.
    const isSplit = (text.charCodeAt(from + pieceChars - 1) & 0xfc00) === 0xd800;
    const to = from + pieceChars + (isSplit ? 1 : 0);
    hash.update(text.slice(from, to));
    from = to;
  }
  return hash.digest("hex");
}
