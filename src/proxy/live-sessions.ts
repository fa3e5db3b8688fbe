/** The sessions that this process holds or has held: by the client's ids, by the agent's, and how they come and go. */
import type { Agent } from "../agent/agent.ts";
import { reapAgent } from "../agent/process-group.ts";
import { reasonOf } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { ProcessIdentity } from "../process-identity.ts";
import { isSessionId, type SessionId } from "../session-id.ts";
import { isDead, mayTake, thisHolder, type OnBusy } from "../session/holder.ts";
import { Journal, type Durability } from "../session/journal.ts";
import type { SessionRegistry } from "../session/registry.ts";
import { sessionNotFound } from "../store/refusals.ts";
import type { Holder, LeaseState, SessionRecord } from "../store/store.ts";
import { LiveSession, type Binding, type SessionSetup } from "./live-session.ts";

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

/** What a left-over agent is given between SIGTERM and SIGKILL. */
const reapGraceMs = 500;
/** Of sessions that were let go, so many keep what the client set them up with. */
const maxDormant = 1000;
/** How many agent sessions are remembered that were ours. */
const maxFormer = 1000;

export class LiveSessions {
  readonly #options: LiveSessionsOptions;
  readonly #byClientId = new Map<string, LiveSession>();
  readonly #byAgentId = new Map<string, LiveSession>();
  readonly #opening = new Map<string, Promise<LiveSession>>();
  /** Being let go, by the client's ids: whoever wants one back waits for that. */
  readonly #releasing = new Map<string, Promise<void>>();
  /** Agent sessions that were ours: what their agent still says of them is for nobody. The oldest first. */
  readonly #former = new Set<string>();
  /** Let go, but not closed: the client may go on with them. The oldest first. */
  readonly #dormant = new Set<LiveSession>();

  constructor(options: LiveSessionsOptions) {
    this.#options = options;
  }

  all(): IterableIterator<LiveSession> {
    return this.#byClientId.values();
  }

  byAgentId(agentSessionId: unknown): LiveSession | undefined {
    return typeof agentSessionId === "string" ? this.#byAgentId.get(agentSessionId) : undefined;
  }

  byClientId(clientId: string): LiveSession | undefined {
    return this.#byClientId.get(clientId);
  }

  add(live: LiveSession): void {
    this.#byClientId.set(live.clientId, live);
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
    const [oldest] = this.#former;
    if (oldest !== undefined && this.#former.size > maxFormer) this.#former.delete(oldest);
  }

  /** Whether an agent session was ours and is no more. */
  isFormer(agentSessionId: unknown): boolean {
    return typeof agentSessionId === "string" && this.#former.has(agentSessionId);
  }

  /** A run of the agent has ended; the next one may give the same ids to other sessions. */
  unbindAll(agent: Agent): void {
    for (const live of this.#byClientId.values()) if (live.binding?.run.agent === agent) this.unbind(live);
    this.#former.clear();
  }

  remove(live: LiveSession): void {
    this.unbind(live);
    this.#options.registry.live.remove(live.id);
    this.#dormant.delete(live);
    if (this.#byClientId.get(live.clientId) === live) this.#byClientId.delete(live.clientId);
  }

  /** The record that the client means by an id: ours, or one that an agent once gave. */
  async find(clientId: string): Promise<SessionRecord | undefined> {
    const known = this.#byClientId.get(clientId);
    const { store } = this.#options.registry;
    if (known !== undefined) return store.get(known.id);
    const own = isSessionId(clientId) ? await store.get(clientId) : undefined;
    if (own !== undefined) return own;
    return (await store.list({ agentSessionId: clientId, limit: 1 })).items[0];
  }

  /** The session, held. Errors: `SESSION_NOT_FOUND`, `SESSION_BUSY`, `LEASE_LOST`, `SESSION_LIMIT`, `STORE_…`. */
  async require(clientId: string): Promise<LiveSession> {
    const live = this.#byClientId.get(clientId);
    if (live?.lost !== undefined) throw live.lost;
    if (live?.isHeld === true) {
      this.#options.registry.live.touch(live.id);
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

  /** Entries are not sealed, and nobody is there any more who would do it. */
  isLeftOver({ headSeq, sealedSeq, lease }: SessionRecord): boolean {
    if (headSeq === sealedSeq) return false;
    return lease === undefined || lease.expiresAtMs <= Date.now() || isDead(lease.holder, this.#holder());
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
    const releasing = this.#release(live).finally(() => this.#releasing.delete(live.clientId));
    this.#releasing.set(live.clientId, releasing);
    return releasing;
  }

  async #release(live: LiveSession): Promise<void> {
    await live.outboundIdle();
    this.unbind(live);
    this.#options.registry.live.remove(live.id);
    this.#noteDormant(live);
    const journal = live.letGo();
    if (journal === undefined) return;
    if (journal.headSeq > journal.sealedSeq) await journal.seal([]);
    await journal.release();
  }

  /** Extends every lease and stores who holds it. */
  async renewAll(): Promise<void> {
    for (const live of this.#byClientId.values()) {
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
    if (live.noteLoss()) this.#options.registry.live.remove(live.id);
    this.#options.log.warn({ sessionId: live.id, error: reasonOf(error) }, "a session could not be written");
  }

  async #open(clientId: string, setup: SessionSetup | undefined): Promise<LiveSession> {
    const { registry, log } = this.#options;
    await this.#releasing.get(clientId)?.catch(() => undefined);
    const found = await this.find(clientId);
    if (found === undefined) throw sessionNotFound(clientId);
    const known = this.#byClientId.get(clientId);
    if (known !== undefined && (await this.#renewed(known))) return known;
    registry.live.add(found.id);
    try {
      const { journal, record, previous, setAside } = await Journal.open(found.id, this.#journalOptions());
      const live = known ?? new LiveSession(found.id, clientId, setup ?? { mcpServers: [] });
      if (setup !== undefined) live.setup = setup;
      endLost(live);
      // The agent session of before may have missed what another holder did.
      this.unbind(live);
      this.#dormant.delete(live);
      live.hold(journal, record);
      this.add(live);
      await this.#succeed(found.id, previous, setAside);
      log.info({ sessionId: found.id }, "session opened");
      return live;
    } catch (error) {
      registry.live.remove(found.id);
      throw error;
    }
  }

  #noteDormant(live: LiveSession): void {
    this.#dormant.add(live);
    const [oldest] = this.#dormant;
    if (oldest !== undefined && this.#dormant.size > maxDormant) this.remove(oldest);
  }

  /** What a holder left behind that did not give the session back. */
  async #succeed(id: SessionId, previous: LeaseState | undefined, setAside: string | undefined) {
    const { log } = this.#options;
    const facts = { sessionId: id, ...(setAside !== undefined && { setAside }) };
    if (previous === undefined) {
      if (setAside !== undefined) log.warn(facts, "session recovered");
      return;
    }
    const { holder, turnRunning } = previous;
    if (!isDead(holder, this.#holder())) {
      log.info({ ...facts, from: holder.pid }, "session taken over");
      return;
    }
    const reaped = holder.agent !== undefined && (await reapAgent(holder.agent, reapGraceMs));
    log.warn({ ...facts, deadHolder: holder.pid, turnRunning, agentStopped: reaped }, "session recovered");
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

/** Turns that ran when the session was lost do not go on in the session that is ours again: there is a gap. */
function endLost({ turns, lost: error }: LiveSession): void {
  if (error === undefined) return;
  for (const turn of turns) turn.end({ type: "error", error }, "nobody");
}
