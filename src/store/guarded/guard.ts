/**
 * What a guarded store knows: who is asking, and what they may do. Everything else of the guard asks here; for the
 * session layer it is found by the store (`guardOf`).
 */
import { isSidecarError } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import { KeyedQueue } from "../../base/queue.ts";
import type { AgentFacts, Lease, SessionRecord, Store } from "../contract.ts";
import type { Awaitable } from "../../base/awaitable.ts";
import { sessionNotFound } from "../refusals.ts";
import { rightsOfDeleted, rightsOn, type Access, type Rights } from "./access.ts";
import { isOwned, owned, ownerOf, sessionOf, withoutMarks } from "./marks.ts";
import type { Permission } from "./permissions.ts";
import { isUnreadable } from "../../base/unreadable.ts";
import { isUnreadableOwn } from "./lists.ts";
import { forbidden } from "./refusals.ts";

/** Who is asking: said once, or asked each time because it may end. */
export type AccessSource = Access | (() => Awaitable<Access>);

/** Told of what concerns who may do what; ids and names, no contents. */
export type AccessNews =
  | { readonly what: "refused"; readonly id: string; readonly needs: Permission | "own" }
  | {
      readonly what: "shared";
      readonly id: string;
      readonly with: string;
      readonly permissions: readonly Permission[];
    }
  | { readonly what: "unshared"; readonly id: string; readonly with: string }
  | { readonly what: "owned"; readonly id: string; readonly by: string }
  | { readonly what: "ended"; readonly id: string; readonly forced: boolean }
  | {
      readonly what: "tokenMade" | "tokenRevoked";
      readonly token: string;
      readonly name: string;
    }
  /** By whom we act from now on, and as whom; absent: as nobody who has a name. */
  | {
      readonly what: "tokenUsed";
      readonly token: string;
      readonly name: string;
      readonly principal: string | undefined;
    }
  | { readonly what: "tokenRefused"; readonly source: string };

interface Holding extends Rights {
  readonly fence: number;
}

/** More are not remembered; who is forgotten is looked up again. */
const mostHeld = 10_000;

export class Guard {
  readonly #inner: Store;
  readonly #source: AccessSource;
  /** What was allowed when a lease was taken: a write under it asks no store. */
  readonly #held = new Map<SessionId, Holding>();
  /** Sessions that were deleted here: what belongs to them goes as well. */
  readonly #deleted = new Set<string>();
  /** The token that was looked at last; undefined when it was refused. */
  #token: string | undefined = "";
  readonly #waiting = new KeyedQueue<SessionId>();
  #tell: (news: AccessNews) => void = () => undefined;

  constructor(inner: Store, source: AccessSource) {
    [this.#inner, this.#source] = [inner, source];
  }

  /** The store without a guard: whose it is, is not looked at there. */
  get inner(): Store {
    return this.#inner;
  }

  get source(): AccessSource {
    return this.#source;
  }

  get access(): Awaitable<Access> {
    if (typeof this.#source !== "function") return this.#source;
    const access = this.#source();
    return access instanceof Promise ? access.then(this.#noteUse, this.#noteRefusal) : access;
  }

  /** By this a token is told of once, and not with each time that it is looked at. */
  readonly #noteUse = (access: Access): Access => {
    const { id = "", name = "" } = access.token ?? {};
    const { principal } = access;
    if (id !== this.#token && id !== "") this.#tell({ what: "tokenUsed", token: id, name, principal });
    this.#token = id;
    return access;
  };

  readonly #noteRefusal = (error: unknown): never => {
    if (isSidecarError(error, "TOKEN_INVALID") && this.#token !== undefined) {
      this.#token = undefined;
      this.#tell({ what: "tokenRefused", source: "local" });
    }
    throw error;
  };

  /** One listener: the registry's. */
  listen(tell: (news: AccessNews) => void): void {
    this.#tell = tell;
  }

  tell(news: AccessNews): void {
    this.#tell(news);
  }

  /** What is allowed with a record as the store has it. Those of a session that are hidden are as the session is. */
  async rightsOn(record: SessionRecord): Promise<Rights> {
    const access = await this.access;
    const rights = rightsOn(record, access, Date.now());
    const of = rights.may.size === 0 ? sessionOf(record.metadata) : undefined;
    const session = of === undefined ? undefined : await this.#inner.get(of as SessionId);
    if (session !== undefined) return rightsOn(session, access, Date.now());
    return of !== undefined && this.#deleted.has(of) ? rightsOfDeleted : rights;
  }

  /** Whether what belongs to a session may be looked for by it. */
  async reachesOf(id: SessionId): Promise<boolean> {
    if (this.#deleted.has(id) && (await this.#inner.get(id)) === undefined) return true;
    return (await this.visible(id)) !== undefined;
  }

  noteDeleted(id: SessionId): void {
    if (this.#deleted.size >= mostHeld) this.#deleted.clear();
    this.#deleted.add(id);
  }

  /** The record as the store has it. One that cannot be decrypted is not there but for its owner. Errors: `DECRYPT_FAILED`. */
  async found(id: SessionId): Promise<SessionRecord | undefined> {
    try {
      return await this.#inner.get(id);
    } catch (error) {
      if (!isSidecarError(error, "DECRYPT_FAILED") || (await this.#isUnreadableOwn(id))) throw error;
      return undefined;
    }
  }

  /** Whether a session is ours and cannot be read. Errors: `FORBIDDEN` to whose token may not delete it; why another cannot be read. */
  async isUnreadable(id: SessionId): Promise<boolean> {
    try {
      await this.found(id);
      return false;
    } catch (error) {
      if (!isUnreadable(error) || !(await this.#isUnreadableOwn(id))) throw error;
      const { token } = await this.access;
      if (token?.permissions.includes("delete") === false) throw this.refused(id, "delete");
      return true;
    }
  }

  async #isUnreadableOwn(id: SessionId): Promise<boolean> {
    return isUnreadableOwn(this.#inner, await this.access, id);
  }

  /** The record as the store has it, if it may be seen. */
  async visible(
    id: SessionId,
  ): Promise<{ readonly record: SessionRecord; readonly rights: Rights } | undefined> {
    const record = await this.found(id);
    if (record === undefined) return undefined;
    const rights = await this.rightsOn(record);
    return rights.may.size === 0 ? undefined : { record, rights };
  }

  /** The same, if one of these is allowed with it. Errors: `SESSION_NOT_FOUND`, `FORBIDDEN`. */
  async required(id: SessionId, needs: Permission | "own", orElse?: Permission) {
    const found = await this.visible(id);
    if (found === undefined) throw sessionNotFound(id);
    const { may, isOwners } = found.rights;
    const isAllowed =
      needs === "own" ? isOwners : may.has(needs) || (orElse !== undefined && may.has(orElse));
    if (!isAllowed) throw this.refused(id, needs);
    return found;
  }

  refused(id: SessionId, needs: Permission | "own") {
    this.#tell({ what: "refused", id, needs });
    return forbidden(id, needs, this.#isByToken);
  }

  get #isByToken(): boolean {
    if (typeof this.#source !== "function") return this.#source.token !== undefined;
    return this.#token !== undefined && this.#token !== "";
  }

  /** A record for those above the guard. */
  shown(record: SessionRecord): SessionRecord {
    if (!isOwned(record.metadata)) return record;
    const metadata = withoutMarks(record.metadata);
    const shown = Object.freeze({ ...record, metadata: Object.freeze(metadata) });
    owners.set(shown, ownerOf(record.metadata) ?? "");
    return shown;
  }

  /** Agents that know a session by this id which is not there for us: it must not come in by way of the agent. */
  async strangersWith(agentSessionId: string): Promise<readonly (AgentFacts | undefined)[]> {
    const access = await this.access;
    // Who has no token has all that is nobody's.
    const asked = { agentSessionId, ...(access.token === undefined && { metadata: owned }) };
    const page = await this.#inner.list({ ...asked, limit: 1000 });
    const strangers = page.items.filter((record) => rightsOn(record, access, Date.now()).may.size === 0);
    // Whose agent's it is that cannot be read nobody knows: it may be this one's.
    return [...strangers.map(({ agent }) => agent), ...(page.unreadable ?? []).map(() => undefined)];
  }

  /**
   * Begins the writes to a session in the order of the calls.
   * @param isKnown it need not be asked whether it is allowed: it begins at once, if nothing waits before it
   */
  inOrder<T>(id: SessionId, isKnown: boolean, act: () => Promise<T>): Promise<T> {
    return isKnown && !this.#waiting.isBusy(id) ? act() : this.#waiting.run(id, act);
  }

  idle(): Promise<void> {
    return this.#waiting.idle();
  }

  noteHeld(id: SessionId, fence: number, rights: Rights): void {
    const [oldest] = this.#held.keys();
    if (this.#held.size >= mostHeld && oldest !== undefined) this.#held.delete(oldest);
    this.#held.set(id, { fence, ...rights });
  }

  /** What was allowed when this lease was taken here; undefined for one that was not. */
  heldBy({ sessionId, fence }: Pick<Lease, "sessionId" | "fence">): Holding | undefined {
    const held = this.#held.get(sessionId);
    return held?.fence === fence ? held : undefined;
  }

  /** The same by the session alone. */
  held(id: SessionId): Rights | undefined {
    return this.#held.get(id);
  }

  forget(id: SessionId): void {
    this.#held.delete(id);
  }
}

const guards = new WeakMap<Store, Guard>();
/** Of records as they were handed out, which do not say it themselves. */
const owners = new WeakMap<SessionRecord, string>();

/** Whose a record is that a guard has handed out, this very object; undefined for what is nobody's. */
export function ownerOfShown(record: SessionRecord): string | undefined {
  return owners.get(record);
}

export function noteGuard(store: Store, guard: Guard): void {
  guards.set(store, guard);
}

/** The guard of a store; undefined for one that has none: there everything is allowed. */
export function guardOf(store: Store): Guard | undefined {
  return guards.get(store);
}
