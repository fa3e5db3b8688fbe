/**
 * What an agent replays of a session, held against the journal, from before its answer to a load or behind one to a fork
 * until the next prompt. Turns are told by what the user said in them, in their order: those of the journal are no news,
 * those behind its last one were made in the agent's own program. Nothing is held that grows with the history.
 */
import { unquoted } from "../../acp/entries.ts";
import { charsOf, isState, updateIn, type ArrivedUpdate } from "../../acp/updates.ts";
import type { Json } from "../../base/json.ts";
import type { KnownTurns } from "./known-turns.ts";
import { fromAgent } from "./origin.ts";
import { runOf, type UserRun } from "./user-run.ts";
import { Digest, partOf } from "./words.ts";

/** Of turns that may be news no more than this is held. */
const maxHeldChars = 4 << 20;

/** So many turns that are passed over are known to have been, the last ones. */
const maxSkipped = 4096;
/** So many turns that were news are known, if the agent replays them once more. */
const maxTold = 4096;

/** A turn that may be news. */
interface Candidate {
  readonly key: string;
  readonly updates: ArrivedUpdate[];
  readonly said: Digest;
}

/** What is known of the agent's memory. */
export interface Memory {
  /** It does not have all of the conversation. */
  readonly lacksHistory: boolean;
  /** It has never had any of it. */
  readonly beganEmpty: boolean;
}

/** How a replay stands to the journal. */
export interface Conclusion {
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
  /** What the user said in turns that were news, and whether the agent has begun its replay once more since. */
  readonly #told = new Set<string>();
  #isAgain = false;
  /** What is said now belongs to: no turn yet, one of the journal, one that may be news, or one that is. */
  #in: "none" | "known" | "held" | "news" = "none";
  #run: UserRun | undefined;
  #held: Candidate[] = [];
  #heldChars = 0;
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
    this.#discard();
    this.#mode = "pass";
    if (!isRewound) this.#in = "none";
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
    if (this.#in === "news") return [fromAgent(update)];
    if (this.#in === "held") return this.#hold(known, update);
    if (this.#mode === "swallow") {
      if (this.#in === "none") this.#hasStrange = true;
      return [];
    }
    // In a turn of the journal an agent is replaying, however it cuts and orders what it says: nothing of it is news.
    return this.#in === "known" ? [] : known.tail.news(update);
  }

  #hold(known: KnownTurns, update: ArrivedUpdate): ArrivedUpdate[] {
    const held = this.#held.at(-1);
    held?.updates.push(update);
    held?.said.add(answerIn(update));
    this.#heldChars += charsOf(update);
    if (this.#heldChars <= maxHeldChars) return [];
    const isNews = this.#isThrough(known);
    const news = isNews ? this.#released() : [];
    if (!isNews) this.#hasStrange = true;
    this.#discard();
    this.#in = isNews ? "news" : "known";
    return news;
  }

  #noteTold(key: string): void {
    if (this.#told.size < maxTold) this.#told.add(key);
  }

  #released(): ArrivedUpdate[] {
    for (const { key } of this.#held) this.#noteTold(key);
    return this.#held.flatMap(({ updates }) => updates.map(fromAgent));
  }

  #discard(): void {
    this.#held = [];
    this.#heldChars = 0;
  }

  /** The user's words are complete: they begin turns of the journal, or others. */
  #closeRun(known: KnownTurns): ArrivedUpdate[] {
    const run = this.#run;
    this.#run = undefined;
    if (run === undefined) return [];
    const news = this.#closeHeld(known);
    if (run.hasHandover) this.#hasHandover = true;
    for (const { key, place, updates } of run.parted((some) => this.#placeOf(known, some))) {
      this.#turns += 1;
      if (place !== undefined) this.#match(place);
      else for (const fresh of this.#strange(known, key, updates)) news.push(fresh);
    }
    return news;
  }

  #placeOf(known: KnownTurns, key: string): number | undefined {
    return known.placeOf(key, this.#next) ?? known.placeAmong(this.#skipped, key);
  }

  /** A turn of the journal has come; what is held came before it, and is none that was made behind its end. */
  #match(place: number): void {
    if (this.#held.length > 0) this.#hasStrange = true;
    this.#discard();
    this.#firstMatched ??= place;
    this.#skipped.delete(place);
    for (let passed = Math.max(this.#next, place - maxSkipped); passed < place; passed += 1)
      this.#skipped.add(passed);
    this.#next = Math.max(this.#next, place + 1);
    this.#in = "known";
  }

  /** A turn that is not the next of the journal, nor behind that. */
  #strange(known: KnownTurns, key: string, updates: readonly ArrivedUpdate[]): ArrivedUpdate[] {
    // Words of the journal, in another order or once more: a replay of them, and nothing may be doubled for it.
    const isOfJournal = known.placeOf(key, 0) !== undefined;
    if (isOfJournal) this.#isAgain = true;
    if (isOfJournal || (this.#isAgain && this.#told.has(key))) {
      this.#in = "known";
      return [];
    }
    if (this.#mode === "pass" || this.#isThrough(known)) {
      this.#in = "news";
      this.#noteTold(key);
      return updates.map(fromAgent);
    }
    this.#in = "held";
    this.#held.push({ key, updates: [], said: new Digest() });
    return updates.flatMap((update) => this.#hold(known, update));
  }

  /** A turn that was held is complete: it may be known by what the agent said in it. */
  #closeHeld(known: KnownTurns): ArrivedUpdate[] {
    const held = this.#held.at(-1);
    if (this.#in !== "held" || held === undefined) return [];
    this.#in = "known";
    const place = known.placeOfAnswer(held.said, this.#next);
    if (place !== undefined) this.#held.pop();
    if (place !== undefined) this.#match(place);
    else if (this.#isThrough(known)) {
      const news = this.#released();
      this.#discard();
      return news;
    }
    return [];
  }

  /** All that the agent is to remember of the journal has come. */
  #isThrough(known: KnownTurns): boolean {
    return this.#next > known.last;
  }
}

/** What the agent says to the user in an update. */
function answerIn(update: ArrivedUpdate): string {
  if (update.child !== undefined) return "";
  if (update.type === "chunks")
    return update.shape.sessionUpdate === "agent_message_chunk" ? unquoted(update.bodies.join("")) : "";
  if (update.sessionUpdate !== "agent_message_chunk") return "";
  return partOf(updateIn(update).content as Json).text ?? "";
}
