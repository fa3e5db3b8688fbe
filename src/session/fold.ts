/**
 * Folding: what a turn streamed, as it is kept. Chunks become whole messages at the place of their first
 * appearance, a tool call stands once in its final state, a plan in its last form, and of what is state
 * (commands, mode, options, usage, title) only the last value remains.
 */
import { isRecord } from "../base/json.ts";
import type { NewEntry } from "../store/contract.ts";
import { chunkUpdates, joinableText, stateUpdates, type UpdateData } from "../acp/kinds.ts";

/** A folded message is cut at this size, so that nobody ever has to hold one of unbounded length. */
const maxMessageChars = 1 << 20;

const toolUpdates: ReadonlySet<string> = new Set(["tool_call", "tool_call_update"]);
const compactionUpdates: ReadonlySet<string> = new Set(["compaction_update", "compaction_summary_chunk"]);

interface Slot {
  readonly entry: NewEntry;
  /** The update, parsed, once something has been folded into it. */
  data: UpdateData | undefined;
  /** Text that is added to the update's own. */
  texts: string[];
  chars: number;
  changed: boolean;
  dropped: boolean;
}

/** Folds the entries of one stretch of the journal. What needs no folding comes out to the letter. */
export function foldEntries(entries: readonly NewEntry[]): NewEntry[] {
  const folder = new Folder();
  for (const entry of entries) folder.add(entry);
  return folder.result();
}

class Folder {
  readonly #slots: Slot[] = [];
  /** The open message of each sender and message id; text without an id continues only what stands last. */
  readonly #messages = new Map<string, Slot>();
  readonly #byKey = new Map<string, Slot>();
  /** What stands last of all that is shown: text without a message id goes on there or nowhere. */
  #lastShown: Slot | undefined;

  add(entry: NewEntry): void {
    if (entry.kind !== "update") {
      const slot = this.#push(entry);
      if (entry.kind === "prompt" || entry.kind === "message") this.#newTurn(slot);
      return;
    }
    const data = JSON.parse(entry.data) as UpdateData;
    const kind = data.update.sessionUpdate;
    const { toolCallId, compactionId } = data.update;
    if (chunkUpdates.has(kind)) this.#chunk(entry, data);
    else if (toolUpdates.has(kind) && typeof toolCallId === "string") this.#toolCall(entry, data);
    else if (kind === "plan") this.#replace("plan", entry, data);
    else if (stateUpdates.has(kind)) this.#state(entry, data);
    else if (compactionUpdates.has(kind) && typeof compactionId === "string") this.#compaction(entry, data);
    else this.#lastShown = this.#push(entry);
  }

  result(): NewEntry[] {
    return this.#slots
      .filter((slot) => !slot.dropped)
      .map((slot) => (slot.changed ? { ...slot.entry, data: JSON.stringify(withText(slot)) } : slot.entry));
  }

  #push(entry: NewEntry, data?: UpdateData): Slot {
    const { kind, atMs, data: text } = entry;
    const slot = {
      entry: { kind, atMs, data: text },
      data,
      texts: [],
      chars: 0,
      changed: false,
      dropped: false,
    };
    this.#slots.push(slot);
    return slot;
  }

  #newTurn(slot: Slot): void {
    this.#lastShown = slot;
    this.#messages.clear();
    this.#byKey.delete("plan");
  }

  #chunk(entry: NewEntry, data: UpdateData): void {
    const text = joinableText(data);
    const { sessionUpdate, messageId } = data.update;
    const key = `${sessionUpdate} ${typeof messageId === "string" ? messageId : ""}`;
    const open = this.#messages.get(key);
    const joins = typeof messageId === "string" || open === this.#lastShown;
    if (text !== undefined && open !== undefined && joins && open.chars + text.length <= maxMessageChars) {
      open.texts.push(text);
      open.chars += text.length;
      open.changed = true;
      return;
    }
    const slot = this.#push(entry, data);
    slot.chars = text?.length ?? 0;
    this.#lastShown = slot;
    // Content of another kind in the same message keeps its place among the text.
    if (text === undefined) this.#messages.delete(key);
    else this.#messages.set(key, slot);
  }

  #toolCall(entry: NewEntry, data: UpdateData): void {
    const key = `tool ${String(data.update.toolCallId)}`;
    const slot = this.#byKey.get(key);
    if (slot === undefined) {
      this.#lastShown = this.#push(entry, data);
      this.#byKey.set(key, this.#lastShown);
      return;
    }
    const { sessionUpdate: kind, ...fields } = data.update;
    const given = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined);
    const old = slot.data?.update;
    const sessionUpdate = kind === "tool_call" ? kind : (old?.sessionUpdate ?? kind);
    this.#change(slot, {
      ...slot.data,
      ...data,
      update: { ...old, ...Object.fromEntries(given), sessionUpdate },
    });
  }

  /** One thing that is sent whole each time. */
  #replace(key: string, entry: NewEntry, data: UpdateData): void {
    const slot = this.#byKey.get(key);
    if (slot === undefined) this.#byKey.set(key, this.#push(entry, data));
    else this.#change(slot, data);
  }

  #state(entry: NewEntry, data: UpdateData): void {
    const key = `state ${data.update.sessionUpdate}`;
    const old = this.#byKey.get(key);
    const slot = this.#push(entry, data);
    this.#byKey.set(key, slot);
    if (old === undefined) return;
    old.dropped = true;
    // A title may come in one update and its time in another.
    if (data.update.sessionUpdate === "session_info_update") {
      this.#change(slot, { ...old.data, ...data, update: { ...old.data?.update, ...data.update } });
    }
  }

  /** An upsert with patch semantics: null clears, chunks are appended to the summary. */
  #compaction(entry: NewEntry, data: UpdateData): void {
    const key = `compaction ${String(data.update.compactionId)}`;
    const slot = this.#byKey.get(key);
    if (slot?.data === undefined) {
      this.#lastShown = this.#push(entry, data);
      this.#byKey.set(key, this.#lastShown);
      return;
    }
    const old = wholeCompaction(slot.data.update);
    if (data.update.sessionUpdate === "compaction_update") {
      this.#change(slot, { ...slot.data, ...data, update: { ...old, ...data.update } });
    } else {
      const summary: unknown[] = Array.isArray(old.summary) ? old.summary : [];
      this.#change(slot, { ...slot.data, update: { ...old, summary: [...summary, data.update.content] } });
    }
  }

  #change(slot: Slot, data: UpdateData): void {
    slot.data = data;
    slot.changed = true;
  }
}

/** A compaction whose first sign was a piece of its summary is under way. */
function wholeCompaction(update: UpdateData["update"]): UpdateData["update"] {
  if (update.sessionUpdate === "compaction_update") return update;
  const { compactionId, content } = update;
  return { sessionUpdate: "compaction_update", compactionId, status: "in_progress", summary: [content] };
}

function withText(slot: Slot): unknown {
  const { data } = slot;
  if (data === undefined || slot.texts.length === 0) return data;
  const content = isRecord(data.update.content) ? data.update.content : {};
  const text = [String(content.text), ...slot.texts].join("");
  return { ...data, update: { ...data.update, content: { ...content, text } } };
}
