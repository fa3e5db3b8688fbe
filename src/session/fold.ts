/**
 * Folding: what a turn streamed, as it is kept. Chunks become whole messages where they first appeared, a tool call
 * stands once in its final state, a plan in its last form, and of what is state (commands, mode, options, usage,
 * title) only the last value remains. Only what is known to be joinable is joined: an entry with a field or a form that
 * we do not know stays as it came, in its place, and so does one with `_meta`, unless the one before said the same facts
 * to the letter. What is joined is joined as text, so that every value
 * stays to the letter, however large a number is or however deep an output.
 */
import { childIn, withChild } from "../acp/child-mark.ts";
import { meaningOf, plainChunkIn, type Meaning, type PlainChunk } from "../acp/entries.ts";
import { beginsCall } from "../acp/kinds.ts";
import { lastHeardIn, saidIn, withoutLastHeard } from "../acp/last-heard.ts";
import { shallowMeaningOf } from "../acp/shallow.ts";
import type { NewEntry } from "../store/contract.ts";
import { Slot, TextSlot, UpdateSlot } from "./slots.ts";

type Known<T extends Meaning["type"]> = Meaning & { readonly type: T };

/**
 * What may have been begun, by somebody else, of the compactions that a stretch is the first to tell of here: none; those whose
 * first sign is a piece of a summary; any.
 */
export type BegunBefore = "none" | "pieces" | "any";

/**
 * Folds the entries of one stretch of the journal. What needs no folding comes out to the letter.
 * @param ids of the compactions that earlier stretches of the session are known to have; those of this one are added
 */
export function foldEntries(
  entries: readonly NewEntry[],
  ids = new Set<string>(),
  begunBefore: BegunBefore = "none",
): NewEntry[] {
  const slots: Placed[] = [];
  const earlier = { ids, begunBefore };
  const folder = new Folder(slots, earlier);
  const children = new Map<string, Folder>();
  for (const entry of entries) {
    const own = entry.kind === "update" ? childIn(entry.data) : undefined;
    if (own === undefined) folder.add(entry);
    else {
      const child = children.get(own.child) ?? new Folder(slots, earlier, own.child);
      children.set(own.child, child);
      child.add({ ...entry, data: own.data });
    }
    if (entry.kind === "prompt") children.clear();
  }
  return slots.filter(({ slot }) => !slot.dropped).map(foldedIn);
}

interface Earlier {
  readonly ids: Set<string>;
  readonly begunBefore: BegunBefore;
}

/** A slot, and the subagent's session whose it is. */
interface Placed {
  readonly slot: Slot;
  readonly child: string | undefined;
}

function foldedIn({ slot, child }: Placed): NewEntry {
  const entry = slot.folded();
  return child === undefined ? entry : { ...entry, data: withChild(entry.data, child) };
}

/** Folds what one session says; those of all share one order. */
class Folder {
  readonly #slots: Placed[];
  readonly #child: string | undefined;
  /** The open message of each sender and message id. */
  readonly #messages = new Map<string, TextSlot>();
  /** What a further update of the same thing goes into. */
  readonly #open = new Map<string, UpdateSlot>();
  /** Those of the turn. */
  readonly #plans = new Map<string, UpdateSlot>();
  readonly #earlier: Earlier;
  /** What stands last of all that is shown: text without a message id goes on there or nowhere. */
  #lastShown: Slot | undefined;

  constructor(slots: Placed[], earlier: Earlier, child?: string) {
    this.#slots = slots;
    this.#child = child;
    this.#earlier = earlier;
  }

  add(entry: NewEntry): void {
    const chunk = entry.kind === "update" ? plainChunkIn(entry.data) : undefined;
    if (chunk !== undefined) this.#text(entry, chunk);
    else if (entry.kind === "update") this.#update(entry, shallowMeaningOf(entry) ?? meaningOf(entry));
    else if (entry.kind === "prompt" || entry.kind === "message") this.#newTurn(entry);
    else if (entry.kind === "rewind") this.#rewind(entry);
    else this.#push(new Slot(entry));
  }

  #push<S extends Slot>(slot: S): S {
    this.#slots.push({ slot, child: this.#child });
    return slot;
  }

  #show<S extends Slot>(slot: S): S {
    this.#lastShown = slot;
    return this.#push(slot);
  }

  #newTurn(entry: NewEntry): void {
    this.#show(new Slot(entry));
    this.#messages.clear();
    this.#plans.clear();
  }

  /** Nothing that comes after it goes on with what came before it. */
  #rewind(entry: NewEntry): void {
    this.#newTurn(entry);
    this.#open.clear();
  }

  #text(entry: NewEntry, chunk: PlainChunk): void {
    if (this.#openMessage(chunk)?.add(chunk) === true) return;
    const slot = this.#show(new TextSlot(entry, chunk));
    if (hasId(chunk)) this.#messages.set(keyOf(chunk), slot);
  }

  /** Text without an id continues only what stands last. */
  #openMessage(chunk: PlainChunk): TextSlot | undefined {
    if (hasId(chunk)) return this.#messages.get(keyOf(chunk));
    const last = this.#lastShown;
    if (!(last instanceof TextSlot) || hasId(last.chunk)) return undefined;
    return last.chunk.sessionUpdate === chunk.sessionUpdate ? last : undefined;
  }

  #update(entry: NewEntry, meaning: Meaning): void {
    switch (meaning.type) {
      case "toolCall":
        return this.#toolCall(entry, meaning);
      case "plan":
        return this.#plan(entry, meaning);
      case "state":
        return this.#state(entry, meaning);
      case "compaction":
        return this.#compaction(entry, meaning);
      default:
        this.#show(new Slot(entry));
    }
    // Content of another kind in a message keeps its place among the text.
    if (meaning.type !== "chunk") return;
    const { sessionUpdate, messageId } = meaning.data.update;
    this.#messages.delete(keyOf({ sessionUpdate, messageId: JSON.stringify(messageId) }));
  }

  #toolCall(entry: NewEntry, { toolCallId, data }: Known<"toolCall">): void {
    const key = `tool ${toolCallId}`;
    const open = this.#open.get(key);
    const heardMs = lastHeardIn(data);
    const said = heardMs === undefined ? entry.data : withoutLastHeard(entry.data);
    // Written otherwise than we write it, it is not ours.
    const lastMs = said === entry.data ? undefined : heardMs;
    const slot =
      lastMs === undefined
        ? new UpdateSlot(entry, data)
        : new UpdateSlot({ ...entry, data: said }, saidIn(data));
    if (lastMs !== undefined) slot.heardUntil(lastMs);
    const isCall = beginsCall(slot.sessionUpdate);
    if (open !== undefined && mayJoin(open, slot, isCall)) return open.addToolCall(slot);
    // Progress of a call that stands already does not come between two texts.
    if (open === undefined || isCall) this.#show(slot);
    else this.#push(slot);
    this.#open.set(key, slot);
  }

  /** Sent whole each time; it stays where it first came. */
  #plan(entry: NewEntry, { planId = "", data }: Known<"plan">): void {
    const open = this.#plans.get(planId);
    const slot = new UpdateSlot(entry, data);
    if (open?.isLike(slot) === true) open.entry = { ...open.entry, data: entry.data };
    else this.#plans.set(planId, this.#push(slot));
  }

  #state(entry: NewEntry, { kind, data }: Known<"state">): void {
    const key = `state ${kind}`;
    const old = this.#open.get(key);
    const slot = this.#push(new UpdateSlot(entry, data));
    this.#open.set(key, slot);
    if (old?.isLike(slot) !== true) return;
    old.dropped = true;
    // A title may come in one update and its time in another.
    if (kind === "session_info_update") slot.addBefore(old);
  }

  /** An upsert with patch semantics: null clears, pieces are appended to the summary. */
  #compaction(entry: NewEntry, { compactionId, data }: Known<"compaction">): void {
    const key = `compaction ${compactionId}`;
    const open = this.#open.get(key);
    const slot = new UpdateSlot(entry, data);
    const unique = this.#child === undefined ? compactionId : `${this.#child} ${compactionId}`;
    const isPiece = slot.isSummaryPiece;
    const isNew = this.#begins(unique, isPiece);
    if (open?.isPlain === true && slot.isPlain && (!isPiece || open.knowsSummary)) {
      return open.addCompaction(slot);
    }
    // Of a summary that an earlier stretch has begun we do not know all, unless it is sent whole.
    if (isNew || (!isPiece && data.update.summary !== undefined)) slot.learnSummary();
    if (open === undefined) this.#show(slot);
    else this.#push(slot);
    if (isPiece && !slot.knowsSummary) this.#open.delete(key);
    else this.#open.set(key, slot);
  }

  #begins(id: string, isPiece: boolean): boolean {
    const { ids, begunBefore } = this.#earlier;
    if (ids.has(id)) return false;
    ids.add(id);
    return begunBefore === "none" || (begunBefore === "pieces" && !isPiece);
  }
}

function hasId({ messageId }: PlainChunk): boolean {
  return messageId !== undefined && messageId !== "null";
}

function keyOf({ sessionUpdate, messageId }: Omit<PlainChunk, "body">): string {
  return `${sessionUpdate} ${messageId}`;
}

/** Progress joins its call; a call that is announced late joins its progress; a second announcement stands for itself. */
function mayJoin(open: UpdateSlot, slot: UpdateSlot, isCall: boolean): boolean {
  const openIsCall = beginsCall(open.sessionUpdate);
  if (open.isLike(slot)) return !isCall || !openIsCall;
  return !isCall && openIsCall && slot.isPlain;
}
