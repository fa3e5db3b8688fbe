/** The sessions that this process holds or has held: by the client's ids, by the agent's, and how they come and go. */
import type { Agent } from "../../agent/agent.ts";
import { reasonOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { ProcessIdentity } from "../../base/process.ts";
import { isSessionId, type SessionId } from "../../base/ids.ts";
import { whyHidden } from "../../session/hidden.ts";
import { isFree, mayTake, thisHolder, type OnBusy } from "../../session/holder.ts";
import { Journal, type Durability } from "../../session/journal.ts";
import type { SessionRegistry } from "../../session/registry.ts";
import { sessionNotFound } from "../../store/refusals.ts";
import type { Holder, SessionRecord } from "../../store/contract.ts";
import { LiveSession, type Binding, type SessionSetup } from "./session.ts";
import { Recent } from "./recent.ts";
import { endLost, succeed } from "./succession.ts";

export interface LiveSessionsOptions {
  readonly registry: SessionRegistry;
  readonly durability: Durability;
  readonly onBusy: OnBusy;
  readonly leaseTtlMs: number;
  readonly log: Logger;
  /** The agent's process now, for the leases. */
  readonly agentProcess: () => ProcessIdentity | undefined;
  /** Told of a session that somebody else has taken or deleted, when the lease is renewed. */
  readonly onLost: (live: LiveSession, error: unknown) => void;
}

/** Of sessions that were let go or lost, so many are remembered. */
const maxDormant = 1000;
/** How many agent sessions are remembered that were ours. */
const maxFormer = 1000;

export class LiveSessions {
  readonly #options: LiveSessionsOptions;
  /** By every id that the client has used for one on this connection. */
  readonly #byClientId = new Map<string, LiveSession>();
  readonly #byId = new Map<SessionId, LiveSession>();
  readonly #byAgentId = new Map<string, LiveSession>();
  readonly #opening = new Map<string, Promise<LiveSession>>();
  /** The same by session: the client may ask for one by two of its ids at once. */
  readonly #taking = new Map<SessionId, Promise<LiveSession>>();
  /** Being let go: whoever wants one back waits for that. */
  readonly #releasing = new Map<SessionId, Promise<void>>();
  /** Agent sessions that were ours: what their agent still says of them is for nobody. */
  readonly #former = new Recent<string>(maxFormer);
  /** Let go, but not closed: the client may go on with them. Or lost, which the client is to be told. */
  readonly #dormant = new Recent<LiveSession>(maxDormant);

  constructor(options: LiveSessionsOptions) {
    this.#options = options;
  }

  all(): IterableIterator<LiveSession> {
    return this.#byId.values();
  }

  byAgentId(agentSessionId: unknown): LiveSession | undefined {
    return typeof agentSessionId === "string" ? this.#byAgentId.get(agentSessionId) : undefined;
  }

  byClientId(clientId: string): LiveSession | undefined {
    return this.#byClientId.get(clientId);
  }

  byId(id: SessionId): LiveSession | undefined {
    return this.#byId.get(id);
  }

  add(live: LiveSession): void {
    this.#byId.set(live.id, live);
    this.#byClientId.set(live.clientId, live);
  }

  /** The client goes on with the session by this id: that is how it is told of it from now on. */
  #name(live: LiveSession, clientId: string): void {
    live.clientId = clientId;
    this.#byClientId.set(clientId, live);
  }

  /** Binds a session to an agent's, which may be another one than before. */
  bind(live: LiveSession, binding: Binding): void {
    this.unbind(live);
    live.binding = binding;
    this.#byAgentId.set(binding.agentSessionId, live);
    this.#former.delete(binding.agentSessionId);
  }

  unbind(live: LiveSession): void {
    const id = live.binding?.agentSessionId;
    live.binding = undefined;
    if (id === undefined || this.#byAgentId.get(id) !== live) return;
    this.#byAgentId.delete(id);
    this.#former.add(id);
  }

  /** Whether an agent session was ours and is no more. */
  isFormer(agentSessionId: unknown): boolean {
    return typeof agentSessionId === "string" && this.#former.has(agentSessionId);
  }

  /** A run of the agent has ended; the next one may give the same ids to other sessions. */
  unbindAll(agent: Agent): void {
    for (const live of this.all()) if (live.binding?.run.agent === agent) this.unbind(live);
    this.#former.clear();
  }

  remove(live: LiveSession): void {
    this.unbind(live);
    this.#options.registry.live.remove(live.id);
    this.#dormant.delete(live);
    if (this.#byId.get(live.id) === live) this.#byId.delete(live.id);
    for (const [name, named] of this.#byClientId) if (named === live) this.#byClientId.delete(name);
  }

  /** The record that the client means by an id: ours, or one that an agent once gave. */
  async find(clientId: string): Promise<SessionRecord | undefined> {
    const known = this.#byClientId.get(clientId);
    const { store } = this.#options.registry;
    if (known !== undefined) return store.get(known.id);
    const own = isSessionId(clientId) ? await store.get(clientId) : undefined;
    if (own !== undefined && whyHidden(own) === undefined) return own;
    const { items } = await store.list({ agentSessionId: clientId });
    return items.find((record) => whyHidden(record) === undefined);
  }

  /** The session, held. Errors: `SESSION_NOT_FOUND`, `SESSION_BUSY`, `LEASE_LOST`, `SESSION_LIMIT`, `STORE_…`. */
  async require(clientId: string): Promise<LiveSession> {
    const live = this.#byClientId.get(clientId);
    if (live?.lost !== undefined) throw live.lost;
    if (live?.isHeld === true) {
      this.#options.registry.live.touch(live.id);
      this.#name(live, clientId);
      return live;
    }
    return this.open(clientId, undefined);
  }

  /** Takes the session, or takes it back. Callers of the same id share one opening. */
  open(clientId: string, setup: SessionSetup | undefined): Promise<LiveSession> {
    const opening = this.#opening.get(clientId) ?? this.#open(clientId, setup);
    this.#opening.set(clientId, opening);
    return opening.finally(() => this.#opening.delete(clientId));
  }

  /** Of a session that is not held here: entries are not sealed, and nobody else is there who would do it. */
  isLeftOver({ headSeq, sealedSeq, lease }: SessionRecord): boolean {
    // Ours: it is being let go or opened at this moment, or the store has refused to take it back.
    return headSeq > sealedSeq && (lease === undefined || isFree(lease, this.#holder()));
  }

  /** Settles when a session that is being opened under this id is open, or is not to be had. */
  async opened(clientId: string): Promise<void> {
    await this.#opening.get(clientId)?.catch(() => undefined);
  }

  /** Takes the lease of a session that has just been created. */
  async openNew(live: LiveSession): Promise<void> {
    const { journal, record } = await Journal.open(live.id, this.#journalOptions());
    live.hold(journal, record);
    this.#options.log.info({ sessionId: live.id }, "session created");
  }

  /** The agent session and the lease are let go; history stays. The client may go on with the session at any time. */
  release(live: LiveSession): Promise<void> {
    const releasing = this.#release(live).finally(() => this.#releasing.delete(live.id));
    this.#releasing.set(live.id, releasing);
    return releasing;
  }

  async #release(live: LiveSession): Promise<void> {
    await live.outboundIdle();
    this.unbind(live);
    this.#noteDormant(live);
    const journal = live.letGo();
    if (journal === undefined) return;
    if (journal.headSeq > journal.sealedSeq) await journal.seal([]);
    await journal.release();
  }

  /** Extends every lease and stores who holds it. */
  async renewAll(): Promise<void> {
    for (const live of this.all()) {
      await this.#renewed(live).catch((error: unknown) => this.noteFailure(live, error));
    }
  }

  /** Whether a session is ours, which only the store knows: somebody else may have taken it over. */
  async #renewed(live: LiveSession): Promise<boolean> {
    if (!live.isHeld) return false;
    try {
      await live.journal.renew(this.#holder());
    } catch (error) {
      if (!live.noteLoss()) throw error;
      this.#options.onLost(live, error);
    }
    return live.isHeld;
  }

  /** Draws the conclusion from a failed write: a lease or a session that is gone ends the session here. */
  noteFailure(live: LiveSession, error: unknown): void {
    if (live.noteLoss()) this.#noteDormant(live);
    this.#options.log.warn({ sessionId: live.id, error: reasonOf(error) }, "a session could not be written");
  }

  async #open(clientId: string, setup: SessionSetup | undefined): Promise<LiveSession> {
    const found = await this.find(clientId);
    if (found === undefined) throw sessionNotFound(clientId);
    const { id } = found;
    const taking = this.#taking.get(id) ?? this.#take(id, clientId, setup);
    this.#taking.set(id, taking);
    const live = await taking.finally(() => this.#taking.delete(id));
    this.#name(live, clientId);
    return live;
  }

  async #take(id: SessionId, clientId: string, setup: SessionSetup | undefined): Promise<LiveSession> {
    const { registry, log } = this.#options;
    await this.#releasing.get(id)?.catch(() => undefined);
    const known = this.#byId.get(id);
    if (known !== undefined && (await this.#renewed(known))) return known;
    registry.live.add(id);
    try {
      const { journal, record, previous, setAside } = await Journal.open(id, this.#journalOptions());
      const live = known ?? new LiveSession(id, clientId, setup ?? { mcpServers: [] });
      if (setup !== undefined) live.setup = setup;
      endLost(live);
      // The agent session of before may have missed what another holder did.
      this.unbind(live);
      this.#dormant.delete(live);
      live.hold(journal, record);
      this.add(live);
      await succeed({ log, self: this.#holder() }, id, previous, setAside);
      log.info({ sessionId: id }, "session opened");
      return live;
    } catch (error) {
      registry.live.remove(id);
      throw error;
    }
  }

  /** No longer live, but known: the client may go on with it, or is to be told that it is lost. */
  #noteDormant(live: LiveSession): void {
    this.#options.registry.live.remove(live.id);
    const oldest = this.#dormant.add(live);
    if (oldest !== undefined) this.remove(oldest);
  }

  #holder(): Holder {
    return thisHolder(this.#options.agentProcess());
  }

  #journalOptions() {
    const { registry, durability, onBusy, leaseTtlMs } = this.#options;
    const holder = this.#holder();
    return { store: registry.store, durability, holder, leaseTtlMs, mayTake: mayTake(onBusy, holder) };
  }
}
