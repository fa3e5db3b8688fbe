/** Terms of sessions in the `terms` table: texts that can be read, one index for all. */
import { createHash } from "node:crypto";
import { termsBy } from "../../terms.ts";

/** Longer ones are kept by their hash, so that the index stays small. */
const longest = 200;

export const { termsOf, termsOfFilter, termsWithout } = termsBy((kind, ...parts) => {
  // JSON keeps numbers and texts apart, and a key and its value.
  const said = kind === "metadata" ? parts.map((part) => JSON.stringify(part)).join("=") : String(parts[0]);
  // As it stands in the database, which holds no halves of characters.
  const text = said.toWellFormed();
  if (text.length <= longest) return `${kind[0]}:${text}`;
  return `${kind[0]}#${createHash("sha256").update(text).digest("base64url")}`;
});
