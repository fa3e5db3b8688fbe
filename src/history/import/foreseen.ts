/** What a dry run has said that it would bring in: a fork shares what its parent would have by then. */
import type { Entry, NewEntry } from "../../store/contract.ts";
import { keyOf } from "./mark.ts";
import type { NativeSession, Report } from "./native.ts";

/** How one that is here would go on. */
interface GoingOn {
  /** What it has. */
  readonly ours: () => AsyncIterable<readonly Entry[]>;
  /** So many entries of the original are among them. */
  readonly skip: number;
  /** The end of its last turn is, too. */
  readonly hasTail?: boolean;
  /** As an `ImportMark` has them, by then. */
  readonly tails?: readonly number[];
}

/** A session as it would be. */
export interface Foretold {
  readonly entries: () => AsyncIterable<readonly Entry[]>;
  readonly tails: readonly number[];
}

const untold: Report = () => undefined;

export class Foreseen {
  readonly #byKey = new Map<string, Foretold>();

  /** @param goingOn left out for one that would be made of the original alone */
  note(native: NativeSession, goingOn?: GoingOn): void {
    const entries = () => entriesOf(native, goingOn);
    this.#byKey.set(keyOf(native), { entries, tails: goingOn?.tails ?? [] });
  }

  /** Undefined for one that would stay as it is, and for all where something is written. */
  of(native: Pick<NativeSession, "source" | "nativeId">): Foretold | undefined {
    return this.#byKey.get(keyOf(native));
  }
}

async function* entriesOf(native: NativeSession, goingOn?: GoingOn): AsyncGenerator<readonly Entry[]> {
  let seq = 0;
  if (goingOn !== undefined)
    for await (const page of goingOn.ours()) {
      seq += page.length;
      yield page;
    }
  const numbered = (entries: readonly NewEntry[]) => entries.map((entry) => ({ ...entry, seq: (seq += 1) }));
  let left = goingOn?.skip ?? 0;
  let tail: readonly NewEntry[] = [];
  for await (const batch of native.read(untold)) {
    yield numbered(batch.entries.slice(left));
    left = Math.max(0, left - batch.entries.length);
    tail = batch.tail ?? [];
  }
  if (goingOn?.hasTail !== true) yield numbered(tail);
}
