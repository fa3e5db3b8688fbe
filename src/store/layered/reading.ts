/** A read that goes through the layers: as far as a copy is right from the faster one, then from the next. */
import { isSidecarError } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import type { KeyedQueue } from "../../base/queue.ts";
import { sessionNotFound } from "../refusals.ts";
import { checkReadOn } from "../rules.ts";
import type { Entry, EntryRange, SessionRecord, Store } from "../contract.ts";
import type { FasterLayer } from "./faster-layer.ts";

export interface Places {
  readonly faster: readonly FasterLayer[];
  readonly truth: Store;
  readonly order: KeyedQueue<SessionId>;
}

/** `record` is what the truth says of the session now. */
export async function* readLayers(
  places: Places,
  record: SessionRecord,
  range: Required<EntryRange>,
): AsyncGenerator<readonly Entry[]> {
  const { id, sealedSeq } = record;
  const through = Math.min(range.through, record.headSeq);
  const first = range.from;
  let next = first;
  const gaveRunning = () => next > first && next - 1 > sealedSeq;
  for (const [i, layer] of places.faster.entries()) {
    const right = Math.min(through, layer.readableThrough(record));
    if (right < next) continue;
    try {
      for await (const page of layer.store.read(id, { from: next, through: right })) {
        yield page;
        next = (page.at(-1)?.seq ?? next) + 1;
        await fill(places, i, record, page);
      }
    } catch (error) {
      const isConflict = isSidecarError(error, "STORE_CONFLICT");
      if (isConflict && gaveRunning()) throw error;
      // What was given out is final: only the copy takes it for something that may change.
      if (!isConflict) layer.failed(id, error);
    }
  }
  if (next > through) return;
  if (gaveRunning()) {
    const now = await places.truth.get(id);
    if (now === undefined) throw sessionNotFound(id);
    checkReadOn(id, { sealedSeq, given: next - 1 }, now.sealedSeq);
  }
  for await (const page of places.truth.read(id, { from: next, through })) {
    yield page;
    await fill(places, places.faster.length, record, page);
  }
}

/** Gives what is final of a page to the layers before `end`. */
async function fill(
  { faster, order }: Places,
  end: number,
  { id, sealedSeq }: SessionRecord,
  page: readonly Entry[],
): Promise<void> {
  const final = (page.at(-1)?.seq ?? 0) <= sealedSeq ? page : page.filter(({ seq }) => seq <= sealedSeq);
  if (final.length === 0) return;
  for (const layer of faster.slice(0, end)) {
    if (layer.wants(id, final)) await order.run(id, () => layer.fill(id, final));
  }
}
