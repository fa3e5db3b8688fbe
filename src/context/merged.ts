/** Values that several change at once: other keys merge, and the same key is a conflict that shows both sides. */
import { isDeepStrictEqual } from "node:util";
import { SidecarError } from "../base/errors.ts";
import { isDeeperThan, isRecord, type Json } from "../base/json.ts";

export type Values = ReadonlyMap<string, Json>;

/** What is to be so; null takes a key out. */
export type ValueChanges = Readonly<Record<string, Json>>;

const longestKey = 200;
const mostBytes = 64 << 10;
/** Deeper ones no program can be handed. */
export const maxDepth = 32;

/**
 * @param base what they were in the version that the changes are about, @param now what they are
 * Errors: `CONTEXT_CONFLICT` with the values of both sides; `INVALID_PARAMS`; `ENTRY_LIMIT`.
 */
export function merged(base: Values, now: Values, changes: ValueChanges, version: number): Values {
  const conflicts = Object.entries(changes).flatMap(([key, wanted]) => {
    const [was = null, is = null] = [base.get(key), now.get(key)];
    const isFree = isDeepStrictEqual(was, is) || isDeepStrictEqual(is, wanted);
    return isFree ? [] : [{ key, base: was, theirs: is, yours: wanted }];
  });
  const [first] = conflicts;
  if (first !== undefined)
    throw new SidecarError(
      "CONTEXT_CONFLICT",
      `Somebody else has changed ${JSON.stringify(first.key)} meanwhile; read the context again (version ${version}) and decide`,
      { data: { version, conflicts } },
    );
  const result = new Map(now);
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) result.delete(key);
    else result.set(key, value);
  }
  return result;
}

/** Errors: `INVALID_PARAMS`, `ENTRY_LIMIT`. */
export function checkValues(values: ValueChanges): void {
  const invalid = (what: string) => new SidecarError("INVALID_PARAMS", what);
  if (!isRecord(values)) throw invalid("Values stand by their keys in an object");
  if (isDeeperThan(values, maxDepth)) throw invalid(`Values are nested deeper than ${maxDepth} levels`);
  for (const [key, value] of Object.entries(values)) {
    if (JSON.stringify(value) === undefined)
      throw invalid(`${JSON.stringify(key.slice(0, longestKey))} is no JSON value; null takes one out`);
    if (key === "" || key.length > longestKey)
      throw invalid(`A key has 1 to ${longestKey} characters; ${JSON.stringify(key.slice(0, 20))} has not`);
  }
  const bytes = Buffer.byteLength(JSON.stringify(values));
  if (bytes > mostBytes)
    throw new SidecarError(
      "ENTRY_LIMIT",
      `The values have ${bytes} bytes, more than ${mostBytes}; keep what is long in a file and name it`,
    );
}
