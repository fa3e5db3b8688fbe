/** Our session ids. */
import { createHash } from "node:crypto";
import { decodeTime, encodeTime, monotonicFactory, ulid } from "ulid";
import { SidecarError } from "./errors.ts";

declare const brand: unique symbol;

/** A ULID minted by the sidecar: 26 characters, upper case, sorts by time of creation. */
export type SessionId = string & { readonly [brand]: "SessionId" };

/** Crockford's base 32. */
const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

const mint = monotonicFactory();

/** 128 bits in Crockford's base 32: of the first character only three count. */
export const sessionIdForm = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

export function newSessionId(): SessionId {
  return mint() as SessionId;
}

/** An id of something else, in the same form: it sorts by when it was made. */
export function newId(): string {
  return mint();
}

/** A new id for a session that began elsewhere at this time: it sorts by that. */
export function sessionIdAt(beganMs: number): SessionId {
  return ulid(Math.min(Math.max(0, Math.trunc(beganMs)), Date.now())) as SessionId;
}

/** An id of the same form, and always the same one for these parts. */
export function derivedId(...parts: readonly string[]): SessionId {
  const hash = createHash("sha256").update(JSON.stringify(parts)).digest("hex");
  let bits = BigInt(`0x${hash.slice(0, 32)}`);
  let id = "";
  for (; id.length < 26; bits >>= 5n) id = `${digits[Number(bits & 31n)]}${id}`;
  return id as SessionId;
}

/** The same for something that happened at a time: it sorts by that. */
export function derivedIdAt(atMs: number, ...parts: readonly string[]): string {
  return `${encodeTime(atMs)}${derivedId(...parts).slice(10)}`;
}

/** When it was made, or when that happened of which it was made. */
export function timeIn(id: string): number {
  return decodeTime(id);
}

export function isSessionId(value: unknown): value is SessionId {
  return typeof value === "string" && sessionIdForm.test(value);
}

/** Validates an id that came from outside. Errors: `SESSION_NOT_FOUND`, because no session can have it. */
export function toSessionId(value: string): SessionId {
  if (isSessionId(value)) return value;
  throw new SidecarError("SESSION_NOT_FOUND", `No session ${JSON.stringify(value)}: not a session id`, {
    data: { sessionId: value },
  });
}
