/**
 * How the turns that an agent replays lie along those of the journal. Words that were said before, and are replayed
 * behind the journal's end, are new only where all before them has come in its order, the last turn to the letter, and
 * what was answered to them was never answered before.
 */
import { unquoted } from "../../acp/entries.ts";
import { updateIn, type ArrivedUpdate } from "../../acp/updates.ts";
import type { Json } from "../../base/json.ts";
import type { KnownTurns } from "./known-turns.ts";
import { Digest, partOf } from "./words.ts";

/** So many of the turns that came are told when they come again. */
const maxCame = 4096;
/** So much of the first turn's answer is known to the letter: another replay of it may be cut off anywhere. */
const maxOpeningChars = 4096;

interface CameTurn {
  readonly key: string;
  /** Where it stands in the journal, if it does. */
  place: number | undefined;
  readonly said: Digest;
  readonly calls: Digest;
  opening: string;
}

export class Alignment {
  /** Nothing came that the journal has in another order, or not between its turns. */
  #isOrdered = true;
  /** The journal's last turn came as the journal has it. */
  #isAnchored = false;
  #first: CameTurn | undefined;
  #turn: CameTurn | undefined;
  readonly #came = new Set<string>();
  /** What the user said in turns that were news, or that stood in the place of turns of the journal, as a summary does. */
  readonly #news = new Set<string>();
  readonly #strangers = new Set<string>();
  /** The agent has begun its replay once more, or puts it in an order of its own. */
  #isAgain = false;

  /** The next turn begins. */
  begin(known: KnownTurns, key: string): void {
    this.#close(known);
    const turn = { key, place: undefined, said: new Digest(), calls: new Digest(), opening: "" };
    this.#first ??= turn;
    this.#turn = turn;
  }

  /** Something that is not the user's is said in it. */
  add(update: ArrivedUpdate): void {
    const turn = this.#turn;
    if (turn === undefined || update.child !== undefined) return;
    const answer = answerIn(update);
    turn.said.add(answer);
    if (turn.opening.length < maxOpeningChars)
      turn.opening = `${turn.opening}${squeezed(answer.slice(0, maxOpeningChars))}`.slice(0, maxOpeningChars);
    const toolCallId = update.type === "update" ? updateIn(update)["toolCallId"] : undefined;
    if (typeof toolCallId === "string") turn.calls.add(toolCallId);
  }

  /** It is a turn of the journal, behind `next` of its turns that came or were left out. */
  match(known: KnownTurns, place: number, next: number, isFirst: boolean): void {
    if (this.#turn !== undefined) this.#turn.place = place;
    if (place < next || (!isFirst && known.countsBetween(next, place))) this.#isOrdered = false;
  }

  noteNews(key: string): void {
    if (this.#news.size < maxCame) this.#news.add(key);
  }

  /** @param isBetween they stood between turns of the journal */
  noteStrangers(keys: readonly string[], isBetween: boolean): void {
    if (isBetween) this.#isOrdered = false;
    for (const key of keys) if (this.#strangers.size < maxCame) this.#strangers.add(key);
  }

  /** From here on nothing is told by its place. */
  noteAgain(): void {
    this.#isAgain = true;
    this.#isOrdered = false;
  }

  /** Words that were told before, by the journal or by this replay, or that the agent is not to have yet. */
  isToldAgain(known: KnownTurns, key: string): boolean {
    if (known.isOnItsWay(key)) return true;
    if (known.placeOf(key, 0) !== undefined || this.#strangers.has(key)) this.noteAgain();
    else return this.#isAgain && this.#news.has(key);
    return true;
  }

  /** What the agent has said in the turn that is open. */
  get said(): Digest {
    return this.#turn?.said ?? new Digest();
  }

  /** The turn that is open is the journal's last, and all that the journal has of it was said. */
  isComplete(known: KnownTurns): boolean {
    const place = this.#turn?.place ?? -1;
    return place >= 0 && place >= known.last && known.saidIn(place) === this.said.result;
  }

  /** These words of the journal may begin a new turn here. */
  mayGoOn(known: KnownTurns, key: string): boolean {
    if (!known.isPlain || !this.#isOrdered || !this.#isAnchored || known.isOnItsWay(key)) return false;
    return known.placeOf(key, 0) !== undefined;
  }

  /** Whether the turn that is open, of known words, was never told: neither by the journal nor in this replay. */
  isNew(known: KnownTurns): boolean {
    const turn = this.#turn;
    if (turn === undefined || turn.said.chars === 0) return false;
    if (known.hasAnswer(turn.key, turn.said) || this.#came.has(nameOf(turn))) return false;
    // Another replay may be cut off in its first turn.
    return turn.key !== this.#first?.key || !this.#first.opening.startsWith(turn.opening);
  }

  #close(known: KnownTurns): void {
    const turn = this.#turn;
    if (turn === undefined) return;
    if (turn.place !== undefined) this.#isAnchored = turn.said.chars > 0 && this.isComplete(known);
    if (this.#came.size < maxCame) this.#came.add(nameOf(turn));
  }
}

function nameOf({ key, said, calls }: CameTurn): string {
  return `${key} ${said.result} ${calls.result}`;
}

function squeezed(text: string): string {
  return text.replace(/\s+/g, "");
}

/** What the agent says to the user in an update. */
function answerIn(update: ArrivedUpdate): string {
  if (update.child !== undefined) return "";
  if (update.type === "chunks")
    return update.shape.sessionUpdate === "agent_message_chunk" ? unquoted(update.bodies.join("")) : "";
  if (update.sessionUpdate !== "agent_message_chunk") return "";
  return partOf(updateIn(update).content as Json).text ?? "";
}
