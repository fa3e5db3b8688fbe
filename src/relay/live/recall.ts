/**
 * What an agent replays of a session, held against the journal, from before its answer to a load or behind one to a fork
 * until the next prompt. Turns are told by what the user said in them, in their order: those of the journal are no news,
 * those behind its last one were made in the agent's own program. Nothing is held that grows with the history.
 */
import { isState, type ArrivedUpdate } from "../../acp/updates.ts";
import { Alignment } from "./alignment.ts";
import { HeldTurns } from "./held-turns.ts";
import type { KnownTurns } from "./known-turns.ts";
import { fromAgent } from "./origin.ts";
import { runOf, type UserRun } from "./user-run.ts";

/** So many turns that are passed over are known to have been, the last ones. */
const maxSkipped = 4096;

/** What is known of the agent's memory. */
export interface Memory {
  /** It does not have all of the conversation. */
  readonly lacksHistory: boolean;
  /** It has never had any of it. */
  readonly beganEmpty: boolean;
}

/** How a replay stands to the journal. */
interface Conclusion {
  readonly news: readonly ArrivedUpdate[];
  /** The agent has compacted or rewound its session, or it was changed otherwise. */
  readonly differs: boolean;
}

/**
 * `swallow`: what comes is a replay, of which only whole turns can be news. `compare`: it may be a replay, or said now.
 * `pass`: the same when the replay has ended, as far as is known.
 */
export type RecallMode = "swallow" | "compare" | "pass";

export class Recall {
  readonly #read: () => Promise<KnownTurns>;
  #mode: RecallMode;
  #known: KnownTurns | undefined;
  /** The place in the journal behind the last turn that came. */
  #next = 0;
  /** Places before that of turns that have not come: they may stand in another order here, and come later. */
  readonly #skipped = new Set<number>();
  #firstMatched: number | undefined;
  readonly #alignment = new Alignment();
  /**
   * What is said now belongs to: no turn yet, one of the journal, one that may be news, one behind the journal's end
   * with words of before that is news if its answer is, or one that is news.
   */
  #in: "none" | "known" | "held" | "repeat" | "news" = "none";
  /** The replay came behind the agent's answer, and its end is known by what came only. */
  isLate = false;
  #run: UserRun | undefined;
  readonly #held = new HeldTurns();
  /** The replay ends where the journal's last turn does. */
  #endsWhenComplete = false;
  /** How many turns have come. */
  #turns = 0;
  /** Something came before turns of the journal that is not in it. */
  #hasStrange = false;
  #hasHandover = false;

  /** @param read what the journal has; asked once, when there is something to compare */
  constructor(read: () => Promise<KnownTurns>, mode: RecallMode) {
    this.#read = read;
    this.#mode = mode;
  }

  /** Those of the updates that say something new, in their order. Calls must not overlap. */
  async news(updates: readonly ArrivedUpdate[]): Promise<ArrivedUpdate[]> {
    const news: ArrivedUpdate[] = [];
    for (const update of updates) {
      if (isState(update) && update.child === undefined) news.push(update);
      else {
        const known = (this.#known ??= await this.#read());
        for (const fresh of this.#take(known, update)) news.push(fresh);
      }
    }
    return news;
  }

  /** The replay has ended, as far as can be told: what was held is news, or is not. */
  conclude({ lacksHistory, beganEmpty }: Memory): Conclusion {
    const known = this.#known;
    if (known === undefined) {
      this.#mode = "pass";
      return { news: [], differs: false };
    }
    const early = [...this.#closeRun(known), ...this.#closeHeld(known)];
    const isRewound = this.#turns > 0 && !this.#isThrough(known);
    const differs = !lacksHistory && (isRewound || this.#isCompacted(known));
    // Where more is strange than the end, or all is, an agent may put its replay otherwise than it was said.
    const isAllStrange = this.#firstMatched === undefined && !beganEmpty;
    const isUnclear = isRewound && (isAllStrange || this.#hasStrange);
    const late = isUnclear ? [] : this.#released();
    this.#held.clear();
    this.#mode = "pass";
    if (!isRewound) this.#endsWhenComplete = true;
    if (!isRewound && !this.isLate) this.#in = "none";
    return { news: [...early, ...late], differs };
  }

  /** The next prompt comes: nothing more is to be compared. */
  rest(): ArrivedUpdate[] {
    const { news } = this.conclude({ lacksHistory: true, beganEmpty: false });
    return [...news, ...(this.#known?.tail.rest() ?? [])];
  }

  /** The beginning is missing, and something stands in its place. */
  #isCompacted(known: KnownTurns): boolean {
    if (!this.#hasStrange || this.#hasHandover || known.isCut) return false;
    return (this.#firstMatched ?? 0) > known.first && this.#turns < known.count;
  }

  #take(known: KnownTurns, update: ArrivedUpdate): ArrivedUpdate[] {
    // A subagent has no turns of the user's.
    const run = update.child === undefined ? runOf(update) : undefined;
    if (run !== undefined && this.#run?.takes(run) === true) return [];
    const news = this.#closeRun(known);
    if (run === undefined) return [...news, ...this.#inTurn(known, update)];
    this.#run = run;
    return [...news, ...known.tail.rest()];
  }

  /** Something of a turn that is not the user's. */
  #inTurn(known: KnownTurns, update: ArrivedUpdate): ArrivedUpdate[] {
    const isOver = this.#endsWhenComplete && this.#alignment.isComplete(known);
    if (this.#in === "known" && isOver) this.#in = "none";
    this.#alignment.add(update);
    if (this.#in === "news") return [fromAgent(update)];
    if (this.#in === "held" || this.#in === "repeat") return this.#hold(known, update);
    if (this.#mode === "swallow") {
      if (this.#in === "none") this.#hasStrange = true;
      return [];
    }
    // In a turn of the journal an agent is replaying, however it cuts and orders what it says: nothing of it is news.
    return this.#in === "known" ? [] : known.tail.news(update);
  }

  #hold(known: KnownTurns, update: ArrivedUpdate): ArrivedUpdate[] {
    this.#held.add(update);
    if (!this.#held.isFull) return [];
    const isNews = this.#in === "held" && this.#isThrough(known);
    const news = isNews ? this.#released() : [];
    if (!isNews) this.#hasStrange = true;
    this.#held.clear();
    this.#in = isNews ? "news" : "known";
    return news;
  }

  #released(): ArrivedUpdate[] {
    for (const key of this.#held.keys) this.#alignment.noteNews(key);
    return this.#held.release();
  }

  /** The user's words are complete: they begin turns of the journal, or others. */
  #closeRun(known: KnownTurns): ArrivedUpdate[] {
    const run = this.#run;
    this.#run = undefined;
    if (run === undefined) return [];
    const news = this.#closeHeld(known);
    if (run.hasHandover) this.#hasHandover = true;
    for (const { key, place, updates } of run.parted((some) => this.#placeOf(known, some))) {
      for (const fresh of this.#closeRepeat(known)) news.push(fresh);
      this.#turns += 1;
      this.#alignment.begin(known, key);
      if (place !== undefined) this.#match(known, place);
      else for (const fresh of this.#strange(known, key, updates)) news.push(fresh);
    }
    return news;
  }

  #placeOf(known: KnownTurns, key: string): number | undefined {
    return known.placeOf(key, this.#next) ?? known.placeAmong(this.#skipped, key);
  }

  /** A turn of the journal has come; what is held came before it, and is none that was made behind its end. */
  #match(known: KnownTurns, place: number): void {
    if (!this.#held.isEmpty) this.#noteStrangers();
    this.#held.clear();
    this.#alignment.match(known, place, this.#next, this.#firstMatched === undefined);
    this.#firstMatched ??= place;
    this.#skipped.delete(place);
    for (let passed = Math.max(this.#next, place - maxSkipped); passed < place; passed += 1)
      this.#skipped.add(passed);
    this.#next = Math.max(this.#next, place + 1);
    this.#in = "known";
  }

  #noteStrangers(): void {
    this.#hasStrange = true;
    this.#alignment.noteStrangers(this.#held.keys, this.#firstMatched !== undefined);
  }

  /** A turn that is not the next of the journal, nor behind that. */
  #strange(known: KnownTurns, key: string, updates: readonly ArrivedUpdate[]): ArrivedUpdate[] {
    if (this.#isThrough(known) && this.#alignment.mayGoOn(known, key))
      return this.#begin(known, "repeat", key, updates);
    // Words of the journal, in another order or once more: a replay of them, and nothing may be doubled for it.
    if (this.#alignment.isToldAgain(known, key)) {
      this.#in = "known";
      return [];
    }
    if (this.#mode === "pass" || this.#isThrough(known)) {
      this.#in = "news";
      this.#alignment.noteNews(key);
      return updates.map(fromAgent);
    }
    return this.#begin(known, "held", key, updates);
  }

  #begin(
    known: KnownTurns,
    what: "held" | "repeat",
    key: string,
    updates: readonly ArrivedUpdate[],
  ): ArrivedUpdate[] {
    this.#in = what;
    this.#held.begin(key);
    return updates.flatMap((update) => this.#hold(known, update));
  }

  /** A turn of words that were said before is complete: what was never answered to them is news. */
  #closeRepeat(known: KnownTurns): ArrivedUpdate[] {
    if (this.#in !== "repeat") return [];
    this.#in = "known";
    if (this.#alignment.isNew(known)) return this.#held.release();
    this.#held.clear();
    this.#alignment.noteAgain();
    return [];
  }

  /** A turn that was held is complete: it may be known by what the agent said in it. */
  #closeHeld(known: KnownTurns): ArrivedUpdate[] {
    if (this.#in === "repeat") return this.#closeRepeat(known);
    if (this.#in !== "held") return [];
    this.#in = "known";
    const place = known.placeOfAnswer(this.#alignment.said, this.#next);
    if (place !== undefined) {
      this.#held.dropLast();
      this.#match(known, place);
    } else if (this.#isThrough(known)) return this.#released();
    return [];
  }

  /** All that the agent is to remember of the journal has come. */
  #isThrough(known: KnownTurns): boolean {
    return this.#next > known.last;
  }
}
