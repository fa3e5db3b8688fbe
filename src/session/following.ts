/**
 * What is written to a session, by another process perhaps, as it comes: for who only reads it. What was streamed is
 * told once, also when it was folded and sealed between two looks.
 */
import { childIn, withChild } from "../acp/child-mark.ts";
import { meaningOf, plainChunkData, plainChunkIn } from "../acp/entries.ts";
import { beginsCall } from "../acp/kinds.ts";
import { isSidecarError } from "../base/errors.ts";
import type { SessionId } from "../base/ids.ts";
import type { Entry, NewEntry, SessionRecord, Store } from "../store/contract.ts";
import { foldEntries } from "./fold.ts";
import { collect } from "./pages.ts";

type Place = Pick<SessionRecord, "sealedSeq" | "headSeq">;

export class Following {
  readonly #store: Pick<Store, "read">;
  readonly #id: SessionId;
  #sealedSeq: number;
  #headSeq: number;
  /** What was told and is not final: as much as a journal keeps unsealed. */
  #told: readonly NewEntry[] = [];

  /** @param sealedSeq up to here all was told */
  constructor(store: Pick<Store, "read">, id: SessionId, sealedSeq: number) {
    [this.#store, this.#id] = [store, id];
    this.#sealedSeq = this.#headSeq = sealedSeq;
  }

  /**
   * What is new in a session that stands there. Undefined where it was sealed while that was read: then the next look
   * tells. Errors: `SESSION_NOT_FOUND`, `STORE_…`.
   */
  async take(now: Place): Promise<readonly Entry[] | undefined> {
    try {
      return await this.#take(now);
    } catch (error) {
      if (isSidecarError(error, "STORE_CONFLICT")) return undefined;
      throw error;
    }
  }

  async #take({ sealedSeq, headSeq }: Place): Promise<readonly Entry[]> {
    if (sealedSeq === this.#sealedSeq) {
      if (headSeq <= this.#headSeq) return [];
      const more = await this.#read(this.#headSeq + 1, headSeq);
      this.#told = [...this.#told, ...more];
      this.#headSeq = headSeq;
      return more;
    }
    const final = await this.#read(this.#sealedSeq + 1, sealedSeq);
    const running = headSeq > sealedSeq ? await this.#read(sealedSeq + 1, headSeq) : [];
    const fresh = untold(final, this.#told);
    this.#told = running;
    [this.#sealedSeq, this.#headSeq] = [sealedSeq, headSeq];
    return [...fresh, ...running];
  }

  #read(from: number, through: number): Promise<readonly Entry[]> {
    return from > through ? Promise.resolve([]) : collect(this.#store.read(this.#id, { from, through }));
  }
}

/** Of folded entries what is new to somebody who has been told these, which they stand for or go on after. */
export function untold(folded: readonly Entry[], told: readonly NewEntry[]): readonly Entry[] {
  const before = asFolded(folded, told);
  return folded.flatMap((entry) => {
    const known = before.get(keyOf(entry))?.shift();
    return known === undefined ? entry : (changeOf(entry, known) ?? []);
  });
}

/**
 * What was told, as it would be kept. How a compaction is folded that may have been begun before, only its writer knew: what
 * has been kept of it says so.
 */
function asFolded(folded: readonly Entry[], told: readonly NewEntry[]): Map<string, NewEntry[]> {
  const [kept, before, apart] = [folded, foldEntries(told), foldEntries(told, new Set(), "any")].map(byKey);
  for (const [key, entries] of apart ?? []) {
    const [here, there] = [kept?.get(key), before?.get(key)];
    if (sameAtFirst(entries, here) > sameAtFirst(there, here)) before?.set(key, entries);
  }
  return before ?? new Map<string, NewEntry[]>();
}

function byKey(entries: readonly NewEntry[]): Map<string, NewEntry[]> {
  const found = new Map<string, NewEntry[]>();
  for (const entry of entries) {
    const key = keyOf(entry);
    const same = found.get(key);
    if (same === undefined) found.set(key, [entry]);
    else same.push(entry);
  }
  return found;
}

function sameAtFirst(a: readonly NewEntry[] = [], b: readonly NewEntry[] = []): number {
  const first = a.findIndex(({ data }, at) => data !== b[at]?.data);
  return first < 0 ? a.length : first;
}

/** What is the same thing, whatever has been added to it; the first of them is the first one on both sides. */
function keyOf(entry: NewEntry): string {
  if (entry.kind !== "update") return entry.kind;
  const { child = "", data = entry.data } = childIn(entry.data) ?? {};
  const chunk = plainChunkIn(data);
  if (chunk !== undefined) return `${child} chunk ${chunk.sessionUpdate} ${chunk.messageId ?? ""}`;
  const meaning = meaningOf({ ...entry, data });
  switch (meaning.type) {
    case "toolCall":
      return `${child} tool ${meaning.toolCallId}`;
    case "plan":
      return `${child} plan ${meaning.planId ?? ""}`;
    case "compaction":
      return `${child} compaction ${meaning.compactionId}`;
    case "state":
      return `${child} state ${meaning.kind}`;
    default:
      return `${child} other ${data}`;
  }
}

/** The rest of a text; of what has a state its last one; undefined for what was told whole. */
function changeOf(entry: Entry, known: NewEntry): Entry | undefined {
  if (entry.kind !== "update" || entry.data === known.data) return undefined;
  const own = childIn(entry.data);
  const data = own?.data ?? entry.data;
  const [now, was] = [plainChunkIn(data), plainChunkIn(childIn(known.data)?.data ?? known.data)];
  if (now === undefined || was === undefined) return { ...entry, data: asProgress(entry.data) };
  if (!now.body.startsWith(was.body)) return entry;
  const rest = plainChunkData({ ...now, body: now.body.slice(was.body.length) });
  if (now.body.length === was.body.length) return undefined;
  return { ...entry, data: own === undefined ? rest : withChild(rest, own.child) };
}

/** A call that was told already is not announced again. */
function asProgress(data: string): string {
  const announced = /"sessionUpdate":"([^"]{1,40})"/.exec(data)?.[1];
  if (announced === undefined || !beginsCall(announced)) return data;
  return data.replace(`"sessionUpdate":"${announced}"`, '"sessionUpdate":"tool_call_update"');
}
