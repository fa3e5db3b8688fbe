/**
 * A conversation as a list of items: happenings, of which those that go on with an earlier one are put into it. Whoever
 * follows a session does the same with what comes.
 */
import { joinContent } from "../../acp/content.ts";
import type { Json } from "../../base/json.ts";
import type { Happening } from "../../session/happenings.ts";

/** One thing to be shown. `seq` is the entry with which it begins. */
export type Item = Happening & {
  /** The last entry that had something to say of it. */
  readonly through: number;
  /** After a rewind it does not count any more. */
  readonly superseded?: true;
};

export class Items {
  readonly #items: Item[] = [];
  /** Where an item stands that later happenings may go on with. */
  readonly #open = new Map<string, number>();
  #chars = 0;

  get length(): number {
    return this.#items.length;
  }

  /** As much as was taken, roughly: for who bounds a page. */
  get chars(): number {
    return this.#chars;
  }

  get all(): readonly Item[] {
    return this.#items;
  }

  /** Whether it would be an item of its own. */
  begins(happening: Happening): boolean {
    return this.#placeOf(happening, keyOf(happening)) === undefined;
  }

  /** False where it went into an item that was there. @param chars of its entry */
  take(happening: Happening, superseded: boolean, chars = 0): boolean {
    this.#chars += chars;
    const key = keyOf(happening);
    const at = this.#placeOf(happening, key);
    const before = at === undefined ? undefined : this.#items[at];
    if (at !== undefined && before !== undefined) {
      this.#items[at] = joined(before, happening);
      return false;
    }
    if (key !== undefined) this.#open.set(key, this.#items.length);
    const mark = superseded ? ({ superseded: true } as const) : {};
    this.#items.push({ ...happening, through: happening.seq, ...mark });
    return true;
  }

  #placeOf(happening: Happening, key: string | undefined): number | undefined {
    return key !== undefined && goesOn(happening) ? this.#open.get(key) : undefined;
  }
}

/** Whether it may belong to an item that is there. */
export function goesOn(happening: Happening): boolean {
  switch (happening.type) {
    case "said":
    case "sent":
    case "compaction":
      return happening.goesOn;
    case "call":
      return happening.isNews;
    case "plan":
      return true;
    default:
      return false;
  }
}

/** Happenings with the same key may belong together. */
export function keyOf(happening: Happening): string | undefined {
  const { type, turn, child = "" } = happening;
  switch (type) {
    case "said":
      return `${type} ${child}`;
    case "call":
      return `${type} ${turn} ${child} ${happening.callId}`;
    case "plan":
      return `${type} ${turn} ${child} ${happening.planId ?? ""}`;
    case "sent":
      return `${type} ${turn} ${happening.messageId ?? ""}`;
    case "compaction":
      return `${type} ${happening.compactionId}`;
    default:
      return undefined;
  }
}

export function joined(before: Item, more: Happening): Item {
  const { seq, atMs, superseded } = before;
  const place = { seq, atMs, through: more.seq, ...(superseded && { superseded }) };
  if (before.type === "said" && more.type === "said")
    return { ...before, content: joinedContent(before.content, more.content), ...place };
  if (before.type === "sent" && more.type === "sent")
    return { ...before, content: joinedContent(before.content, more.content), ...place };
  if (before.type === "compaction" && more.type === "compaction")
    return {
      ...before,
      ...more,
      summary: joinedContent(before.summary, more.summary),
      goesOn: false,
      ...place,
    };
  // What an update does not name stays as it was.
  if (before.type === "call" && more.type === "call")
    return {
      ...more,
      isNews: before.isNews,
      update: { ...before.update, ...saidAnew(more.update) },
      ...place,
    };
  return { ...more, ...place };
}

function saidAnew({ sessionUpdate: _, ...update }: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(update).filter(([, value]) => value !== null));
}

function joinedContent(before: readonly Json[], more: readonly Json[]): readonly Json[] {
  const content = [...before];
  joinContent(content, more);
  return content;
}
