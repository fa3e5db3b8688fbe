/** What the record of a session says that was brought in: where from, and how far. It stands in the metadata. */
import { createHash, type Hash } from "node:crypto";
import type { Metadata, NewEntry } from "../../store/contract.ts";
import type { NativeSession } from "./native.ts";

export interface ImportMark {
  /** Whose, and its id there: `claude:7f07bdff-…`. */
  readonly key: string;
  /** Of the original when it was read last. */
  readonly stamp: string;
  /** Of the entries that were brought in, the tail not counted: how many, and what they were. */
  readonly count: number;
  readonly hash: string;
  /** Where the journal ended then: an end further on says that the session has gone on here. */
  readonly head: number;
  /** Behind which entries of the original the journal has the end of a turn that went on there: see `Placing`. */
  readonly tails: readonly number[];
  /** The session in whose place it is put, until that is in the trash. */
  readonly replaces?: string | undefined;
}

const name = (of: string) => `acp-sidecar.import${of}`;

export function markIn(metadata: Metadata): ImportMark | undefined {
  const texts = ["", ".stamp", ".hash", ".tails", ".replaces"].map((of) => metadata[name(of)]);
  const [key, stamp, hash, tails, replaces] = texts;
  const [count, head] = [".count", ".head"].map((of) => metadata[name(of)]);
  if (typeof key !== "string") return undefined;
  return {
    key,
    stamp: typeof stamp === "string" ? stamp : "",
    hash: typeof hash === "string" ? hash : "",
    count: typeof count === "number" ? count : 0,
    head: typeof head === "number" ? head : 0,
    tails: typeof tails === "string" && tails !== "" ? tails.split(",").map(Number) : [],
    ...(typeof replaces === "string" && { replaces }),
  };
}

export function marked(
  { [name(".replaces")]: _, ...metadata }: Metadata,
  { key, stamp, hash, count, head, tails, replaces }: ImportMark,
): Metadata {
  const values = { "": key, ".stamp": stamp, ".hash": hash, ".count": count, ".head": head };
  const all = {
    ...values,
    ".tails": tails.join(","),
    ...(replaces !== undefined && { ".replaces": replaces }),
  };
  const named = Object.entries(all).map(([of, value]) => [name(of), value] as const);
  return { ...metadata, ...Object.fromEntries(named) };
}

/** Content and order of entries, as far as they have been seen. */
export class RunningHash {
  count = 0;
  readonly #hash: Hash = createHash("sha256");

  add(entries: readonly NewEntry[]): void {
    for (const { kind, atMs, data } of entries)
      this.#hash.update(`${kind} ${atMs} ${data.length}\n`).update(data);
    this.count += entries.length;
  }

  get digest(): string {
    return this.#hash.copy().digest("base64url");
  }
}

export function keyOf({ source, nativeId }: Pick<NativeSession, "source" | "nativeId">): string {
  return `${source}:${nativeId}`;
}

/** @param journal where all of it stands by now */
export function markOf(
  native: NativeSession,
  { count, digest }: RunningHash,
  { headSeq: head }: { readonly headSeq: number },
  tails: readonly number[] = [],
): ImportMark {
  return { key: keyOf(native), stamp: native.stamp, count, hash: digest, head, tails };
}
