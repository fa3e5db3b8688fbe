/**
 * Entries whose data are encrypted: `{"$enc":"GENERATION.TEXT"}`. Each is bound to the session that owns it, its `seq`,
 * kind and time, so that none can be moved, swapped or put in the place of another.
 */
import type { SessionId } from "../../base/ids.ts";
import { objectIn } from "../../base/json.ts";
import { SidecarError } from "../../base/errors.ts";
import type { Entry, EntryKind, NewEntry } from "../contract.ts";
import { packed } from "../packed-kind.ts";
import { placeholder } from "../placeholder.ts";
import { decryptFailed, Nonces, openText, sealText } from "./box.ts";
import type { Ancestors } from "./sealed-record.ts";
import type { StoreKeys } from "./store-keys.ts";

/** No store within may take a packed entry for one that it can unpack: it says here what it is. */
const outwardKind: EntryKind = "message";
const lost = placeholder(0);
const start = '{"$enc":"';
const [end, endOfPacked] = ['"}', '","kind":"packed"}'];

export class SealedEntries {
  readonly #keys: StoreKeys;
  readonly #nonces = new Nonces();

  constructor(keys: StoreKeys) {
    this.#keys = keys;
  }

  /** @param first `seq` of the first of them */
  seal(owner: SessionId, first: number, entries: readonly NewEntry[]): readonly NewEntry[] {
    const { generation } = this.#keys;
    const key = this.#keys.knownKeyOf(generation, owner);
    if (key === undefined) throw decryptFailed();
    return entries.map(({ kind, atMs, data }, i) => {
      const about = aboutEntry(owner, { seq: first + i, kind, atMs });
      const sealed = `${start}${generation}.${sealText(key, data, about, this.#nonces.next())}`;
      return kind === packed
        ? { kind: outwardKind, atMs, data: sealed + endOfPacked }
        : { kind, atMs, data: sealed + end };
    });
  }

  /** Errors: `DECRYPT_FAILED` with session and entry. */
  async open(id: SessionId, ancestors: Ancestors, page: readonly Entry[]): Promise<readonly Entry[]> {
    const opened: Entry[] = [];
    let at = 0;
    for (const entry of page) {
      // Both run forward: a fork of a fork of a fork is read in linear time, too.
      while (at < ancestors.length && entry.seq > (ancestors[at]?.[1] ?? 0)) at += 1;
      const owner = ancestors[at]?.[0] ?? id;
      try {
        // To wait for each would be a good part of what it costs.
        opened.push(this.#openNow(owner, entry) ?? (await this.#open(owner, entry)));
      } catch (error) {
        if (!(error instanceof SidecarError) || error.code !== "DECRYPT_FAILED") throw error;
        const { message } = decryptFailed(`Entry ${entry.seq} of session ${id}`);
        throw new SidecarError("DECRYPT_FAILED", message, { data: { sessionId: id, seq: entry.seq } });
      }
    }
    return opened;
  }

  /** Once the key that it is encrypted with has been looked for. */
  async #open(owner: SessionId, entry: Entry): Promise<Entry> {
    await this.#keys.keyOf(envelopeIn(entry).generation, owner);
    const opened = this.#openNow(owner, entry);
    if (opened === undefined) throw decryptFailed();
    return opened;
  }

  /** Undefined where the key is not known yet. */
  #openNow(owner: SessionId, entry: Entry): Entry | undefined {
    // What a repair puts in the place of a lost entry says nothing but that.
    if (entry.kind === lost.kind && entry.data === lost.data) return entry;
    const { kind, generation, sealed } = envelopeIn(entry);
    const key = this.#keys.knownKeyOf(generation, owner);
    if (key === undefined) return undefined;
    const { seq, atMs } = entry;
    return { seq, kind, atMs, data: openText(key, sealed, aboutEntry(owner, { seq, kind, atMs })) };
  }
}

/** Taken apart as it is written; a store may write JSON its own way. */
function envelopeIn({ kind: outward, data }: Entry) {
  const isPacked = data.endsWith(endOfPacked);
  const last = data.length - (isPacked ? endOfPacked : end).length;
  const dot = data.indexOf(".", start.length);
  if (data.startsWith(start) && dot > 0 && dot < start.length + 10)
    return {
      kind: isPacked ? packed : outward,
      generation: Number(data.slice(start.length, dot)),
      sealed: data.slice(dot + 1, last),
    };
  const { $enc: text, kind } = objectIn(data) ?? {};
  const [, generation, sealed = ""] =
    (typeof text === "string" ? /^(\d{1,9})\.([^]*)$/.exec(text) : null) ?? [];
  if (generation === undefined) throw decryptFailed();
  return { kind: kind === "packed" ? packed : outward, generation: Number(generation), sealed };
}

function aboutEntry(owner: SessionId, { seq, kind, atMs }: Omit<Entry, "data">): string {
  return `entry ${owner} ${seq} ${kind} ${atMs}`;
}
