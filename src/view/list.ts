/** Sessions, newest activity first: pages as they are scrolled to, changes as they happen, found as one types. */
import type { Api } from "./api.ts";
import { pageSize } from "./early.ts";
import { h } from "./elements.ts";
import { cannotSearch, hitRows, periodRow, sessionRow } from "./list-rows.ts";
import { Live } from "./live.ts";
import { failed } from "./notice.ts";
import type { Found, Session, SessionPage } from "./shapes.ts";
import type { StreamEvent } from "./sse.ts";
import { briefTime, period } from "./when.ts";

export interface ListWish {
  readonly text: string;
  readonly state: string;
  readonly archived: string;
}

export interface ListParts {
  readonly api: Api;
  readonly list: HTMLElement;
  readonly hits: HTMLElement;
  /** Below the list; when it is seen, more is fetched. */
  readonly end: HTMLElement;
  readonly onChange: (session: Session) => void;
}

const [typedMs, drawMs] = [180, 150];

export class List {
  readonly #parts: ListParts;
  #wish: ListWish = { text: "", state: "", archived: "exclude" };
  #sessions = new Map<string, Session>();
  #cursor: string | undefined;
  #open: string | undefined;
  /** Of the newest wish: what an older one finds is not shown. */
  #asking = new AbortController();
  #isLoading = false;
  readonly #rows = new Map<string, { readonly look: string; readonly row: HTMLElement }>();
  #drawing: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: ListParts) {
    this.#parts = parts;
    new IntersectionObserver((seen) => seen.some((each) => each.isIntersecting) && this.#more(), {
      root: parts.list.parentElement,
      rootMargin: "400px",
    }).observe(parts.end);
    // What was a minute ago is so no longer.
    setInterval(() => this.#draw(), 60_000);
    new Live({
      api: parts.api,
      path: "/api/events",
      after: undefined,
      take: (event) => this.#take(event),
      onState: () => undefined,
    });
  }

  /** What is there already is filtered at once, the rest is asked for. */
  wish(wish: ListWish): void {
    const isOther = wish.state !== this.#wish.state || wish.archived !== this.#wish.archived;
    this.#wish = wish;
    this.#asking.abort();
    this.#asking = new AbortController();
    const { signal } = this.#asking;
    if (isOther) this.#sessions.clear();
    this.#cursor = undefined;
    this.#draw();
    if (wish.text === "") this.#parts.hits.replaceChildren();
    const ask = () => void this.#asked(signal).catch(failed);
    if (wish.text === "") ask();
    else setTimeout(ask, typedMs);
  }

  /** Which one is looked at. */
  mark(id: string | undefined): void {
    this.#open = id;
    this.#draw();
  }

  /** Of the sessions that are known, those of the newest first. */
  get folders(): readonly string[] {
    return [...new Set([...this.#sessions.values()].sort(byActivity).map(({ cwd }) => cwd))].slice(0, 50);
  }

  take(session: Session): void {
    this.#sessions.set(session.id, session);
    this.#drawSoon();
  }

  async #asked(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await Promise.all([this.#load(signal), this.#search(signal)]);
  }

  async #load(signal: AbortSignal): Promise<void> {
    const { text, state, archived } = this.#wish;
    const query = new URLSearchParams({ limit: String(pageSize), archived });
    if (text !== "") query.set("words", text);
    if (state !== "") query.set("state", state);
    if (this.#cursor !== undefined) query.set("cursor", this.#cursor);
    this.#isLoading = true;
    try {
      const page = await this.#parts.api.json<SessionPage>(`/api/sessions?${query}`, { signal });
      for (const session of page.sessions) this.#sessions.set(session.id, session);
      this.#cursor = page.nextCursor;
    } finally {
      this.#isLoading = false;
    }
    this.#draw();
    // For whoever measures how long one waits for it.
    if (performance.getEntriesByName("list").length === 0) performance.mark("list");
  }

  #more(): void {
    if (this.#cursor !== undefined && !this.#isLoading) this.#load(this.#asking.signal).catch(failed);
  }

  /** By what was said. */
  async #search(signal: AbortSignal): Promise<void> {
    const { text, archived } = this.#wish;
    if (text.trim() === "") return;
    const query = new URLSearchParams({ q: text, limit: "20", perSession: "2" });
    if (archived === "only") query.set("archived", "true");
    try {
      const found = await this.#parts.api.json<Found>(`/api/search?${query}`, { signal });
      if (!signal.aborted) this.#parts.hits.replaceChildren(...hitRows(found));
    } catch (error) {
      // Titles are found all the same.
      if (!signal.aborted) this.#parts.hits.replaceChildren(cannotSearch(error));
    }
  }

  #take({ event, data }: StreamEvent): void {
    if (event === "session") {
      const session = JSON.parse(data) as Session;
      this.#parts.onChange(session);
      this.take(session);
    } else if (event === "gone") {
      this.#sessions.delete((JSON.parse(data) as { id: string }).id);
      this.#drawSoon();
    } else if (event === "resync") this.wish(this.#wish);
  }

  #drawSoon(): void {
    this.#drawing ??= setTimeout(() => {
      this.#drawing = undefined;
      this.#draw();
    }, drawMs);
  }

  /** The same element as long as it would look the same: it may have the focus, or a mouse on it. */
  #kept(name: string, look: string, draw: () => HTMLElement): HTMLElement {
    const known = this.#rows.get(name);
    if (known?.look === look) return known.row;
    const row = draw();
    this.#rows.set(name, { look, row });
    return row;
  }

  #row(session: Session): HTMLElement {
    const isOpen = session.id === this.#open;
    const { title, state, archived, updatedAtMs, agent } = session;
    const look = JSON.stringify([isOpen, title, state, archived, briefTime(updatedAtMs), agent]);
    return this.#kept(session.id, look, () => sessionRow(session, isOpen));
  }

  #draw(): void {
    const { list, end } = this.#parts;
    const shown = [...this.#sessions.values()]
      .filter((session) => isWished(session, this.#wish))
      .sort(byActivity);
    const focused = document.activeElement?.closest<HTMLElement>("[data-id]")?.dataset["id"];
    const rows: HTMLElement[] = [];
    let heading = "";
    for (const session of shown) {
      const next = period(session.updatedAtMs);
      if (next !== heading) rows.push(this.#kept(next, next, () => periodRow(next)));
      heading = next;
      rows.push(this.#row(session));
    }
    if (rows.length === 0 && !this.#isLoading)
      rows.push(
        h(
          "li",
          { class: "empty" },
          this.#wish.text === "" ? "No sessions yet." : "No title or folder has this in it.",
        ),
      );
    if (rows.length !== list.children.length || rows.some((row, at) => row !== list.children[at]))
      list.replaceChildren(...rows);
    end.hidden = this.#cursor === undefined;
    if (focused !== undefined)
      list.querySelector<HTMLElement>(`[data-id="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }
}

function byActivity(one: Session, other: Session): number {
  return other.updatedAtMs - one.updatedAtMs;
}

/** Every word of the search stands in its title, folder or agent. */
function isWished(session: Session, { text, state, archived }: ListWish): boolean {
  if (state !== "" && session.state !== state) return false;
  if (archived !== "include" && session.archived !== (archived === "only")) return false;
  const about = [session.title, session.cwd, session.id, JSON.stringify(session.agent ?? "")]
    .join("\n")
    .toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => about.includes(word));
}
