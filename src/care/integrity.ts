/** Whether sessions are what they were when the links of their chains were made, told apart from what a medium has lost. */
import { ChainCheck, type ChainReport, type Checking } from "../session/chain-check.ts";
import type { ChainEvent } from "../session/chain-events.ts";
import type { SessionId } from "../base/ids.ts";
import type { Entry, Store } from "../store/contract.ts";
import type { Damage } from "./damage.ts";

export interface Integrity {
  /** Sessions with a chain, and those without: from before there were chains, or no turn of theirs has ended. */
  readonly linked: number;
  readonly unlinked: number;
  /** The first entry, or stretch, of each session that is not what it was when it was linked. */
  readonly changed: readonly Damage[];
  /** What was done to entries and is no damage. */
  readonly events: readonly (ChainEvent & { readonly sessionId: SessionId })[];
  /** Events that are not told, because there are more than anybody would read. */
  readonly moreEvents: number;
}

const mostEvents = 1000;

/** Checks the chain of a session while its entries are read for something else. */
export class ChainReading {
  readonly #check: ChainCheck;
  readonly #store: Pick<Store, "read">;
  readonly #id: SessionId;

  constructor(store: Pick<Store, "read">, id: SessionId, checking?: Checking) {
    [this.#store, this.#id, this.#check] = [store, id, new ChainCheck(checking)];
  }

  get report(): ChainReport {
    return this.#check.report;
  }

  async take(page: readonly Entry[]): Promise<void> {
    for (const entry of page) {
      const from = this.#check.take(entry);
      if (from === undefined) continue;
      for await (const again of this.#store.read(this.#id, { from, through: entry.seq }))
        for (const each of again) this.#check.take(each);
    }
  }
}

/** Sums up what was found in sessions, one after the other. */
export class IntegritySum {
  #linked = 0;
  #unlinked = 0;
  readonly #changed: Damage[] = [];
  readonly #events: Integrity["events"][number][] = [];
  #moreEvents = 0;

  add(sessionId: SessionId, { linked, events, damage }: ChainReport): void {
    if (linked === undefined && damage === undefined) this.#unlinked += 1;
    else this.#linked += 1;
    for (const event of events)
      if (this.#events.length < mostEvents) this.#events.push({ sessionId, ...event });
      else this.#moreEvents += 1;
    if (damage === undefined) return;
    const { problem, ...entries } = damage;
    this.#changed.push({ sessionId, entries, problem });
  }

  get sum(): Integrity {
    return {
      linked: this.#linked,
      unlinked: this.#unlinked,
      changed: this.#changed,
      events: this.#events,
      moreEvents: this.#moreEvents,
    };
  }
}
