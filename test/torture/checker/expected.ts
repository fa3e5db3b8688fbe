/** What a history entitles a client to find in one session. */
import type { ClientName } from "./history.ts";
import { addsUp, isState, stampName, thingKey, type Stamp } from "./stamps.ts";

/** One thing of which the client was sent something. */
export interface Told {
  readonly stamp: Stamp;
  /** The greatest count that was sent. */
  count: number;
  /**
   * Who saw it first as it happened: it stands behind what that person saw before it. Undefined when it was
   * first seen in a replay.
   */
  readonly liveFor: string | undefined;
}

export class ExpectedSession {
  readonly id: string;
  /** By thing, in the order in which the client first saw them. */
  readonly told: Map<string, Told>;
  /** Prompts that belong to the session, inherited ones included. */
  readonly prompts: Set<string>;
  /** Every state that was sent, the last one last. */
  readonly states: string[];
  deleteAsked = false;
  deleted = false;
  /** Nobody has promised that it is there: its deletion was asked for, or the power failed too early. */
  mayBeGone = false;
  /** By person and thing: up to where that person was sent it. */
  readonly #sentTo = new Map<string, number>();
  /** By person: the states of `states` that were sent to that person. */
  readonly #statesFor = new Map<string, Set<string>>();

  constructor(id: string) {
    this.id = id;
    this.told = new Map();
    this.prompts = new Set();
    this.states = [];
  }

  /** What a fork must have that is asked for now: what the one who asks has seen. */
  forkBy(client: ClientName): ExpectedSession {
    const fork = new ExpectedSession(this.id);
    for (const [key, told] of this.told) {
      const count = this.#sentTo.get(`${personOf(client)} ${key}`);
      if (count !== undefined) fork.told.set(key, { ...told, count });
    }
    for (const prompt of this.prompts) fork.prompts.add(prompt);
    const seen = this.#statesFor.get(personOf(client));
    fork.states.push(...this.states.filter((name) => seen?.has(name)));
    return fork;
  }

  /** The fork has been made, and has got its id. */
  born(id: string, parentNow: ExpectedSession | undefined): ExpectedSession {
    const session = new ExpectedSession(id);
    for (const [key, told] of this.told) session.told.set(key, told);
    // It may have what came between the request and the fork.
    for (const prompt of parentNow?.prompts ?? []) session.prompts.add(prompt);
    session.states.push(...this.states);
    return session;
  }

  /**
   * Notes what a client was sent. `isLive`: it is news and not part of a replay, so it must go on where the
   * last piece for this person ended. Returns what is wrong with it.
   */
  note(client: ClientName, stamp: Stamp, isLive: boolean): string | undefined {
    const key = thingKey(stamp);
    const before = this.told.get(key);
    const last = this.#sentTo.get(`${personOf(client)} ${key}`) ?? 0;
    const { count, thing } = stamp;
    this.#sentTo.set(`${personOf(client)} ${key}`, Math.max(last, count));
    if (before === undefined)
      this.told.set(key, { stamp, count, liveFor: isLive ? personOf(client) : undefined });
    else before.count = Math.max(before.count, count);
    if (isState(thing)) this.#noteState(personOf(client), stampName(stamp));
    if (!isLive) return undefined;
    if (!this.prompts.has(stamp.prompt)) return `${stampName(stamp)} is of another session`;
    if (count <= last) return `${stampName(stamp)} was sent after ${key}.${last}`;
    if (addsUp(thing) && count > last + 1) return `${stampName(stamp)} was sent after ${key}.${last}`;
    return undefined;
  }

  #noteState(person: string, name: string): void {
    if (!this.states.includes(name)) this.states.push(name);
    const seen = this.#statesFor.get(person) ?? new Set();
    this.#statesFor.set(person, seen.add(name));
  }
}

/** `a3` and `a4` are clients of the person `a`. */
function personOf(client: ClientName): string {
  return client.replace(/\d+$/, "");
}
