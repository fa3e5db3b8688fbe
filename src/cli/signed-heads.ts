/** What an audit log has of signed heads, where a key is named by which they can be verified. */
import { errorFaces } from "../base/errors.ts";
import { verifyingKeyFrom } from "../audit/heads.ts";
import { auditFileOf } from "../audit/open.ts";
import { signedHeadsIn, type SignedHeads } from "../audit/signed-heads.ts";
import type { Completeness } from "../care/signed-heads.ts";
import type { Config } from "../config/config.ts";
import type { Io } from "./command.ts";
import { printDamages } from "./damage-text.ts";
import { countText, oneLine, print } from "./print.ts";

/** Undefined where no key is named. Errors: `KEY_INVALID`; the system's own. */
export async function signedHeads(config: Config, io: Io): Promise<SignedHeads | undefined> {
  const { auditSigningKey } = config;
  const file = auditFileOf(config, io.env);
  if (auditSigningKey === undefined || file === undefined) return undefined;
  const { heads, unsigned } = await signedHeadsIn(file, await verifyingKeyFrom(auditSigningKey));
  if (unsigned > 0) {
    const what = `${countText(unsigned, "head")} in ${oneLine(file)} are not signed with this key, and count for nothing`;
    io.errors.write(`acp-sidecar: ${what}\n`);
  }
  return heads;
}

export async function printCompleteness(completeness: Completeness | undefined, io: Io): Promise<void> {
  if (completeness === undefined) return;
  const { signed, missing } = completeness;
  const ends =
    missing.length === 0 ? "no end is missing" : `${countText(missing.length, "session")} without an end`;
  await print(io, `completeness: ${countText(signed, "signed head")} there, ${ends}\n`);
  await printDamages(missing, io);
}

/** Of what was verified. */
export function statusOf(found: {
  readonly damages: readonly unknown[];
  readonly integrity: { readonly changed: readonly unknown[] };
  readonly completeness?: Completeness;
}): number {
  const { damages, integrity, completeness } = found;
  const count = damages.length + integrity.changed.length + (completeness?.missing.length ?? 0);
  return count === 0 ? 0 : errorFaces.STORE_CORRUPT.exitStatus;
}
