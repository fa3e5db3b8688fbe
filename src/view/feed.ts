/**
 * A conversation of any length in a scroller: what is seen and a little around it is in the page, the rest is as much
 * empty space as it would take. Pages are fetched as somebody comes near them, in both directions, or lands far away.
 */
import { h } from "./elements.ts";
import { failed } from "./notice.ts";
import { Space, type Extent } from "./space.ts";
import { Drawn, type Draw } from "./drawn.ts";
import type { HistoryPage, Item } from "./shapes.ts";

export interface FeedPlace {
  readonly before?: number;
  readonly after?: number;
}

export interface FeedParts {
  readonly scroller: HTMLElement;
  readonly fetchPage: (place: FeedPlace, signal: AbortSignal) => Promise<HistoryPage>;
  readonly draw: Draw;
  /** The end is in the page. @param follow what comes behind it is told behind this event */
  readonly onEnd: (follow: string | undefined) => void;
  /** Something else is seen now. */
  readonly onSeen: () => void;
}

/** Items in the page at most: what is farther away goes. */
const maxItems = 160;
/** So many screens ahead are fetched. */
const ahead = 1.5;
const [atEndPx, settledMs] = [48, 90];

export class Feed {
  readonly #parts: FeedParts;
  readonly #space = new Space();
  readonly #list = h("div", { role: "feed", "aria-label": "Conversation", class: "feed" });
  readonly #nothing = h("p", { class: "empty", hidden: true }, "Nothing has been said yet.");
  readonly #drawn: Drawn;
  readonly #ending = new AbortController();
  /** Where the pages go on; undefined at the beginning. */
  #before: number | undefined;
  #after = 0;
  #isMoreAfter = false;
  #headSeq = 0;
  #running: Promise<void> | undefined;
  #settling: ReturnType<typeof setTimeout> | undefined;
  /** Whoever looks at the end goes on looking at it. */
  #isStuck = true;
  #lastTop = 0;
  readonly #onScroll = () => this.#scrolled();
  readonly #sized = new ResizeObserver(() => this.#isStuck && this.toEnd());

  constructor(parts: FeedParts) {
    this.#parts = parts;
    this.#drawn = new Drawn(this.#list, parts.draw);
    parts.scroller.replaceChildren(this.#space.above, this.#list, this.#nothing, this.#space.below);
    parts.scroller.addEventListener("scroll", this.#onScroll, { passive: true });
    this.#sized.observe(parts.scroller);
  }

  get items(): readonly Item[] {
    return this.#drawn.items;
  }

  get isAtEnd(): boolean {
    const { scrollTop, clientHeight, scrollHeight } = this.#parts.scroller;
    return !this.#isMoreAfter && scrollTop + clientHeight >= scrollHeight - atEndPx;
  }

  close(): void {
    this.#ending.abort();
    clearTimeout(this.#settling);
    this.#sized.disconnect();
    this.#parts.scroller.removeEventListener("scroll", this.#onScroll);
  }

  /** The newest, or from an entry on. */
  async show(seq?: number): Promise<void> {
    await this.#alone(async () => {
      await this.#replace(seq === undefined ? {} : { after: Math.max(0, seq - 1) });
      const { scroller } = this.#parts;
      this.#isStuck = seq === undefined;
      if (seq === undefined) return this.toEnd();
      const found = this.#drawn.elementAt(seq);
      scroller.scrollTop = (found?.offsetTop ?? 0) - 12;
      found?.classList.add("found");
    });
    this.#check();
  }

  /**
   * The session has grown: whoever looks at the end sees it.
   * @param from what was told from this entry on is not so any more
   */
  grow(news: readonly Item[], headSeq: number, from = Infinity): void {
    this.#headSeq = Math.max(from === Infinity ? this.#headSeq : 0, headSeq);
    if (this.#isMoreAfter || !this.#space.isMeasured) return;
    this.#keeping(() => {
      this.#drawn.show([...this.items.filter(({ seq }) => seq < from), ...news]);
      this.#after = this.#headSeq;
      this.#trim(this.#isStuck ? "start" : "end");
    });
    if (this.#isStuck) this.toEnd();
    this.#parts.onSeen();
  }

  toEnd(): void {
    const { scroller } = this.#parts;
    scroller.scrollTop = scroller.scrollHeight;
    this.#lastTop = scroller.scrollTop;
  }

  /** The item before or after the one that has the focus, or is at the top. */
  step(by: 1 | -1): void {
    const next = this.#drawn.neighbour(by, this.#parts.scroller.scrollTop);
    next?.focus({ preventScroll: true });
    next?.scrollIntoView({ block: "start", behavior: "instant" });
  }

  /** One after the other: each starts from what the one before has left. */
  #alone(act: () => Promise<void>): Promise<void> {
    const before = this.#running ?? Promise.resolve();
    const next = before.then(act).finally(() => {
      if (this.#running === settled) this.#running = undefined;
    });
    const settled = next.catch(() => undefined);
    this.#running = settled;
    return next;
  }

  #fetched(place: FeedPlace): Promise<HistoryPage> {
    return this.#parts.fetchPage(place, this.#ending.signal);
  }

  async #replace(place: FeedPlace): Promise<void> {
    const page = await this.#fetched(place);
    this.#drawn.show(page.items);
    this.#before = page.before;
    this.#takeEnd(page);
    const [first, last] = [this.items[0], this.items.at(-1)];
    const entries = first === undefined || last === undefined ? 0 : last.through - first.seq + 1;
    this.#space.measure(this.#list.offsetHeight, entries, this.#headSeq);
    this.#fit();
  }

  #takeEnd({ after, isMoreAfter, headSeq, follow }: HistoryPage): void {
    [this.#after, this.#isMoreAfter, this.#headSeq] = [after, isMoreAfter, headSeq];
    if (!isMoreAfter) this.#parts.onEnd(follow);
  }

  get #extent(): Extent {
    return {
      before: this.#before,
      after: this.#after,
      isMoreAfter: this.#isMoreAfter,
      headSeq: this.#headSeq,
    };
  }

  #fit(): void {
    this.#space.fit(this.#extent);
    this.#nothing.hidden = this.items.length > 0;
  }

  /** What is seen stays where it is, whatever comes before it. */
  #keeping(change: () => void): void {
    const { scroller } = this.#parts;
    const anchor = this.#drawn.firstBelow(scroller.scrollTop);
    const key = anchor?.dataset["seq"];
    const offset = (anchor?.offsetTop ?? 0) - scroller.scrollTop;
    change();
    this.#fit();
    const now = key === undefined ? undefined : this.#drawn.elementAt(Number(key));
    if (now !== undefined) scroller.scrollTop = now.offsetTop - offset;
  }

  #scrolled(): void {
    // Only who scrolls up lets go: the end also moves away when the scroller gets lower.
    const top = this.#parts.scroller.scrollTop;
    if (this.isAtEnd) this.#isStuck = true;
    else if (top < this.#lastTop) this.#isStuck = false;
    this.#lastTop = top;
    this.#parts.onSeen();
    this.#check();
  }

  /** Fetches what is near; what is far only when nobody scrolls any more. */
  #check(): void {
    if (this.#running !== undefined || this.#ending.signal.aborted || !this.#space.isMeasured) return;
    const { scrollTop, clientHeight } = this.#parts.scroller;
    const [start, end] = [this.#list.offsetTop, this.#list.offsetTop + this.#list.offsetHeight];
    const isFar = scrollTop + clientHeight < start - clientHeight || scrollTop > end + clientHeight;
    clearTimeout(this.#settling);
    if (isFar) this.#settling = setTimeout(() => this.#go(() => this.#jump()), settledMs);
    else if (this.#before !== undefined && scrollTop < start + ahead * clientHeight)
      this.#go(() => this.#extendUp());
    else if (this.#isMoreAfter && scrollTop + clientHeight > end - ahead * clientHeight)
      this.#go(() => this.#extendDown());
  }

  #go(act: () => Promise<void>): void {
    this.#list.setAttribute("aria-busy", "true");
    this.#alone(act).then(
      () => {
        this.#list.removeAttribute("aria-busy");
        this.#parts.onSeen();
        this.#check();
      },
      (error: unknown) => {
        this.#list.removeAttribute("aria-busy");
        failed(error);
      },
    );
  }

  async #jump(): Promise<void> {
    const { scroller } = this.#parts;
    const seq = this.#space.seqAt(scroller.scrollTop, this.#extent);
    const isLast = scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - 1;
    await this.#replace(isLast ? {} : { after: seq });
    if (isLast) this.toEnd();
    else scroller.scrollTop = this.#list.offsetTop;
  }

  async #extendUp(): Promise<void> {
    if (this.#before === undefined) return;
    const page = await this.#fetched({ before: this.#before });
    this.#keeping(() => {
      this.#drawn.show([...page.items, ...this.items]);
      this.#before = page.before;
      this.#trim("end");
    });
  }

  async #extendDown(): Promise<void> {
    const page = await this.#fetched({ after: this.#after });
    this.#keeping(() => {
      this.#drawn.show([...this.items, ...page.items]);
      this.#takeEnd(page);
      this.#trim("start");
    });
  }

  #trim(side: "start" | "end"): void {
    const { items } = this;
    if (items.length <= maxItems) return;
    if (side === "start") {
      const kept = items.slice(-maxItems);
      this.#before = kept[0]?.seq;
      this.#drawn.show(kept);
    } else {
      const kept = items.slice(0, maxItems);
      this.#after = (items[maxItems]?.seq ?? 1) - 1;
      this.#isMoreAfter = true;
      this.#drawn.show(kept);
    }
  }
}
