/** Subscriptions to what happens to sessions. */
import type { SessionId } from "../base/ids.ts";
import type { NewEntry, SessionRecord } from "../store/contract.ts";

export interface SessionEvents {
  create: { readonly record: SessionRecord };
  update: { readonly record: SessionRecord };
  append: { readonly id: SessionId; readonly entries: readonly NewEntry[] };
  /** Deleted on request. */
  end: { readonly id: SessionId };
  /** Deleted for its age. */
  expire: { readonly id: SessionId };
  /** Live, but without activity for the idle time: no longer counted as live unless it is touched. History stays. */
  idle: { readonly id: SessionId };
}

export type SessionEvent = keyof SessionEvents;
export type SessionHook<E extends SessionEvent> = (event: SessionEvents[E]) => void | Promise<void>;

/**
 * Hooks run in the order of their subscription and are awaited; the first that fails fails the operation.
 * What they are told of has happened by then and stays, but for a session that is being created.
 */
export class Hooks {
  readonly #hooks = new Map<SessionEvent, Set<SessionHook<never>>>();

  /** Returns the function that ends the subscription. */
  on<E extends SessionEvent>(event: E, hook: SessionHook<E>): () => void {
    const hooks = this.#hooks.get(event) ?? new Set();
    this.#hooks.set(event, hooks);
    hooks.add(hook);
    return () => hooks.delete(hook);
  }

  async emit<E extends SessionEvent>(event: E, data: SessionEvents[E]): Promise<void> {
    for (const hook of this.#hooks.get(event) ?? []) await (hook as SessionHook<E>)(data);
  }
}
