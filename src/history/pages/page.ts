/** A page of a conversation, from an entry on or up to one, whatever the length of the session. */
import { charsIn, pagesBackwards } from "../../session/pages.ts";
import type { Happening } from "../../session/happenings.ts";
import { isSuperseded, type Stretch } from "../../session/rewinds.ts";
import { withTerminals } from "../../session/told-terminals.ts";
import type { Entry, SessionRecord } from "../../store/contract.ts";
import type { Sessions } from "../counted.ts";
import { Items, type Item } from "./items.ts";
import { tellerAt } from "./told.ts";

/** What besides messages is wanted: `state` is modes, titles, usage as they were told. */
export const included = ["thoughts", "tools", "state", "superseded"] as const;
export type Included = (typeof included)[number];

export interface PageQuery {
  /** Only entries before this one; the newest, unless told. */
  readonly before?: number;
  /** Only entries after this one: from there forward. */
  readonly after?: number;
  /** Items; 50 unless told. */
  readonly limit?: number;
  readonly include?: readonly Included[];
}

export interface ConversationPage {
  readonly items: readonly Item[];
  /** The next page towards the beginning, as `before`; absent at the beginning. */
  readonly before?: number;
  /** The next page towards the end, as `after`: all up to here has been told. What comes later has greater numbers. */
  readonly after: number;
  /** There is more after it now. */
  readonly isMoreAfter: boolean;
}

/** No page is longer than this, whatever its limit: entries that are looked through, and characters of them. */
const [mostEntries, mostChars] = [20_000, 4 << 20];
const defaultLimit = 50;
/** Entries that are looked through: before it is known how large they are not many, because all of them are held. */
const [mostAtFirst, spareEntries, fastestGrowth] = [64, 5, 8];

/** Errors: `SESSION_NOT_FOUND`, `STORE_…`. */
export async function conversationPage(
  sessions: Pick<Sessions, "read" | "superseded">,
  record: SessionRecord,
  query: PageQuery,
): Promise<ConversationPage> {
  const superseded = await sessions.superseded(record.id);
  const paging = new Paging(sessions, record, query, superseded);
  return query.after === undefined ? paging.backward() : paging.forward(query.after);
}

class Paging {
  readonly #sessions: Pick<Sessions, "read">;
  readonly #record: SessionRecord;
  readonly #query: PageQuery;
  readonly #limit: number;
  readonly #superseded: readonly Stretch[];
  /** What is passed over. */
  readonly #passed: readonly Stretch[];

  constructor(
    sessions: Pick<Sessions, "read">,
    record: SessionRecord,
    query: PageQuery,
    superseded: readonly Stretch[],
  ) {
    [this.#sessions, this.#record, this.#query, this.#superseded] = [sessions, record, query, superseded];
    this.#limit = query.limit ?? defaultLimit;
    this.#passed = query.include?.includes("superseded") === true ? [] : superseded;
  }

  async forward(after: number): Promise<ConversationPage> {
    const through = Math.min(this.#record.headSeq, (this.#query.before ?? Infinity) - 1);
    const teller = await tellerAt(this.#sessions, this.#record, after + 1, this.#passed);
    const items = new Items();
    let [told, looked] = [after, 0];
    for await (const page of this.#shown(this.#pages(after + 1, through))) {
      for (const entry of page) {
        const happening = this.#wanted(teller.told(entry));
        const isFull = items.length >= this.#limit || items.chars > mostChars;
        const beginsNext = isFull && happening !== undefined && items.begins(happening);
        if (beginsNext || looked > mostEntries)
          return { items: items.all, ...this.#beginning(after), after: told, isMoreAfter: true };
        if (happening !== undefined) this.#take(items, happening, entry.data.length);
        [told, looked] = [entry.seq, looked + 1];
      }
    }
    return {
      items: items.all,
      ...this.#beginning(after),
      after: Math.max(told, through),
      isMoreAfter: through < this.#record.headSeq,
    };
  }

  /** Further and further back, until one item more has begun than is wanted: the first may have begun before. */
  async backward(): Promise<ConversationPage> {
    const through = Math.min(this.#record.headSeq, (this.#query.before ?? Infinity) - 1);
    const window: Entry[] = [];
    let chars = 0;
    let starts: readonly number[] = [];
    const missing = (last: number) => missingEntries(this.#limit, starts.length, window.length, last);
    const { id } = this.#record;
    for await (const page of pagesBackwards(this.#sessions, id, through, this.#passed, missing)) {
      window.unshift(...page);
      chars += charsIn(page);
      const told = await this.#tell(window);
      starts = startsOf(told);
      const isFull = chars > mostChars || window.length > mostEntries;
      if (starts.length <= this.#limit && !isFull) continue;
      const from = starts.at(-this.#limit) ?? window[0]?.seq ?? 1;
      return this.#page(told, from, through, from > 1);
    }
    return this.#page(await this.#tell(window), 1, through, false);
  }

  #page(told: readonly Told[], from: number, through: number, isMore: boolean): ConversationPage {
    const items = new Items();
    for (const { happening, chars } of told) if (happening.seq >= from) this.#take(items, happening, chars);
    return {
      items: items.all,
      ...(isMore && { before: from }),
      after: Math.max(through, 0),
      isMoreAfter: through < this.#record.headSeq,
    };
  }

  async #tell(window: readonly Entry[]): Promise<readonly Told[]> {
    const [first] = window;
    if (first === undefined) return [];
    const teller = await tellerAt(this.#sessions, this.#record, first.seq, this.#passed);
    const told: Told[] = [];
    for await (const page of this.#shown(one(window)))
      for (const entry of page) {
        const happening = this.#wanted(teller.told(entry));
        if (happening !== undefined) told.push({ happening, chars: entry.data.length });
      }
    return told;
  }

  async *#pages(from: number, through: number): AsyncGenerator<readonly Entry[]> {
    for await (const page of this.#sessions.read(this.#record.id, { from, through }))
      yield page.filter(({ seq }) => !isSuperseded(this.#passed, seq));
  }

  #shown(pages: AsyncIterable<readonly Entry[]>): AsyncGenerator<readonly Entry[]> {
    return withTerminals(pages, (seq) => this.#sessions.read(this.#record.id, { from: seq }));
  }

  #take(items: Items, happening: Happening, chars: number): void {
    items.take(happening, isSuperseded(this.#superseded, happening.seq), chars);
  }

  #wanted(happening: Happening | undefined): Happening | undefined {
    return happening !== undefined && isIncluded(happening, this.#query.include ?? [])
      ? happening
      : undefined;
  }

  #beginning(after: number): { readonly before?: number } {
    return after > 0 ? { before: after + 1 } : {};
  }
}

interface Told {
  readonly happening: Happening;
  readonly chars: number;
}

/** Entries in which what is missing stands, if it is as what was found; a few more, so that one look is enough. */
function missingEntries(limit: number, found: number, looked: number, last: number): number {
  if (looked === 0) return Math.min(limit + spareEntries, mostAtFirst);
  const most = last * fastestGrowth;
  return found === 0
    ? most
    : Math.min(Math.ceil(((limit + 1 - found) / found) * looked * 1.1) + spareEntries, most);
}

/** Where each of them begins that goes on with none before. */
function startsOf(told: readonly Told[]): readonly number[] {
  const items = new Items();
  return told.filter(({ happening }) => items.take(happening, false)).map(({ happening }) => happening.seq);
}

/** What belongs to which wish; what is said aloud, where a turn ends and where the session went back always belong. */
function isIncluded(happening: Happening, include: readonly Included[]): boolean {
  switch (happening.type) {
    case "said":
      return happening.by !== "thought" || include.includes("thoughts");
    case "call":
    case "subagent":
    case "sent":
    case "asked":
    case "decided":
    case "plan":
      return include.includes("tools");
    case "state":
    case "set":
      return include.includes("state");
    default:
      return true;
  }
}

async function* one<T>(value: T): AsyncGenerator<T> {
  yield value;
}
