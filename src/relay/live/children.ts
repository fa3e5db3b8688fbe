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
    for (const id of this.#ofSession.get(live)?.keys() ?? []) this.#byId.delete(id);
    this.#ofSession.delete(live);
  }
}
