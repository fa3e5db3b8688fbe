/** Terms of sessions as servers keep them: hashed, since the values are of any length, with any character in them. */
import { createHash } from "node:crypto";
import { termsBy } from "../terms.ts";

/** 128 bits of SHA-256 over the JSON of kind and value, which keeps 1 and "1" apart. */
export const { termsOf, termsOfFilter, termsWithout } = termsBy((...parts) =>
  createHash("sha256").update(JSON.stringify(parts)).digest("base64url").slice(0, 22),
);
