/** What happens to sessions, and who is told of it. */
import type { SessionId } from "../base/ids.ts";
import type { Logger } from "../base/log.ts";
import { loggedReason } from "../base/errors.ts";
import { checkEvent } from "./event-names.ts";
import type { AccessNews } from "../store/guarded/guard.ts";
import type { Entry, NewEntry, SessionPatch, SessionRecord, SessionSettings } from "../store/contract.ts";

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

export interface Subscription {
  /** Events that may wait for the subscriber; more are dropped and counted. Default 10,000. */
  readonly most?: number;
}

/** Says what was written, if somebody listens: making the event may cost something. */
export type Tell = <E extends keyof ToldEvents>(type: E, event: () => ToldEvents[E]) => void;

type Ask<E extends keyof AskedEvents> = (event: AskedEvents[E], missed: number) => void | Promise<void>;

const mostWaiting = 10_000;
/** Characters of entries that may wait for a subscriber. */
const mostChars = 64 << 20;
/** After so many events others have their turn. */
const deliveredAtOnce = 100;

const askedEvents: ReadonlySet<string> = new Set(["create", "idle"] satisfies (keyof AskedEvents)[]);

export class Events {
  readonly #log: Logger;
  readonly #asked = new Map<SessionEvent, Set<SessionHook<never>>>();
  readonly #told = new Set<Subscriber>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Returns the function that ends the subscription. Errors: `INVALID_PARAMS` for an event that there is not. */
  on<E extends SessionEvent>(event: E, hook: SessionHook<E>, subscription: Subscription = {}): () => void {
    checkEvent(event);
    if (!askedEvents.has(event)) {
      const take = (news: SessionNews, missed: number) => hook(news as unknown as SessionEvents[E], missed);
      return this.#add(new Subscriber(take, event as keyof ToldEvents, subscription, this.#log));
    }
    const hooks = this.#asked.get(event) ?? new Set();
    this.#asked.set(event, hooks);
    hooks.add(hook);
    return () => hooks.delete(hook);
  }

  /** All that is told, in the order in which it happened. */
  follow(take: Follower, subscription: Subscription = {}): () => void {
    return this.#add(new Subscriber(take, undefined, subscription, this.#log));
  }

  async ask<E extends keyof AskedEvents>(event: E, data: AskedEvents[E]): Promise<void> {
    for (const hook of this.#asked.get(event) ?? []) await (hook as Ask<E>)(data, 0);
  }

  readonly tell: Tell = (type, event) => {
    let news: SessionNews | undefined;
    for (const subscriber of this.#told) {
      if (subscriber.wants !== undefined && subscriber.wants !== type) continue;
      news ??= { type, ...event() } as unknown as SessionNews;
      subscriber.push(news);
    }
  };

  /** Settles when all that was told has been delivered. */
  async delivered(): Promise<void> {
    await Promise.all([...this.#told].map((subscriber) => subscriber.idle()));
  }

  #add(subscriber: Subscriber): () => void {
    this.#told.add(subscriber);
    return () => {
      this.#told.delete(subscriber);
      subscriber.end();
    };
  }
}

/** One who is told, with a queue of its own: it may be slow, fail or never return. */
class Subscriber {
  readonly wants: keyof ToldEvents | undefined;
  readonly #take: Follower;
  readonly #most: number;
  readonly #log: Logger;
  #waiting: { readonly news: SessionNews; readonly missed: number }[] = [];
  /** Of those that wait, and of those that are being delivered. */
  #count = 0;
  #chars = 0;
  #missed = 0;
  #ended = false;
  #delivering = false;
  #delivered: Promise<void> | undefined;

  constructor(
    take: Follower,
    wants: keyof ToldEvents | undefined,
    { most = mostWaiting }: Subscription,
    log: Logger,
  ) {
    this.wants = wants;
    this.#take = take;
    this.#most = most;
    this.#log = log;
  }

  push(news: SessionNews): void {
    const isFull = this.#count >= this.#most || (this.#count > 0 && this.#chars > mostChars);
    if (isFull) {
      if (this.#missed === 0)
        this.#log.warn({ waiting: this.#count }, "a subscriber is behind: it misses events");
      this.#missed += 1;
      return;
    }
    this.#waiting.push({ news, missed: this.#missed });
    this.#missed = 0;
    this.#count += 1;
    this.#chars += charsOf(news);
    if (!this.#delivering) this.#delivered = this.#deliver();
  }

  /** Settles when nothing waits any more. */
  async idle(): Promise<void> {
    while (this.#delivering) await this.#delivered;
  }

  end(): void {
    this.#ended = true;
  }

  async #deliver(): Promise<void> {
    this.#delivering = true;
    for (let batch = this.#waiting; batch.length > 0; batch = this.#waiting) {
      this.#waiting = [];
      for (const [at, { news, missed }] of batch.entries()) {
        // Whoever writes goes on first.
        if (at % deliveredAtOnce === 0) await new Promise((resolve) => setImmediate(resolve));
        if (!this.#ended) await this.#give(news, missed);
        this.#count -= 1;
        this.#chars -= charsOf(news);
      }
    }
    this.#delivering = false;
  }

  async #give(news: SessionNews, missed: number): Promise<void> {
    try {
      await this.#take(news, missed);
    } catch (error) {
      this.#log.error({ event: news.type, error: loggedReason(error, this.#log) }, "a subscriber failed");
    }
  }
}

function charsOf(news: SessionNews): number {
  if (!("entries" in news)) return 0;
  return news.entries.reduce((sum, { data }) => sum + data.length, 0);
}

/** @param head `seq` of the last of them */
export function tellAppend(tell: Tell, id: SessionId, entries: readonly NewEntry[], head: number): void {
  tell("append", () => ({ id, entries: numbered(entries, head) }));
  tellEnds(tell, id, entries, head);
}

/** @param sealed the entries that are new, or in the place of others, up to the head; and what was added as `last` */
export function tellSeal(
  tell: Tell,
  id: SessionId,
  { entries, last }: { readonly entries: readonly NewEntry[]; readonly last: readonly NewEntry[] },
  head: number,
): void {
  const from = head - entries.length + 1;
  tell("seal", () => ({ id, from, entries: numbered(entries, head), sealedSeq: head }));
  tellEnds(tell, id, last, head);
}

export function tellUpdate(tell: Tell, record: SessionRecord, { settings }: SessionPatch): void {
  tell("update", () => ({ record }));
  if (settings !== undefined) tell("settings", () => ({ id: record.id, settings: record.settings }));
}

function tellEnds(tell: Tell, id: SessionId, entries: readonly NewEntry[], head: number): void {
  for (const [at, { kind }] of entries.entries()) {
    if (kind !== "end") continue;
    tell("turnEnd", () => ({ id, entry: numbered(entries, head)[at] as Entry }));
  }
}

/** Entries as they stand in the journal: shared by all subscribers, so nobody may change them. */
function numbered(entries: readonly NewEntry[], head: number): readonly Entry[] {
  const before = head - entries.length;
  return Object.freeze(entries.map((entry, at) => Object.freeze({ seq: before + 1 + at, ...entry })));
}
