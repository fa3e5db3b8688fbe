/**
 * What the journal holds of a session, for comparison with what an agent replays: the newest turns as digests of what
 * was said, and the end of the conversation to the letter. Bounded, however long the history is.
 */
import { childIn } from "../../acp/child-mark.ts";
import { isOwn } from "../../acp/own-mark.ts";
import { meaningOf, plainChunkIn, unquoted, type TurnEnd } from "../../acp/entries.ts";
import { updateKindOf } from "../../acp/kinds.ts";
import { isRecord, type Json } from "../../base/json.ts";
import { Echo } from "../../session/echo.ts";
import type { Entry } from "../../store/contract.ts";
import { Tail } from "./tail.ts";
import { Digest, isCommand, keysOf, mayBeginOf, partOf, type Part, type Said } from "./words.ts";

/** So many turns are known, the newest. */
const maxTurns = 4096;
/** What has less text may be said twice by chance. */
const minSaidChars = 20;

interface KnownTurn {
  readonly keys: readonly string[];
  readonly said: Said;
  /** An agent that remembers the session remembers it: it ended well. */
  readonly counts: boolean;
}

/** A turn that is being read. */
interface OpenTurn {
  readonly parts: Part[];
  readonly said: Digest;
  counts: boolean;
  /** Chunks of the user's that follow on one another; undefined when something else came between. */
  run: { readonly messageId: string | undefined } | undefined;
}

export class KnownTurns {
  /** The end of the conversation: the last turn, to the letter. */
  tail = new Tail();
  /** How many there are; their places count from 0. */
  count = 0;
  /** The places of the last and the first that counts; -1 for none. */
  last = -1;
  first = -1;
  readonly #turns = new Map<number, KnownTurn>();
  /** Places by what was said by the user, and by the agent. */
  readonly #places = new Map<string, number[]>();
  #isCut = false;
  #isPlain = true;
  #awaitsEnd = false;
  /** What the user says in prompts that the agent has not had yet, or may have had and not answered. */
  readonly #onTheirWay = new Set<string>();
  #open: OpenTurn | undefined;
  #echo: Echo | undefined;

  /** @param through of prompts behind it nothing is known but that they are on their way */
  static async in(pages: AsyncIterable<readonly Entry[]>, through = Infinity): Promise<KnownTurns> {
    const known = new KnownTurns();
    for await (const page of pages) {
      if ((page[0]?.seq ?? 1) > 1 && known.count === 0) known.#isCut = true;
      for (const entry of page) {
        if (entry.seq <= through) known.#take(entry);
        else known.#await(entry);
      }
    }
    known.#close();
    if (known.#awaitsEnd) known.#isPlain = false;
    return known;
  }

  /** Whether some are too old to be known. */
  get isCut(): boolean {
    return this.#isCut || this.count > maxTurns;
  }

  /**
   * Every prompt was answered well before the next one came. Where they overlapped or were cut off, the journal may have
   * under one prompt what the agent has under another.
   */
  get isPlain(): boolean {
    return this.#isPlain;
  }

  isOnItsWay(key: string): boolean {
    return this.#onTheirWay.has(key);
  }

  /** The place of the first turn from `from` on that the user began with these words. */
  placeOf(key: string, from: number): number | undefined {
    return this.#firstFrom(`user ${key}`, from);
  }

  /** The place of one of these turns, if the user began it with these words. */
  placeAmong(places: ReadonlySet<number>, key: string): number | undefined {
    if (places.size === 0) return undefined;
    return this.#places.get(`user ${key}`)?.find((place) => places.has(place));
  }

  /** What the agent said in the turn of that place, as a digest. */
  saidIn(place: number): string | undefined {
    return this.#turns.get(place)?.said.result;
  }

  /** Whether a turn that the user began with these words may have had this answer, or one that goes on from it. */
  hasAnswer(key: string, said: Digest): boolean {
    const { kept } = said;
    const places = this.#places.get(`user ${key}`) ?? [];
    return places.some((place) => mayBeginOf(kept, this.#turns.get(place)?.said));
  }

  /** Whether a turn that counts stands from `from` on, before `to`. */
  countsBetween(from: number, to: number): boolean {
    for (let place = Math.max(from, to - maxTurns); place < to; place += 1)
      if (this.#turns.get(place)?.counts === true) return true;
    return false;
  }

  /** The same by what the agent said. */
  placeOfAnswer(said: Digest, from: number): number | undefined {
    return said.chars < minSaidChars ? undefined : this.#firstFrom(`agent ${said.result}`, from);
  }

  #firstFrom(key: string, from: number): number | undefined {
    const places = this.#places.get(key) ?? [];
    let [low, high] = [0, places.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((places[middle] ?? 0) < from) low = middle + 1;
      else high = middle;
    }
    return places[low];
  }

  #await(entry: Entry): void {
    if (isOwn(entry)) return;
    const meaning = entry.kind === "prompt" ? meaningOf(entry) : undefined;
    if (meaning?.type !== "prompt") return;
    for (const key of keysOf(meaning.content.map(partOf))) this.#onTheirWay.add(key);
  }

  #take(entry: Entry): void {
    // The agent knows nothing of it.
    if (isOwn(entry)) return;
    const kind = entry.kind === "update" ? updateKindOf(entry.data) : "";
    const chunk = kind === "agent_message_chunk" ? plainChunkIn(entry.data) : undefined;
    if (chunk !== undefined) return this.#say(unquoted(chunk.body));
    if (entry.kind === "update" && childIn(entry.data) !== undefined) return this.#noteChild(entry);
    if (entry.kind !== "update") this.#takeOther(entry);
    else if (kind === "user_message_chunk") this.#hear(entry);
    else this.#note(entry);
  }

  #takeOther(entry: Entry): void {
    const meaning = meaningOf(entry);
    if (meaning.type === "prompt") {
      if (this.#awaitsEnd) this.#isPlain = false;
      this.#awaitsEnd = true;
      this.#begin(meaning.content, !isCommand(meaning.content));
      this.#echo = new Echo(meaning.content);
    } else if (meaning.type === "message") {
      if (meaning.role === "user") this.#begin(meaning.content, false);
      else this.#say(meaning.content.map((each) => partOf(each).text ?? "").join(""));
    } else if (meaning.type === "end") {
      this.#awaitsEnd = false;
      if (!isGoodEnd(meaning.end)) {
        this.#isPlain = false;
        if (this.#open !== undefined) this.#open.counts = false;
      }
      this.#echo = undefined;
    }
  }

  /** The user's words as an agent told them: an echo, or a turn that came in by a replay. */
  #hear(entry: Entry): void {
    const meaning = meaningOf(entry);
    if (meaning.type !== "chunk" || this.#echo?.hears(meaning.content) === true) return;
    const { messageId, content } = meaning;
    const run = this.#open?.run;
    if (run !== undefined && run.messageId === messageId) this.#open?.parts.push(partOf(content));
    else {
      this.#begin([content], true);
      if (this.#open !== undefined) this.#open.run = { messageId };
    }
  }

  #begin(content: readonly Json[], counts: boolean): void {
    this.#close();
    this.#open = { parts: content.map(partOf), said: new Digest(), counts, run: undefined };
    this.tail = new Tail();
  }

  #say(text: string): void {
    this.#open?.said.add(text);
    this.tail.note("agent_message_chunk", text);
    if (this.#open !== undefined) this.#open.run = undefined;
  }

  #note(entry: Entry): void {
    const meaning = meaningOf(entry);
    if (meaning.type === "state") return;
    if (meaning.type === "chunk" && meaning.role === "assistant")
      this.#open?.said.add(partOf(meaning.content).text ?? "");
    const update = "data" in meaning ? meaning.data.update : unknownIn(entry.data);
    if (update !== undefined) this.tail.noteUpdate(update);
    if (this.#open !== undefined) this.#open.run = undefined;
  }

  #noteChild(entry: Entry): void {
    const meaning = meaningOf(entry);
    if (meaning.type === "child") this.tail.noteChild(meaning.data.update);
  }

  #close(): void {
    if (this.#open === undefined) return;
    const { parts, said, counts } = this.#open;
    this.#open = undefined;
    const place = this.count;
    this.count += 1;
    const turn = { keys: keysOf(parts), said: said.kept, counts };
    this.#turns.set(place, turn);
    for (const key of turn.keys) this.#add(`user ${key}`, place);
    this.#add(`agent ${turn.said.result}`, place);
    if (counts) this.last = place;
    if (counts && this.first < 0) this.first = place;
    this.#forget(place - maxTurns);
  }

  #add(key: string, place: number): void {
    const places = this.#places.get(key);
    if (places === undefined) this.#places.set(key, [place]);
    else places.push(place);
  }

  #forget(place: number): void {
    const turn = this.#turns.get(place);
    if (turn === undefined) return;
    this.#turns.delete(place);
    for (const key of [...turn.keys.map((each) => `user ${each}`), `agent ${turn.said.result}`]) {
      const places = this.#places.get(key) ?? [];
      if (places.length <= 1) this.#places.delete(key);
      else places.shift();
    }
  }
}

/** An update of a kind that we do not know. */
function unknownIn(data: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const { update } = JSON.parse(data) as { readonly update?: unknown };
    return isRecord(update) ? update : undefined;
  } catch {
    return undefined;
  }
}

/** What agents leave out of their memory: turns that failed or were stopped. */
function isGoodEnd({ stopReason, error, interrupted }: TurnEnd): boolean {
  return error === undefined && !interrupted && stopReason !== "cancelled" && stopReason !== "refusal";
}
