/** Finds in an audit log what was signed of sessions. */
import type { KeyObject } from "node:crypto";
import { isRecord } from "../base/json.ts";
import { verifyHead } from "./heads.ts";
import { saidIn } from "./line.ts";
import { linesOf } from "./reading.ts";

/** Heads by session and entry, as they were signed. */
export type SignedHeads = ReadonlyMap<string, ReadonlyMap<number, string>>;

/** The heads that an audit log has, and how many of them are not signed with this key. */
export async function signedHeadsIn(
  file: string,
  key: KeyObject,
): Promise<{ readonly heads: SignedHeads; readonly unsigned: number }> {
  const heads = new Map<string, Map<number, string>>();
  let unsigned = 0;
  for await (const { bytes } of linesOf(file)) {
    if (!bytes.includes('"what":"session.head"')) continue;
    const { session: sessionId, facts } = saidIn(bytes) ?? {};
    const { seq, sha256, signature } = isRecord(facts) ? facts : {};
    if (typeof sessionId !== "string" || typeof seq !== "number" || typeof sha256 !== "string") continue;
    if (!verifyHead({ sessionId, seq, sha256 }, String(signature), key)) {
      unsigned += 1;
      continue;
    }
    const ofSession = heads.get(sessionId) ?? new Map<number, string>();
    heads.set(sessionId, ofSession.set(seq, sha256));
  }
  return { heads, unsigned };
}
