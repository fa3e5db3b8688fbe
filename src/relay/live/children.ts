/** The sessions of subagents that agents have announced: each belongs to one session of ours, and has an id of our own. */
import { derivedId, type SessionId } from "../../base/ids.ts";
import type { LiveSession } from "./session.ts";

export interface Child {
  readonly live: LiveSession;
  /** What clients and the journal call it. It is the same over restarts, as long as the agent has the session. */
  readonly id: SessionId;
  readonly agentSessionId: string;
}

/** How many children of one session are known. What others say passes untouched. */
const maxChildren = 10_000;

export class Children {
  readonly #byId = new Map<string, Child>();
  /** Those of sessions that are bound. */
  readonly #byAgentId = new Map<string, Child>();
  readonly #ofSession = new WeakMap<LiveSession, Map<string, Child>>();
  /** Sessions that were taken up, whose journals have not been looked through for children of before. */
  readonly #unread = new Set<LiveSession>();
  /** By our ids, those that the journals know. */
  readonly #earlier = new Map<LiveSession, ReadonlySet<string>>();

  /** By the agent's id. */
  byAgentId(agentSessionId: unknown): Child | undefined {
    return typeof agentSessionId === "string" ? this.#byAgentId.get(agentSessionId) : undefined;
  }

  /** By ours. */
  byId(id: unknown): Child | undefined {
    return typeof id === "string" ? this.#byId.get(id) : undefined;
  }

  /** The session's agent has named a child of it, perhaps not for the first time. */
  announce(live: LiveSession, agentSessionId: string): void {
    const parent = live.binding?.agentSessionId;
    if (parent === undefined || parent === agentSessionId || this.#byAgentId.has(agentSessionId)) return;
    const own = this.#ofSession.get(live) ?? new Map<string, Child>();
    if (own.size >= maxChildren) return;
    const id = derivedId(live.id, parent, agentSessionId);
    const child = { live, id, agentSessionId };
    this.#ofSession.set(live, own.set(id, child));
    this.#byId.set(id, child);
    this.#byAgentId.set(agentSessionId, child);
  }

  /** The agent has taken the session up: it may go on with children that were announced to another process. */
  mayHaveEarlier(live: LiveSession): void {
    if (!this.#earlier.has(live)) this.#unread.add(live);
  }

  /** Whether somebody unknown may be a child of a journal that has not been looked through. */
  mayBeOfBefore(agentSessionId: string | undefined): boolean {
    return this.#unread.size > 0 && agentSessionId !== undefined && !this.#byAgentId.has(agentSessionId);
  }

  takeUnread(): LiveSession[] {
    const unread = [...this.#unread];
    this.#unread.clear();
    return unread;
  }

  noteEarlier(live: LiveSession, ids: ReadonlySet<string>): void {
    if (this.#ofSession.has(live) || live.binding !== undefined) this.#earlier.set(live, ids);
  }

  /** A child by the agent's id, perhaps one of before that is announced no more. */
  claimed(agentSessionId: string): Child | undefined {
    for (const [live, ids] of this.#earlier) {
      if (this.#byAgentId.has(agentSessionId)) break;
      const parent = live.binding?.agentSessionId;
      if (parent !== undefined && ids.has(derivedId(live.id, parent, agentSessionId)))
        this.announce(live, agentSessionId);
    }
    return this.#byAgentId.get(agentSessionId);
  }

  /** An agent's session that is bound again has the children that it had. */
  bind(live: LiveSession): void {
    const parent = live.binding?.agentSessionId;
    if (parent === undefined) return;
    for (const child of this.#ofSession.get(live)?.values() ?? []) {
      const isItsOwn = derivedId(live.id, parent, child.agentSessionId) === child.id;
      if (isItsOwn && !this.#byAgentId.has(child.agentSessionId))
        this.#byAgentId.set(child.agentSessionId, child);
    }
  }

  /** Returns what the agent called those that are no more. */
  unbind(live: LiveSession): string[] {
    const own = [...(this.#ofSession.get(live)?.values() ?? [])];
    const gone = own.filter((child) => this.#byAgentId.get(child.agentSessionId) === child);
    for (const { agentSessionId } of gone) this.#byAgentId.delete(agentSessionId);
    return gone.map(({ agentSessionId }) => agentSessionId);
  }

  remove(live: LiveSession): void {
    this.#unread.delete(live);
    this.#earlier.delete(live);
    for (const id of this.#ofSession.get(live)?.keys() ?? []) this.#byId.delete(id);
    this.#ofSession.delete(live);
  }
}
