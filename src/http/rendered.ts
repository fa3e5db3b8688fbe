/** Answers that are ready: pages of sessions that have not changed since, for whoever asks for them again. */
import { isSameJson } from "../base/json.ts";
import { RecentMap } from "../base/recent-map.ts";
import type { SessionRecord } from "../store/contract.ts";
import { Ready } from "./ready.ts";

const [mostPages, mostBytes] = [512, 64 << 10];

interface Kept {
  readonly record: SessionRecord;
  readonly ready: Ready;
}

/** Bounded by the number of pages and the size of each. */
export class Pages {
  readonly #kept = new RecentMap<string, Kept>(mostPages);

  /** The page, if the session has not changed since; who has it open does not matter. @param record as it is now */
  known(key: string, record: SessionRecord): Ready | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined || !isUnchanged(kept.record, record)) return undefined;
    return kept.ready;
  }

  /** @param record as it was when the page was made from it, and final */
  keep(key: string, record: SessionRecord, text: string): Ready {
    const ready = new Ready(text);
    if (ready.bytes <= mostBytes) this.#kept.set(key, { record, ready });
    return ready;
  }
}

function isUnchanged(before: SessionRecord, after: SessionRecord): boolean {
  if (before === after) return true;
  const [{ lease: _, ...one }, { lease: __, ...other }] = [before, after];
  return isSameJson(one, other);
}
