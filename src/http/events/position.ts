/**
 * How far somebody has followed a session. What is final keeps its numbers, so that a number says it; what was streamed
 * since may be replaced, so that a few characters of the last entry say which it was.
 */
import { createHash } from "node:crypto";
import { SidecarError } from "../../base/errors.ts";
import type { Entry } from "../../store/contract.ts";

export interface Position {
  /** All up to here was told as it is final. */
  readonly sealed: number;
  /** And up to here as it was streamed. */
  readonly head: number;
  /** Of the entry at `head`, where that is not final. */
  readonly mark: string;
}

export function positionAt(entry: Entry, sealedSeq: number): Position {
  const { seq } = entry;
  return seq <= sealedSeq ? finalAt(seq) : { sealed: sealedSeq, head: seq, mark: markOf(entry) };
}

/** Nothing of what comes after has been told. */
export function finalAt(seq: number): Position {
  return { sealed: seq, head: seq, mark: "" };
}

export function markOf({ kind, atMs, data }: Entry): string {
  return createHash("sha1").update(`${kind} ${atMs} ${data}`).digest("base64url").slice(0, 8);
}

export function idOf({ sealed, head, mark }: Position): string {
  return `${sealed}.${head}.${mark}`;
}

/** Undefined for what is none. */
export function positionIn(id: string): Position | undefined {
  const [, sealed, head, mark = ""] = /^(\d{1,15})\.(\d{1,15})\.([\w-]{0,8})$/.exec(id) ?? [];
  if (sealed === undefined || head === undefined) return undefined;
  const position = { sealed: Number(sealed), head: Number(head), mark };
  return position.head < position.sealed ? undefined : position;
}

export function noPosition(): SidecarError {
  return new SidecarError(
    "INVALID_PARAMS",
    "Last-Event-ID, or after, is none of this session's events; leave it out",
  );
}
