/**
 * Folding: what a turn streamed, as it is kept. Chunks become whole messages where they first appeared, a tool call
 * stands once in its final state, a plan in its last form, and of what is state (commands, mode, options, usage,
 * title) only the last value remains. Only what is known to be joinable is joined: an entry with `_meta`, a field or
 * a form that we do not know stays as it came, in its place. What is joined is joined as text, so that every value
 * stays to the letter, however large a number is or however deep an output.
 */
import { meaningOf, plainChunkData, plainChunkIn, type Meaning, type PlainChunk } from "../acp/entries.ts";
import { isPlainUpdate } from "../acp/plain.ts";
import { itemsOf, membersOf, objectText } from "../base/json-text.ts";
import type { NewEntry } from "../store/contract.ts";

/** A folded message is cut at this size, so that nobody ever has to hold one of unbounded length. */
const maxMessageChars = 1 << 20;

/** An entry that stays, with what has been folded into it. */
interface Slot {
  entry: NewEntry;
  dropped: boolean;
  /** Nothing stands in it that we do not know. */
  isPlain: boolean;
}

interface TextSlot extends Slot {
  readonly chunk: PlainChunk;
  /** Its own text and those that were added, as JSON has them between quotes. */
  readonly bodies: string[];
  chars: number;
}

interface UpdateSlot extends Slot {
  sessionUpdate: string;
  /** The members of the update as texts, once another one has been folded in. */
  fields?: Map<string, string>;
  /** The blocks of a compaction's summary as texts, if all of them are known. */
  summary?: string[];
}

type Known<T extends Meaning["type"]> = Meaning & { readonly type: T };

/**
 * Folds the entries of one stretch of the journal. What needs no folding comes out to the letter.
 * @param earlier ids of the compactions that earlier stretches of the session have; those of this one are added
 */
export function foldEntries(entries: readonly NewEntry[], earlier = new Set<string>()): NewEntry[] {
  const folder = new Folder(earlier);
  for (const entry of entries) folder.add(entry);
  return folder.result();
}

class Folder {
  readonly #slots: (Slot | TextSlot | UpdateSlot)[] = [];
  /** The open message of each sender and message id; text without an id continues only what stands last. */
  readonly #messages = new Map<string, TextSlot>();
  /** What a further update of the same thing goes into. */
  readonly #open = new Map<string, UpdateSlot>();
  /** Those of the turn. */
  readonly #plans = new Map<string, UpdateSlot>();
  readonly #earlierCompactions: Set<string>;
  /** What stands last of all that is shown: text without a message id goes on there or nowhere. */
  #lastShown: Slot | undefined;

  constructor(earlierCompactions: Set<string>) {
    this.#earlierCompactions = earlierCompactions;
  }

  add(entry: NewEntry): void {
    const chunk = entry.kind === "update" ? plainChunkIn(entry.data) : undefined;
    if (chunk !== undefined) this.#text(entry, chunk);
    else if (entry.kind === "update") this.#update(entry, meaningOf(entry));
    else if (entry.kind === "prompt" || entry.kind === "message") this.#newTurn(entry);
    else this.#push(slotOf(entry));
  }

  result(): NewEntry[] {
    return this.#slots.filter((slot) => !slot.dropped).map(folded);
  }

  #push<S extends Slot>(slot: S): S {
    this.#slots.push(slot);
    return slot;
  }

  #show<S extends Slot>(slot: S): S {
    this.#lastShown = slot;
    return this.#push(slot);
  }

  #newTurn(entry: NewEntry): void {
    this.#show(slotOf(entry));
    this.#messages.clear();
    this.#plans.clear();
  }

  #text(entry: NewEntry, chunk: PlainChunk): void {
    const { sessionUpdate, body, messageId = "null" } = chunk;
    const key = `${sessionUpdate} ${messageId}`;
    const open = this.#messages.get(key);
    const joins = messageId !== "null" || open === this.#lastShown;
    if (open !== undefined && joins && open.chars + body.length <= maxMessageChars) {
      open.bodies.push(body);
      open.chars += body.length;
      return;
    }
    const slot = { ...slotOf(entry), isPlain: true, chunk, bodies: [body], chars: body.length };
    this.#messages.set(key, this.#show(slot));
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
        this.#show(slotOf(entry));
    }
    // Content of another kind in a message keeps its place among the text.
    if (meaning.type !== "chunk") return;
    const { sessionUpdate, messageId = null } = meaning.data.update;
    this.#messages.delete(`${sessionUpdate} ${JSON.stringify(messageId)}`);
  }

  #toolCall(entry: NewEntry, { toolCallId, data }: Known<"toolCall">): void {
    const key = `tool ${toolCallId}`;
    const open = this.#open.get(key);
    const slot = updateSlotOf(entry, data);
    const isCall = slot.sessionUpdate === "tool_call";
    if (open !== undefined && slot.isPlain && mayJoin(open, isCall)) return addToolCall(open, slot);
    // Progress of a call that stands already does not come between two texts.
    if (open === undefined || isCall) this.#show(slot);
    else this.#push(slot);
    this.#open.set(key, slot);
  }

  /** Sent whole each time; it stays where it first came. */
  #plan(entry: NewEntry, { planId = "", data }: Known<"plan">): void {
    const open = this.#plans.get(planId);
    const slot = updateSlotOf(entry, data);
    if (open?.isPlain === true && slot.isPlain) open.entry = { ...open.entry, data: entry.data };
    else this.#plans.set(planId, this.#push(slot));
  }

  #state(entry: NewEntry, { kind, data }: Known<"state">): void {
    const key = `state ${kind}`;
    const old = this.#open.get(key);
    const slot = this.#push(updateSlotOf(entry, data));
    this.#open.set(key, slot);
    if (old?.isPlain !== true || !slot.isPlain) return;
    old.dropped = true;
    // A title may come in one update and its time in another.
    if (kind === "session_info_update") slot.fields = new Map([...fieldsOf(old), ...fieldsOf(slot)]);
  }

  /** An upsert with patch semantics: null clears, pieces are appended to the summary. */
  #compaction(entry: NewEntry, { compactionId, data }: Known<"compaction">): void {
    const key = `compaction ${compactionId}`;
    const open = this.#open.get(key);
    const slot = updateSlotOf(entry, data);
    const isNew = !this.#earlierCompactions.has(compactionId);
    this.#earlierCompactions.add(compactionId);
    const isPiece = slot.sessionUpdate === "compaction_summary_chunk";
    if (open?.isPlain === true && slot.isPlain && (!isPiece || open.summary !== undefined)) {
      return addCompaction(open, slot);
    }
    // Of a summary that an earlier stretch has begun we do not know all, unless it is sent whole.
    if (isNew || (!isPiece && data.update.summary !== undefined)) slot.summary = blocksOf(slot);
    if (open === undefined) this.#show(slot);
    else this.#push(slot);
    if (isPiece && slot.summary === undefined) this.#open.delete(key);
    else this.#open.set(key, slot);
  }
}

function slotOf({ kind, atMs, data }: NewEntry): Slot {
  return { entry: { kind, atMs, data }, dropped: false, isPlain: false };
}

function updateSlotOf(entry: NewEntry, data: Known<"toolCall">["data"]): UpdateSlot {
  return { ...slotOf(entry), isPlain: isPlainUpdate(data), sessionUpdate: data.update.sessionUpdate };
}

function folded(slot: Slot | TextSlot | UpdateSlot): NewEntry {
  const { entry } = slot;
  if ("bodies" in slot) {
    if (slot.bodies.length === 1) return entry;
    return { ...entry, data: plainChunkData({ ...slot.chunk, body: slot.bodies.join("") }) };
  }
  if (!("fields" in slot) || slot.fields === undefined) return entry;
  const { fields, summary = [], sessionUpdate } = slot;
  if (summary.length > 0) fields.set("summary", `[${summary.join(",")}]`);
  // The kind first, where readers look for it.
  const update = new Map([["sessionUpdate", JSON.stringify(sessionUpdate)], ...fields]);
  update.set("sessionUpdate", JSON.stringify(sessionUpdate));
  const data = slot.isPlain ? new Map<string, string>() : membersOf(entry.data);
  return { ...entry, data: objectText(data.set("update", objectText(update))) };
}

/** The members of its update, to be changed. */
function fieldsOf(slot: UpdateSlot): Map<string, string> {
  return (slot.fields ??= membersOf(updateTextIn(slot)));
}

function updateTextIn({ entry: { data }, isPlain }: UpdateSlot): string {
  // What is plain has no other member.
  if (isPlain) return data.slice(data.indexOf(":") + 1, data.lastIndexOf("}"));
  return membersOf(data).get("update") ?? "{}";
}

/** Progress joins its call; a call that is announced late joins its progress; a second announcement stands for itself. */
function mayJoin(open: UpdateSlot, isCall: boolean): boolean {
  const openIsCall = open.sessionUpdate === "tool_call";
  return isCall ? open.isPlain && !openIsCall : open.isPlain || openIsCall;
}

/** Null leaves a field as it was. */
function addToolCall(open: UpdateSlot, slot: UpdateSlot): void {
  const fields = fieldsOf(open);
  for (const [name, value] of fieldsOf(slot)) if (value !== "null") fields.set(name, value);
  if (slot.sessionUpdate === "tool_call") open.sessionUpdate = slot.sessionUpdate;
}

function addCompaction(open: UpdateSlot, slot: UpdateSlot): void {
  const fields = fieldsOf(open);
  // One whose first sign was a piece of its summary is under way.
  if (open.sessionUpdate === "compaction_summary_chunk") {
    fields.delete("content");
    fields.set("status", '"in_progress"');
    open.sessionUpdate = "compaction_update";
  }
  const added = fieldsOf(slot);
  if (slot.sessionUpdate === "compaction_summary_chunk") {
    open.summary?.push(added.get("content") ?? "null");
    return;
  }
  for (const [name, value] of added) fields.set(name, value);
  if (added.has("summary")) open.summary = blocksOf(slot);
}

function blocksOf(slot: UpdateSlot): string[] {
  const members = membersOf(updateTextIn(slot));
  const content = members.get("content");
  if (slot.sessionUpdate === "compaction_summary_chunk") return content === undefined ? [] : [content];
  const summary = members.get("summary") ?? "null";
  return summary.startsWith("[") ? itemsOf(summary) : [];
}
