/** Sessions that somebody follows: each is looked at as long as somebody does, once for all of them. */
import type { SessionId } from "../../base/ids.ts";
import type { Store } from "../../store/contract.ts";
import { SessionFeed } from "./session-feed.ts";

export class Feeds {
  readonly #store: Store;
  readonly #open = new Map<SessionId, { readonly feed: SessionFeed; followers: number }>();
  #ofLists = 0;

  /** @param store without a guard: whoever follows is let in by theirs */
  constructor(store: Store) {
    this.#store = store;
  }

  /** How many follow something, a session or the list of them. */
  get followers(): number {
    return [...this.#open.values()].reduce((sum, { followers }) => sum + followers, this.#ofLists);
  }

  /** One who follows a list counts until the function is called that is returned. */
  countOfList(): () => void {
    this.#ofLists += 1;
    return () => void (this.#ofLists -= 1);
  }

  enter(id: SessionId): SessionFeed {
    const open = this.#open.get(id) ?? { feed: new SessionFeed(this.#store, id), followers: 0 };
    this.#open.set(id, open);
    open.followers += 1;
    return open.feed;
  }

  async leave(id: SessionId): Promise<void> {
    const open = this.#open.get(id);
    if (open === undefined) return;
    open.followers -= 1;
    if (open.followers > 0) return;
    this.#open.delete(id);
    await open.feed.close();
  }

  /** Something was written here: nobody need wait for the next look. */
  nudge(id: SessionId): void {
    void this.#open.get(id)?.feed.look();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map(({ feed }) => feed.close()));
  }
}
