/** What a file store can say of itself in numbers. */
import type { StoreStats } from "../contract.ts";
import type { Catalogue } from "./catalogue.ts";
import type { Rotations } from "./rotations.ts";

export function figuresOf(catalogue: Catalogue, rotations: Rotations): StoreStats {
  let sessions = 0;
  let entries = 0;
  let bytes = 0;
  let segments = 0;
  let keptForForks = 0;
  for (const { known } of catalogue.files()) {
    if (known === undefined) continue;
    bytes += known.offset + known.segments.reduce((sum, segment) => sum + segment.bytes, 0);
    segments += known.segments.length;
    if (known.deleted) keptForForks += 1;
    else {
      sessions += 1;
      entries += known.headSeq - (known.facts.lineage?.atSeq ?? 0);
    }
  }
  const { done, lastFailure } = rotations;
  const unreadable = catalogue.unreadable.size;
  const details = { segments, keptForForks, unreadable, rotations: done };
  return {
    sessions,
    entries,
    bytes,
    details: lastFailure === undefined ? details : { ...details, lastRotationFailure: lastFailure },
  };
}
