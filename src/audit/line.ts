/**
 * A line of the log: a JSON object whose last two members are the hash of the line before it and its own. A change of
 * any byte shows in the line itself; a line that was taken out, put in or moved shows in the one after it.
 */
import { createHash } from "node:crypto";
import { isRecord } from "../base/json.ts";

/** Before the first line. */
export const firstHash = "0".repeat(43);

/** Longer lines are none of ours. */
export const maxLineBytes = 64 << 10;

/** Where the chain stands. */
export interface Link {
  readonly seq: number;
  readonly hash: string;
}

export const beginning: Link = { seq: 0, hash: firstHash };

export interface Line extends Link {
  readonly prev: string;
  /** Whether its hash is that of what it says. */
  readonly isIntact: boolean;
}

/** @param body the members between, as JSON without braces; not empty */
export function lineAfter(last: Link, body: string): Link & { readonly text: string } {
  const seq = last.seq + 1;
  const said = `{"seq":${seq},${body},"prev":"${last.hash}"`;
  const hash = hashOf(said);
  return { seq, hash, text: `${said},"hash":"${hash}"}\n` };
}

const ownEnd = `,"hash":"${firstHash}"}`.length;
const end = /,"prev":"([\w-]{43})","hash":"([\w-]{43})"\}$/;
const endChars = `,"prev":"${firstHash}"`.length + ownEnd;

/** Undefined for what is no line of ours. @param bytes without the end of the line */
export function lineOf(bytes: Buffer): Line | undefined {
  if (bytes.length > maxLineBytes) return undefined;
  const [, prev = "", hash = ""] =
    end.exec(bytes.toString("latin1", Math.max(0, bytes.length - endChars))) ?? [];
  const [, seq] = /^\{"seq":(\d{1,15}),"/.exec(bytes.toString("latin1", 0, 40)) ?? [];
  if (hash === "" || seq === undefined) return undefined;
  return { seq: Number(seq), prev, hash, isIntact: hashOf(bytes.subarray(0, -ownEnd)) === hash };
}

export function hashOf(bytes: Buffer | string): string {
  return createHash("sha256").update(bytes).digest("base64url");
}

/** What an intact line says; undefined where that is no object. */
export function saidIn(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const said: unknown = JSON.parse(bytes.toString("utf8"));
    return isRecord(said) ? said : undefined;
  } catch {
    return undefined;
  }
}
