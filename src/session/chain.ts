/**
 * The integrity chain of a session. Each link is a SHA-256 of the link before it and, of each entry that has become final
 * since, of kind, time and the SHA-256 of its data. A seal that ends with an entry of our own puts a link into it; what another
 * seal makes final is in the next link. So whoever has the newest link can tell that nothing before it was edited,
 * removed, put in or moved; `chain-check.ts` does.
 */
import { createHash, type Hash } from "node:crypto";
import { isOwnKind, linkIn, mayCarryLink, withLink, withoutLink, type ChainLink } from "../acp/chain-link.ts";
import { compactedFrom } from "../acp/compacted.ts";
import { isSidecarError } from "../base/errors.ts";
import { sha256Of } from "../base/sha256.ts";
import type { SessionId } from "../base/ids.ts";
import type { NewEntry, Store } from "../store/contract.ts";
import { ChainMarks } from "./chain-marks.ts";
import { collect, pagesBackwards } from "./pages.ts";

const version = "acp-sidecar.chain 1";
/** What is known of entries is hashed when there is so much of it, and not one by one. */
const mostWords = 1500;
/** A session has no chain yet where so many entries that might carry a link have none. */
const mostWithoutLink = 64;

/** Entries one after the other, and the link that is about them. */
export class LinkedStretch {
  readonly from: number;
  readonly marks = new ChainMarks();
  #hash: Hash | undefined;
  /** Of each entry kind, time and hash. */
  #words: string[] = [];
  readonly #times = new TimeTexts();

  constructor(from: number) {
    this.from = from;
  }

  /** `seq` of the entry that comes next. */
  get next(): number {
    return this.from + this.marks.count;
  }

  /** An entry that is compacted counts as what it was; one that carries a link as it was before. Returns whether it is compacted. */
  add(entry: NewEntry): boolean {
    const { kind, atMs } = entry;
    // Only what is ours carries a link, which is no part of it.
    const data = isOwnKind(kind) ? withoutLink(entry) : entry.data;
    const compacted = compactedFrom({ data });
    const sha256 = compacted?.sha256 ?? sha256Of(data);
    this.#words.push(kind, this.#times.of(atMs), sha256);
    this.marks.add(markOf(kind, atMs, sha256));
    if (this.#words.length >= mostWords) {
      this.#hash ??= createHash("sha256");
      this.#hash.update(this.#words.join(" ")).update(" ");
      this.#words = [];
    }
    return compacted !== undefined;
  }

  /** @param before the link before it; undefined where the chain begins. The stretch ends with that. */
  link(before: string | undefined): ChainLink {
    const { from, next } = this;
    const rest = this.#words.join(" ");
    const entries = this.#hash?.update(rest).digest("hex") ?? sha256Of(rest);
    const sha256 = sha256Of(`${version} ${before ?? "begins"} ${from} ${next - 1} ${entries}`);
    return { sha256, from, through: next - 1, begins: before === undefined, marks: this.marks.text };
  }
}

/** Times as `String` writes them. Of those in one second only the last digits are new: large numbers take long to write. */
class TimeTexts {
  #second = NaN;
  #text = "";

  of(atMs: number): string {
    if (!(Number.isSafeInteger(atMs) && atMs >= 1000)) return String(atMs);
    const second = Math.floor(atMs / 1000);
    if (second !== this.#second) [this.#second, this.#text] = [second, String(second)];
    const rest = atMs - second * 1000;
    return `${this.#text}${rest > 99 ? "" : rest > 9 ? "0" : "00"}${rest}`;
  }
}

function markOf(kind: string, atMs: number, sha256: string): number {
  let mix = Math.imul(atMs, 0x85ebca6b) ^ Math.imul(Math.floor(atMs / 2 ** 32), 0xc2b2ae35);
  for (let at = 0; at < kind.length; at += 1) mix = Math.imul(mix ^ kind.charCodeAt(at), 0x01000193);
  return (first32Of(sha256) ^ mix) >>> 0;
}

/** The number that its first eight digits are, digit by digit: to cut them out and parse them takes three times as long. */
function first32Of(hex: string): number {
  let bits = 0;
  for (let at = 0; at < 8; at += 1) {
    const code = hex.charCodeAt(at);
    // The letters stand in the next rows of ASCII, from 1 on.
    bits = (bits << 4) | ((code & 15) + (code >> 6) * 9);
  }
  return bits;
}

/** A link, and the entry that carries it. */
export interface ChainHead {
  readonly seq: number;
  readonly sha256: string;
}

/** Where a chain stands. */
interface Running {
  /** The newest link. */
  readonly before: string | undefined;
  /** What has become final since. */
  readonly stretch: LinkedStretch;
}

/** The chain of a session that is being written. */
export class Chain {
  readonly #store: Pick<Store, "read">;
  readonly #id: SessionId;
  #running: Running | undefined;
  /** As it will be when what it was told of is written. */
  #coming: Running | undefined;
  /** From here on nothing is linked, because what comes before could not be read when that became final. */
  #damagedBefore: number | undefined;
  #damageComing: number | undefined;

  constructor(store: Pick<Store, "read">, id: SessionId) {
    [this.#store, this.#id] = [store, id];
  }

  /**
   * The last of the entries that are about to become final, with the link that is about them; undefined where it can
   * carry none, or where the link before it cannot be read now: then the next link is about them, too. Never fails,
   * because what is to be written must not. `written` is to be called when they are.
   * @param sealedSeq what is final already
   */
  async linked(entries: readonly NewEntry[], sealedSeq: number): Promise<NewEntry | undefined> {
    const last = entries.at(-1);
    this.#coming = this.#running;
    this.#damageComing = this.#damagedBefore;
    if (last === undefined) return undefined;
    const running = this.#running ?? (await this.#stored(sealedSeq));
    // A write that fails may have been done: then what is stored is to be looked at.
    this.#running = this.#coming = undefined;
    if (running === undefined) return undefined;
    this.#damageComing = undefined;
    for (const entry of entries) running.stretch.add(entry);
    this.#coming = running;
    if (!mayCarryLink(last)) return undefined;
    const link = running.stretch.link(running.before);
    this.#coming = { before: link.sha256, stretch: new LinkedStretch(link.through + 1) };
    return withLink(last, link);
  }

  /** Returns the newest link, if there is one since. */
  written(): ChainHead | undefined {
    this.#running = this.#coming;
    this.#damagedBefore = this.#damageComing;
    const { before: sha256, stretch } = this.#coming ?? {};
    const isNew = sha256 !== undefined && stretch?.marks.count === 0;
    return isNew ? { seq: stretch.from - 1, sha256 } : undefined;
  }

  /** It is to be looked for again: others may have written, or what we wrote may not be there. */
  forget(): void {
    this.#running = this.#coming = undefined;
  }

  /** Mostly the last entry carries the newest link. */
  async #stored(sealedSeq: number): Promise<Running | undefined> {
    try {
      const { linkSeq, before } = await this.#newest(sealedSeq);
      const stretch = new LinkedStretch(linkSeq + 1);
      if (linkSeq < sealedSeq)
        for await (const page of this.#store.read(this.#id, { from: linkSeq + 1, through: sealedSeq }))
          for (const entry of page) stretch.add(entry);
      return { before, stretch };
    } catch (error) {
      if (!isSidecarError(error, "STORE_CORRUPT", "DECRYPT_FAILED")) return undefined;
      return this.#behindDamage(sealedSeq);
    }
  }

  /**
   * What is damaged keeps nobody from going on; `verify` names it, and where the chain begins anew. SQLite calls damage, too,
   * what a disk does not give for a moment: it is believed when entries have become final since, and it is so still.
   */
  async #behindDamage(sealedSeq: number): Promise<Running | undefined> {
    const from = this.#damagedBefore;
    this.#damageComing = from ?? sealedSeq + 1;
    if (from === undefined) return undefined;
    const stretch = new LinkedStretch(from);
    try {
      for await (const page of this.#store.read(this.#id, { from, through: sealedSeq }))
        for (const entry of page) stretch.add(entry);
    } catch {
      return undefined;
    }
    return { before: undefined, stretch };
  }

  /** A session from before there were chains begins its own with what becomes final next. */
  async #newest(sealedSeq: number): Promise<{ linkSeq: number; before: string | undefined }> {
    let withoutOne = 0;
    for await (const page of this.#backwards(sealedSeq))
      for (const entry of page.toReversed()) {
        const link = linkIn(entry);
        if (link !== undefined) return { linkSeq: entry.seq, before: link.sha256 };
        // One that was set within a turn stands in the middle of a stretch.
        if (entry.kind !== "setting" && isOwnKind(entry.kind)) withoutOne += 1;
        if (withoutOne === mostWithoutLink) return { linkSeq: sealedSeq, before: undefined };
      }
    // Its first turn may be so long that all of it was sealed before its end.
    return { linkSeq: withoutOne === 0 ? 0 : sealedSeq, before: undefined };
  }

  async *#backwards(sealedSeq: number): ReturnType<typeof pagesBackwards> {
    if (sealedSeq === 0) return;
    yield await collect(this.#store.read(this.#id, { from: sealedSeq, through: sealedSeq }));
    yield* pagesBackwards(this.#store, this.#id, sealedSeq - 1);
  }
}
