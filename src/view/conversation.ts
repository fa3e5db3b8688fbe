/** One session: what it is, what was said in it, what can be done with it. */
import type { Api } from "./api.ts";
import { actionsFor } from "./actions.ts";
import { Composer } from "./composer.ts";
import { button, h } from "./elements.ts";
import type { Back } from "./facts.ts";
import { Feed, type FeedPlace } from "./feed.ts";
import { Head } from "./head.ts";
import { elementOf } from "./item.ts";
import { Live } from "./live.ts";
import type { Changes } from "./moved.ts";
import { titleOf } from "./names.ts";
import { failed } from "./notice.ts";
import type { HistoryPage, Item, Session, SessionPage, TokenRights } from "./shapes.ts";
import type { StreamEvent } from "./sse.ts";
import { contextUse, type ContextUse } from "./usage.ts";

export interface ConversationParts {
  readonly api: Api;
  readonly main: HTMLElement;
  readonly id: string;
  readonly rights: Promise<TokenRights>;
  readonly onChange: (session: Session) => void;
}

const pageSize = "40";
/** What comes while a frame is drawn is drawn with the next one. */
const drawMs = 80;

export class Conversation {
  readonly id: string;
  readonly #parts: ConversationParts;
  readonly #head = new Head();
  readonly #scroller = h("div", { class: "scroller", tabindex: 0, "aria-label": "Conversation" });
  readonly #newest = button("↓ Newest", () => this.end(), { class: "newest", hidden: true });
  readonly #trouble = h("p", { class: "trouble", role: "status", hidden: true });
  readonly #feed: Feed;
  readonly #composer: Composer;
  #session: Session | undefined;
  #forks: readonly Session[] = [];
  #use: ContextUse | undefined;
  #useSeq = 0;
  #changes: Changes | undefined;
  #live: Live | undefined;
  #withSuperseded = false;
  #rewinds = 0;
  #isClosed = false;
  /** Told, and not drawn yet. */
  #news: Item[] = [];
  /** What was told from here on is not so any more. */
  #from = Infinity;
  #drawing: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: ConversationParts) {
    this.#parts = parts;
    this.id = parts.id;
    this.#composer = new Composer(parts.api, parts.id, parts.rights);
    this.#feed = new Feed({
      scroller: this.#scroller,
      fetchPage: (place, signal) => this.#page(place, signal),
      draw: (item, before) => this.#draw(item, before),
      onEnd: (follow) => this.#follow(follow),
      onSeen: () => (this.#newest.hidden = this.#feed.isAtEnd),
    });
    const body = h("div", { class: "feed-box" }, this.#scroller, this.#newest);
    parts.main.replaceChildren(this.#head.element, this.#trouble, body, this.#composer.element);
  }

  async open(seq?: number): Promise<void> {
    const [session] = await Promise.all([
      this.#parts.api.json<Session>(`/api/sessions/${this.id}`),
      this.#feed.show(seq),
    ]);
    this.#take(session);
    // For whoever measures how long one waits for it.
    performance.mark("conversation");
    const { sessions } = await this.#parts.api.json<SessionPage>(
      `/api/sessions?parent=${this.id}&archived=include&limit=50`,
    );
    this.#forks = sessions;
    this.#take(this.#session ?? session);
    // Files may be many, and far away: this comes last.
    this.#changes = await this.#parts.api
      .json<Changes>(`/api/sessions/${this.id}/context/changes`)
      .catch(() => undefined);
    this.#take(this.#session ?? session);
  }

  async goTo(seq: number): Promise<void> {
    await this.#feed.show(seq);
  }

  end(): void {
    this.#feed.show().catch(failed);
  }

  beginning(): void {
    this.#feed.show(1).catch(failed);
  }

  step(by: 1 | -1): void {
    this.#feed.step(by);
  }

  /** Its prompt, where one can be given. */
  focus(): void {
    this.#scroller.focus({ preventScroll: true });
  }

  close(): void {
    this.#isClosed = true;
    this.#live?.close();
    this.#feed.close();
    this.#composer.close();
    clearTimeout(this.#drawing);
  }

  async #page(place: FeedPlace, signal: AbortSignal): Promise<HistoryPage> {
    const include = `thoughts,tools,state${this.#withSuperseded ? ",superseded" : ""}`;
    const query = new URLSearchParams({ limit: pageSize, include });
    for (const [name, value] of Object.entries(place)) query.set(name, String(value));
    const page = await this.#parts.api.json<HistoryPage>(`/api/sessions/${this.id}/history?${query}`, {
      signal,
    });
    this.#rewinds = page.rewinds.length;
    return page;
  }

  #take(session: Session): void {
    if (this.#isClosed) return;
    this.#session = session;
    this.#parts.onChange(session);
    this.#composer.take(session);
    document.title = `${titleOf(session)} · acp-sidecar`;
    const about = { forks: this.#forks, use: this.#use, changes: this.#changes, back: this.#back };
    const { api } = this.#parts;
    this.#head.show(session, about, () =>
      actionsFor(
        api,
        () => this.#session ?? session,
        (changed) => this.#take(changed),
      ),
    );
  }

  #draw(item: Item, before: Item | undefined): HTMLElement {
    this.#note(item);
    return elementOf(item, {
      session: this.id,
      isContinued:
        before !== undefined && isOfAgent(before) && isOfAgent(item) && before.child === item.child,
    });
  }

  /** What is told of the session as a whole: the newest that is known. */
  #note(item: Item): void {
    if (item.type !== "state" || item.kind !== "usage_update" || item.seq < this.#useSeq) return;
    this.#use = contextUse(item.update) ?? this.#use;
    this.#useSeq = item.seq;
    queueMicrotask(() => this.#session && this.#take(this.#session));
  }

  get #back(): Back {
    const toggle = () => {
      this.#withSuperseded = !this.#withSuperseded;
      this.#feed.show().catch(failed);
    };
    return { times: this.#rewinds, isShown: this.#withSuperseded, toggle };
  }

  /** Behind what is in the page now. */
  #follow(after: string | undefined): void {
    this.#live?.close();
    [this.#news, this.#from] = [[], Infinity];
    const path = `/api/sessions/${this.id}/events`;
    const { api } = this.#parts;
    this.#live = new Live({
      api,
      path,
      after,
      take: (event) => this.#happened(event),
      onState: (why) => this.#isTrouble(why),
    });
  }

  #happened({ event, data }: StreamEvent): void {
    const told = JSON.parse(data) as Item &
      Session & { readonly from: number; readonly sealedSeq: number; readonly detail: string };
    switch (event) {
      case "session":
        return this.#take(told);
      case "happening":
        this.#news.push(told);
        this.#drawing ??= setTimeout(() => this.#grow(), drawMs);
        return;
      case "sealed":
        // What follows comes at once: together nothing jumps.
        this.#from = Math.min(this.#from, told.from);
        this.#news = this.#news.filter(({ seq }) => seq < told.from);
        this.#drawing ??= setTimeout(() => this.#grow(), drawMs);
        return;
      case "gone":
        return this.#isTrouble("This session was deleted");
      case "trouble":
        return this.#isTrouble(told.detail);
      case "recovered":
        return this.#isTrouble(undefined);
      default:
    }
  }

  #grow(): void {
    clearTimeout(this.#drawing);
    this.#drawing = undefined;
    const [news, from] = [this.#news, this.#from];
    [this.#news, this.#from] = [[], Infinity];
    // Much of what is in the page does not count any more.
    if (news.some(({ type }) => type === "rewind")) return this.end();
    const headSeq = news.reduce((most, { seq }) => Math.max(most, seq), from === Infinity ? 0 : from - 1);
    this.#feed.grow(news, headSeq, from);
    if (news.some(({ type }) => ["asked", "decided", "end"].includes(type)))
      this.#composer.permissions().catch(failed);
  }

  #isTrouble(why: string | undefined): void {
    this.#trouble.textContent = why ?? "";
    this.#trouble.hidden = why === undefined;
  }
}

/** Whether it is the agent that speaks or acts. */
function isOfAgent(item: Item): boolean {
  if (item.type === "said") return item.by === "assistant" || item.by === "thought";
  return ["call", "plan", "asked", "decided", "state", "set", "subagent", "sent"].includes(item.type);
}
