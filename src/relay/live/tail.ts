/** The last turn of a conversation to the letter, as far as it is bounded: whether what an agent says is a part of it. */
import { addUpdate, updateIn, type ArrivedUpdate } from "../../acp/updates.ts";
import { unquoted } from "../../acp/entries.ts";
import { isRecord } from "../../base/json.ts";
import { digestOf } from "./words.ts";

/** So much text is held; what comes beyond it takes the place of all before. */
const maxChars = 1 << 20;
/** So many messages, tool calls and other things are known. */
const maxThings = 1000;

/** What one side said: all of it as one text, and where each of its messages begins. */
interface Said {
  text: string;
  starts: number[];
}

/** A message that is being said: a part of what is known, as long as there are candidates. */
interface Open {
  readonly kind: string;
  /** Where it may have begun. */
  candidates: readonly number[];
  chars: number;
  /** What was taken for a part of a known message and may turn out to be another that begins like it. */
  held: ArrivedUpdate[];
}

export class Tail {
  /** By kind of chunk. */
  readonly #said: Map<string, Said>;
  readonly #others: Set<string>;
  #open: Open | undefined;
  /** What subagents said, whichever: a fork calls them otherwise. And what each is saying. */
  #ofChildren: Tail | undefined;
  readonly #children = new Map<string, Tail>();

  /** @param known what it knows is known here */
  constructor(known?: Tail) {
    this.#said = known === undefined ? new Map<string, Said>() : known.#said;
    this.#others = known === undefined ? new Set<string>() : known.#others;
  }

  /** A message of the journal, or a part of one. */
  note(kind: string, text: string): void {
    const said = this.#said.get(kind) ?? { text: "", starts: [] };
    this.#said.set(kind, said);
    if (said.text.length + text.length > maxChars) [said.text, said.starts] = ["", []];
    said.starts.push(said.text.length);
    if (said.starts.length > maxThings) said.starts.shift();
    said.text += text.slice(-maxChars);
  }

  /** Any other update of the journal. */
  noteUpdate(update: Readonly<Record<string, unknown>>): void {
    const { kind, text, keys } = gistOf(update);
    if (text !== undefined) return this.note(kind, text);
    for (const key of keys) this.#others.add(key);
    for (const key of this.#others) {
      if (this.#others.size <= maxThings) break;
      this.#others.delete(key);
    }
  }

  /** An update of a subagent's, in the journal. */
  noteChild(update: Readonly<Record<string, unknown>>): void {
    this.#ofChildren ??= new Tail();
    this.#ofChildren.noteUpdate(update);
  }

  /** Those of the updates that are no part of it; those that may be one are held until it is clear. */
  news(update: ArrivedUpdate): ArrivedUpdate[] {
    return (this.#ofChild(update) ?? this).#newsIn(update);
  }

  #ofChild({ child }: ArrivedUpdate): Tail | undefined {
    if (child === undefined) return undefined;
    const own = this.#children.get(child) ?? new Tail((this.#ofChildren ??= new Tail()));
    this.#children.set(child, own);
    return own;
  }

  #newsIn(update: ArrivedUpdate): ArrivedUpdate[] {
    const news: ArrivedUpdate[] = [];
    for (const each of singly(update)) for (const fresh of this.#newIn(each)) addUpdate(news, fresh);
    return news;
  }

  /** Nothing more is said: what is only the beginning of a known message is another one. */
  rest(): ArrivedUpdate[] {
    return [this, ...this.#children.values()].flatMap((tail) => tail.#ownRest());
  }

  #ownRest(): ArrivedUpdate[] {
    const held = this.#open?.held ?? [];
    this.#open = undefined;
    return held;
  }

  #newIn(update: ArrivedUpdate): ArrivedUpdate[] {
    const { kind, text, keys } = gistOfArrived(update);
    if (text === undefined) {
      const isKnown = keys.every((key) => this.#others.has(key));
      return isKnown ? this.#ownRest() : [...this.#ownRest(), update];
    }
    const before = this.#open?.kind === kind ? [] : this.#ownRest();
    const open = this.#open;
    if (open !== undefined) return this.#goesOn(open, text, update);
    return [...before, ...this.#begins(kind, text, update)];
  }

  #begins(kind: string, text: string, update: ArrivedUpdate): ArrivedUpdate[] {
    const { starts, text: all } = this.#said.get(kind) ?? { starts: [], text: "" };
    const candidates = starts.filter((start) => all.startsWith(text, start));
    this.#open = { kind, candidates, chars: text.length, held: [] };
    if (candidates.length === 0) return [update];
    this.#hold(this.#open, update);
    return [];
  }

  #goesOn(open: Open, text: string, update: ArrivedUpdate): ArrivedUpdate[] {
    const all = this.#said.get(open.kind)?.text ?? "";
    const { candidates } = open;
    open.candidates = candidates.filter((start) => all.startsWith(text, start + open.chars));
    if (open.candidates.length > 0) {
      open.chars += text.length;
      this.#hold(open, update);
      return [];
    }
    // All that was said before was whole: another message may begin here.
    if (candidates.length > 0 && open.held.length === 0) return this.#begins(open.kind, text, update);
    const held = open.held.splice(0);
    return [...held, update];
  }

  /** Held as long as it ends in the middle of what is known. */
  #hold(open: Open, update: ArrivedUpdate): void {
    const { text, starts } = this.#said.get(open.kind) ?? { text: "", starts: [] };
    const ends = open.candidates.map((start) => start + open.chars);
    if (ends.some((end) => end === text.length || starts.includes(end))) open.held = [];
    else open.held.push(update);
  }
}

/** Chunks one by one. */
function* singly(update: ArrivedUpdate): Generator<ArrivedUpdate> {
  if (update.type === "update") yield update;
  else for (const body of update.bodies) yield { ...update, bodies: [body], chars: body.length };
}

interface Gist {
  readonly kind: string;
  /** Of a text chunk. */
  readonly text?: string;
  /** Of all else: all that makes it known. */
  readonly keys: readonly string[];
}

function gistOfArrived(update: ArrivedUpdate): Gist {
  if (update.type === "update") return gistOf(updateIn(update), true);
  return { kind: update.shape.sessionUpdate, text: unquoted(update.bodies.join("")), keys: [] };
}

/** @param asks what must be known for it to be no news; else what is known with it */
function gistOf(update: Readonly<Record<string, unknown>>, asks = false): Gist {
  // Which sessions it names does not matter: a fork calls them otherwise.
  const { sessionId: _, senderSessionId: _s, recipientSessionId: _r, ...known } = update;
  const { sessionUpdate, content, toolCallId, status } = known;
  const kind = String(sessionUpdate);
  if (isRecord(content) && content.type === "text" && typeof content.text === "string")
    return { kind, text: content.text, keys: [] };
  // Plans are replaced by the next one: an earlier one is no news whatever it says.
  if (kind === "plan") return { kind, keys: [kind] };
  if (typeof toolCallId !== "string")
    return { kind, keys: [`${kind} ${digestOf(textOf(content ?? known))}`] };
  // Whatever is said of a call on its way is known with the call; how it ended is not.
  const call = `tool ${toolCallId}`;
  const end = status === "completed" || status === "failed" ? [`${call} ${status}`] : [];
  return { kind, keys: asks && end.length > 0 ? end : [call, ...end] };
}

/** What is nested too deep to be written is known by its kind alone. */
function textOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return "";
  }
}
