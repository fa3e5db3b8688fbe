/** What happens to sessions, and who is told of it. */
import type { SessionId } from "../base/ids.ts";
import type { Logger } from "../base/log.ts";
import { checkEvent } from "./event-names.ts";
import type { AccessNews } from "../store/guarded/guard.ts";
import type { Awaitable } from "../base/awaitable.ts";
import type { Entry, SessionRecord, SessionSettings } from "../store/contract.ts";
import { Subscriber } from "./subscriber.ts";

/**
 * Asked before it goes on: hooks run in the order of their subscription and are awaited, and the first that fails
 * fails the operation.
 */
interface AskedEvents {
  /** A session is made. A hook that fails refuses it: it is taken back. */
  create: { readonly record: SessionRecord };
  /** Live, but without activity for the idle time: no longer counted as live unless it is touched. History stays. */
  idle: { readonly id: SessionId };
}

/** Told when it has been written. Nothing waits for a subscriber, and none can fail what it is told of. */
interface ToldEvents {
  /** Made, and refused by nobody. */
  create: { readonly record: SessionRecord };
  /** Entries were journaled, of a turn that runs or beside one. */
  append: { readonly id: SessionId; readonly entries: readonly Entry[] };
  /**
   * All entries up to `sealedSeq` are final now. Those from `from` on are these: whole messages in the place of what
   * was streamed. Those before it stay as they were.
   */
  seal: {
    readonly id: SessionId;
    readonly from: number;
    readonly entries: readonly Entry[];
    readonly sealedSeq: number;
  };
  /** A turn has ended; what it ended with is in the entry. */
  turnEnd: { readonly id: SessionId; readonly entry: Entry };
  /** The record has changed. */
  update: { readonly record: SessionRecord };
  /** Out of lists, until it is opened. */
  archive: { readonly record: SessionRecord };
  /** A mode or options were chosen. */
  settings: { readonly id: SessionId; readonly settings: SessionSettings };
  /** Deleted on request, for good or into the trash. */
  end: { readonly id: SessionId };
  /** Deleted for its age, for good or into the trash. */
  expire: { readonly id: SessionId };
  /** Brought back from the trash. */
  restore: { readonly record: SessionRecord };
  /** Who may do what has changed, or somebody was refused; here, and not in other processes. */
  access: AccessNews;
}

interface SessionEvents extends AskedEvents, ToldEvents {}

export type SessionEvent = keyof SessionEvents;
/** @param missed how many events were dropped just before this one, because the subscriber was too far behind */
export type SessionHook<E extends SessionEvent> = (
  event: SessionEvents[E],
  missed: number,
) => void | Promise<void>;

/** An event with its name. */
export type SessionNews = { [E in keyof ToldEvents]: { readonly type: E } & ToldEvents[E] }[keyof ToldEvents];

export type Follower = (news: SessionNews, missed: number) => void | Promise<void>;

/** What is noted before it is done: a kill would leave nothing else by which it is known that it was to be told. */
export type NotedEvent = "create" | "archive" | "expire" | "end";

/** Called at once when it is done, with what is told of it; or with nothing, when it is not. */
export type NotedEnd = (news?: SessionNews) => void;

export interface NoteTaker {
  /** It is noted when this has settled, unless nobody wants to know. Never fails. */
  begin(type: NotedEvent, id: SessionId): Awaitable<NotedEnd | undefined>;
}

export interface Subscription {
  /** Events that may wait for the subscriber; more are dropped and counted. Default 10,000. */
  readonly most?: number;
  /** Asked before what the subscriber is told of is done. */
  readonly notes?: NoteTaker;
}

/** Says what was written, if somebody listens: making the event may cost something. */
export type Tell = <E extends keyof ToldEvents>(type: E, event: () => ToldEvents[E]) => void;

type Ask<E extends keyof AskedEvents> = (event: AskedEvents[E], missed: number) => void | Promise<void>;

const askedEvents: ReadonlySet<string> = new Set(["create", "idle"] satisfies (keyof AskedEvents)[]);

export class Events {
  readonly #log: Logger;
  readonly #asked = new Map<SessionEvent, Set<SessionHook<never>>>();
  readonly #told = new Set<Subscriber<SessionNews>>();
  readonly #notes = new Set<NoteTaker>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Returns the function that ends the subscription. Errors: `INVALID_PARAMS` for an event that there is not. */
  on<E extends SessionEvent>(event: E, hook: SessionHook<E>, subscription: Subscription = {}): () => void {
    checkEvent(event);
    if (!askedEvents.has(event)) {
      const take = (news: SessionNews, missed: number) => hook(news as unknown as SessionEvents[E], missed);
      return this.#add(take, event, subscription);
    }
    const hooks = this.#asked.get(event) ?? new Set();
    this.#asked.set(event, hooks);
    hooks.add(hook);
    return () => hooks.delete(hook);
  }

  /** All that is told, in the order in which it happened. */
  follow(take: Follower, subscription: Subscription = {}): () => void {
    return this.#add(take, undefined, subscription);
  }

  async ask<E extends keyof AskedEvents>(event: E, data: AskedEvents[E]): Promise<void> {
    for (const hook of this.#asked.get(event) ?? []) await (hook as Ask<E>)(data, 0);
  }

  readonly tell: Tell = (type, event) => void this.#tell(type, event);

  /**
   * Does something, and tells it when it is done: whoever keeps notes has noted it before. Errors: those of `act`.
   * @param told what is told of it; undefined where nothing was to be done
   */
  async noted<E extends NotedEvent, T>(
    type: E,
    id: SessionId,
    act: () => Promise<T>,
    told: (result: T) => ToldEvents[E] | undefined,
  ): Promise<T> {
    const ends = await this.#begun(type, id);
    let news: SessionNews | undefined;
    try {
      const result = await act();
      const event = told(result);
      if (event !== undefined) news = this.#tell(type, () => event);
      return result;
    } finally {
      for (const end of ends) end(news);
    }
  }

  /** Settles when all that was told has been delivered. */
  async delivered(): Promise<void> {
    await Promise.all([...this.#told].map((subscriber) => subscriber.idle()));
  }

  /** Undefined where nobody is told. */
  #tell<E extends keyof ToldEvents>(type: E, event: () => ToldEvents[E]): SessionNews | undefined {
    let news: SessionNews | undefined;
    for (const subscriber of this.#told) {
      if (subscriber.wants !== undefined && subscriber.wants !== type) continue;
      news ??= { type, ...event() } as unknown as SessionNews;
      subscriber.push(news);
    }
    return news;
  }

  async #begun(type: NotedEvent, id: SessionId): Promise<readonly NotedEnd[]> {
    const ends: NotedEnd[] = [];
    for (const notes of this.#notes) {
      const end = await notes.begin(type, id);
      if (end !== undefined) ends.push(end);
    }
    return ends;
  }

  #add(take: Follower, wants: SessionEvent | undefined, { most, notes }: Subscription): () => void {
    const subscriber = new Subscriber(take, wants, most, this.#log);
    this.#told.add(subscriber);
    if (notes !== undefined) this.#notes.add(notes);
    return () => {
      this.#told.delete(subscriber);
      if (notes !== undefined) this.#notes.delete(notes);
      subscriber.end();
    };
  }
}
