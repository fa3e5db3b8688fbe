/** What a fold keeps: an entry with what was joined to it, as texts, so that every value stays to the letter. */
import { plainChunkData, type PlainChunk } from "../acp/entries.ts";
import { beginsCall, type UpdateData } from "../acp/kinds.ts";
import { withLastHeard } from "../acp/last-heard.ts";
import { isPlainUpdate, lastingMetaIn } from "../acp/plain.ts";
import { eachMember, itemsOf, membersOf, objectText } from "../base/json-text.ts";
import type { NewEntry } from "../store/contract.ts";

/** A folded message is cut at this size, so that nobody ever has to hold one of unbounded length. */
const maxMessageChars = 1 << 20;
/** A string of this length is written anew sooner than it is found in its text. */
const maxShortChars = 256;
/** Of what is longer not all may have been parsed. */
const maxParsedChars = 1 << 16;
const summaryPiece = "compaction_summary_chunk";
const none: ReadonlySet<string> = new Set();
/** What joins a call says no news of which call it is, and its kind is told apart. */
const knownOfCall: ReadonlySet<string> = new Set(["toolCallId", "sessionUpdate"]);

/** An entry that stays as it came. */
export class Slot {
  entry: NewEntry;
  dropped = false;

  constructor({ kind, atMs, data }: NewEntry) {
    this.entry = { kind, atMs, data };
  }

  folded(): NewEntry {
    return this.entry;
  }
}

/** A message, or a piece of one. */
export class TextSlot extends Slot {
  readonly chunk: PlainChunk;
  /** Its own text and those that were added, as JSON has them between quotes. */
  readonly #bodies: string[];
  #chars: number;

  constructor(entry: NewEntry, chunk: PlainChunk) {
    super(entry);
    this.chunk = chunk;
    this.#bodies = [chunk.body];
    this.#chars = chunk.body.length;
  }

  /** False when the message would become too long. */
  add({ body }: PlainChunk): boolean {
    if (this.#chars + body.length > maxMessageChars) return false;
    this.#bodies.push(body);
    this.#chars += body.length;
    return true;
  }

  override folded(): NewEntry {
    if (this.#bodies.length === 1) return this.entry;
    return { ...this.entry, data: plainChunkData({ ...this.chunk, body: this.#bodies.join("") }) };
  }
}

/** An update of something that has a state: a tool call, a plan, a compaction, a title. */
export class UpdateSlot extends Slot {
  /** Nothing stands in it that we do not know. */
  readonly isPlain: boolean;
  sessionUpdate: string;
  /** Beside what we know stands `_meta` that is as good once as twice: its text. */
  readonly #meta: string | undefined;
  /** Parsed, except for large values. */
  readonly #update: UpdateData["update"];
  /** When it was heard of last. */
  #lastMs: number;
  /** The members of the update as texts, once another one has been folded in. */
  #fields: Map<string, string> | undefined;
  /** The blocks of a compaction's summary as texts, if all of them are known. */
  #summary: string[] | undefined;

  constructor(entry: NewEntry, data: UpdateData) {
    super(entry);
    this.#lastMs = entry.atMs;
    this.isPlain = isPlainUpdate(data);
    this.#update = data.update;
    this.sessionUpdate = data.update.sessionUpdate;
    this.#meta = !this.isPlain && lastingMetaIn(data) ? this.#updateMembers().get("_meta") : undefined;
  }

  /** One that was folded before. */
  heardUntil(lastMs: number): void {
    this.#lastMs = Math.max(this.#lastMs, lastMs);
  }

  /** Both hold nothing but what we know, and the same `_meta`, if any: nobody can tell whether it was said once or twice. */
  isLike(next: UpdateSlot): boolean {
    return this.isPlain ? next.isPlain : this.#meta !== undefined && this.#meta === next.#meta;
  }

  get isSummaryPiece(): boolean {
    return this.sessionUpdate === summaryPiece;
  }

  get knowsSummary(): boolean {
    return this.#summary !== undefined;
  }

  /** What the summary is so far stands in this update. */
  learnSummary(): void {
    const members = this.#updateMembers();
    const content = members.get("content");
    const summary = members.get("summary") ?? "null";
    if (this.isSummaryPiece) this.#summary = content === undefined ? [] : [content];
    else this.#summary = summary.startsWith("[") ? itemsOf(summary) : [];
  }

  /** Null leaves a field as it was. */
  addToolCall(next: UpdateSlot): void {
    const fields = this.#membersToChange();
    next.#eachMember((name, value) => {
      if (value !== "null") fields.set(name, value);
    }, knownOfCall);
    if (beginsCall(next.sessionUpdate)) this.sessionUpdate = next.sessionUpdate;
    this.heardUntil(next.#lastMs);
  }

  /** Null clears a field; a piece is added to the summary. */
  addCompaction(next: UpdateSlot): void {
    const fields = this.#membersToChange();
    // One whose first sign was a piece of its summary is under way.
    if (this.isSummaryPiece) {
      fields.delete("content");
      fields.set("status", '"in_progress"');
      this.sessionUpdate = "compaction_update";
    }
    const added = next.#membersToChange();
    if (next.isSummaryPiece) {
      this.#summary?.push(added.get("content") ?? "null");
      return;
    }
    for (const [name, value] of added) fields.set(name, value);
    if (!added.has("summary")) return;
    next.learnSummary();
    this.#summary = next.#summary;
  }

  /** What the one before said and this one does not say stays. */
  addBefore(before: UpdateSlot): void {
    this.#fields = new Map([...before.#membersToChange(), ...this.#membersToChange()]);
  }

  override folded(): NewEntry {
    const entry = this.#joined();
    if (this.#lastMs <= entry.atMs) return entry;
    return { ...entry, data: withLastHeard(entry.data, this.#lastMs) };
  }

  #joined(): NewEntry {
    const fields = this.#fields;
    if (fields === undefined) return this.entry;
    const { entry, sessionUpdate } = this;
    const summary = this.#summary ?? [];
    if (summary.length > 0) fields.set("summary", `[${summary.join(",")}]`);
    fields.delete("sessionUpdate");
    // The kind first, where readers look for it.
    const update = `{"sessionUpdate":${JSON.stringify(sessionUpdate)},${objectText(fields).slice(1)}`;
    if (this.isPlain) return { ...entry, data: `{"update":${update}}` };
    return { ...entry, data: objectText(membersOf(entry.data).set("update", update)) };
  }

  #membersToChange(): Map<string, string> {
    if (this.#fields !== undefined) return this.#fields;
    const fields = (this.#fields = new Map<string, string>());
    this.#eachMember((name, value) => fields.set(name, value));
    return fields;
  }

  /** Most are short strings, which need not be looked for in the text. */
  #eachMember(visit: (name: string, value: string) => void, leftOut: ReadonlySet<string> = none): void {
    if (!this.isPlain || this.entry.data.length > maxParsedChars)
      return this.#updateMembers().forEach((value, name) => visit(name, value));
    let texts: Map<string, string> | undefined;
    for (const name in this.#update) {
      if (leftOut.has(name)) continue;
      const value = this.#update[name];
      const isShort = value === null || (typeof value === "string" && value.length <= maxShortChars);
      if (!isShort) texts ??= this.#updateMembers();
      visit(name, texts?.get(name) ?? JSON.stringify(value));
    }
  }

  #updateMembers(): Map<string, string> {
    const { data } = this.entry;
    if (this.isPlain) {
      // It has no other member, but JSON may name one twice: then something stands behind the first.
      const update = data.slice(data.indexOf(":") + 1, data.lastIndexOf("}"));
      const members = new Map<string, string>();
      const end = eachMember(update, (name, value) => {
        members.set(name, value);
        return false;
      });
      if (update.slice(end).trimEnd() === "}") return members;
    }
    return membersOf(membersOf(data).get("update") ?? "{}");
  }
}
