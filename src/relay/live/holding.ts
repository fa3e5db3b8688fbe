/** Taking sessions and letting them go: the lease, what another holder left behind, and what we had begun before it. */
import { reapAgent } from "../../agent/left-over.ts";
import { isSidecarError, loggedReason } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import type { Logger } from "../../base/log.ts";
import type { ProcessIdentity } from "../../base/process.ts";
import { isDead, isFree, thisHolder } from "../../session/holder.ts";
import type { OpenedJournal } from "../../session/journal.ts";
import type { SessionRegistry } from "../../session/registry.ts";
import type { Front } from "../../session/ways-out.ts";
import type { AgentFacts, Holder, SessionRecord } from "../../store/contract.ts";
import { sessionNotFound } from "../../store/refusals.ts";
import type { Client } from "./attachments.ts";
import { Losses } from "./loss.ts";
import { LiveSession } from "./session.ts";
import type { SessionSetup } from "./session-setup.ts";
import type { KnownSessions } from "./sessions.ts";
import { endTurnsWith, failTurns } from "./turns.ts";

interface HoldingOptions {
  readonly registry: SessionRegistry;
  readonly sessions: KnownSessions;
  readonly log: Logger;
  /** The agent's process now, for the leases. */
  readonly agentProcess: () => ProcessIdentity | undefined;
  /** What the agent has said of itself last: an agent's id counts only with its agent. */
  readonly agentFacts: () => AgentFacts | undefined;
  readonly front?: Front;
}

/** What a left-over agent is given between SIGTERM and SIGKILL. */
const reapGraceMs = 500;

export class Holding {
  readonly #options: HoldingOptions;
  /** By the ids that the client asks for. */
  readonly #opening = new Map<string, Promise<LiveSession>>();
  /** The same by session: the client may ask for one by two of its ids at once. */
  readonly #taking = new Map<SessionId, Promise<LiveSession>>();
  /** Being let go: whoever wants one back waits for that. */
  readonly #releasing = new Map<SessionId, Promise<void>>();

  readonly #losses: Losses;

  constructor(options: HoldingOptions) {
    this.#options = options;
    this.#losses = new Losses(options);
  }

  /** The record that the client means by an id: ours, or one that this agent once gave. */
  async find(clientId: string): Promise<SessionRecord | undefined> {
    const { registry, sessions, agentFacts } = this.#options;
    const known = sessions.byClientId(clientId);
    return known === undefined ? registry.find(clientId, agentFacts()) : registry.peek(known.id);
  }

  /** The session, held. Errors: `SESSION_NOT_FOUND`, `SESSION_BUSY`, `LEASE_LOST`, `SESSION_LIMIT`, `STORE_…`. */
  async require(client: Client, clientId: string): Promise<LiveSession> {
    const { sessions } = this.#options;
    const live = sessions.byClientId(clientId);
    // Nobody has a session open in a request: whether it is ours is asked anew, and what was lost may be free again.
    if (this.#options.front === "request") return this.open(client, clientId, undefined);
    if (live?.lost !== undefined) throw live.lost;
    if (live?.isHeld !== true) return this.open(client, clientId, undefined);
    live.touch();
    sessions.name(live, client, clientId);
    return live;
  }

  /** Takes the session, or takes it back. Callers of the same id share one opening. */
  open(client: Client, clientId: string, setup: SessionSetup | undefined): Promise<LiveSession> {
    const opening = this.#opening.get(clientId) ?? this.#open(client, clientId, setup);
    const opened = opening.then((live) => {
      this.#options.sessions.name(live, client, clientId);
      return live;
    });
    this.#opening.set(clientId, opened);
    return opened.finally(() => this.#opening.delete(clientId));
  }

  /** Settles when the opening under this id, if there is one, has succeeded or failed. */
  async opened(clientId: string): Promise<void> {
    await this.#opening.get(clientId)?.catch(() => undefined);
  }

  /** Takes the lease of a session that has just been created. */
  async openNew(live: LiveSession): Promise<void> {
    const { journal, record } = await this.#options.registry.open(live.id, { holder: this.#holder() });
    live.hold(journal, record);
    this.#options.sessions.add(live);
    this.#options.log.info({ sessionId: live.id }, "session created");
  }

  /** For a session that is not held here: whether it has unsealed entries and no holder who would seal them. */
  isLeftOver({ headSeq, sealedSeq, lease }: SessionRecord): boolean {
    // Ours: it is being let go or opened at this moment, or the store has refused to take it back.
    return headSeq > sealedSeq && isFree(lease, this.#holder());
  }

  /** The agent session and the lease are let go; history stays. The client may go on with the session at any time. */
  release(live: LiveSession): Promise<void> {
    const under = this.#releasing.get(live.id);
    if (under !== undefined) return under;
    // In the lane, because a journal has one writer: a prompt may have come behind what was waited for.
    const releasing = live.outbound(() => this.#release(live)).finally(() => this.#releasing.delete(live.id));
    this.#releasing.set(live.id, releasing);
    return releasing;
  }

  /** Extends every lease and stores who holds it. */
  async renewAll(): Promise<void> {
    for (const live of this.#options.sessions.all()) {
      await this.#renewed(live).catch((error: unknown) => this.noteFailure(live, error));
    }
  }

  /** Draws the conclusion from a failed write: a lease or a session that is gone ends the session here. */
  noteFailure(live: LiveSession, error: unknown): void {
    if (live.noteLoss()) {
      this.#options.sessions.noteDormant(live);
      // Whoever reads slowly is told late, and holds up nobody else.
      void this.#losses.tell(live).catch((failure: unknown) => {
        const { log } = this.#options;
        log.warn({ sessionId: live.id, error: loggedReason(failure, log) }, "nobody could be told of a loss");
      });
    }
    this.#options.log.warn(
      { sessionId: live.id, error: loggedReason(error, this.#options.log) },
      "a session could not be written",
    );
  }

  /** The same, and ends every turn of the session with the failure. */
  fail(live: LiveSession, error: unknown): void {
    this.noteFailure(live, error);
    failTurns(live, error);
  }

  /** Whatever request it was that found it out: the session is not ours any more, and its clients are told. */
  noteLost(error: unknown): void {
    if (!isSidecarError(error, "LEASE_LOST")) return;
    const live = this.#options.sessions.byId(error.data["sessionId"] as SessionId);
    if (live?.isHeld === true) this.fail(live, error);
  }

  async #release(live: LiveSession): Promise<void> {
    this.#options.sessions.unbind(live);
    this.#options.sessions.noteDormant(live);
    const journal = live.letGo();
    if (journal === undefined) return;
    if (journal.headSeq > journal.sealedSeq) await journal.seal([]);
    await journal.release();
  }

  /** Whether a session is ours, which only the store knows: somebody else may have taken it over. */
  async #renewed(live: LiveSession): Promise<boolean> {
    if (!live.isHeld) return false;
    try {
      await live.journal.renew(this.#holder());
    } catch (error) {
      if (!live.noteLoss()) throw error;
      this.fail(live, error);
    }
    return live.isHeld;
  }

  async #open(client: Client, clientId: string, setup: SessionSetup | undefined): Promise<LiveSession> {
    const found = await this.find(clientId);
    if (found === undefined) throw sessionNotFound(clientId);
    const { id } = found;
    const taking = this.#taking.get(id) ?? this.#take(client, id, clientId, setup);
    this.#taking.set(id, taking);
    return taking.finally(() => this.#taking.delete(id));
  }

  async #take(
    client: Client,
    id: SessionId,
    clientId: string,
    setup: SessionSetup | undefined,
  ): Promise<LiveSession> {
    const { registry, sessions, log } = this.#options;
    await this.#releasing.get(id)?.catch(() => undefined);
    const known = sessions.byId(id);
    if (known !== undefined && (await this.#renewed(known))) return known;
    const opened = await registry.open(id, { holder: this.#holder() });
    const live = known ?? new LiveSession(id, setup ?? { mcpServers: [] });
    live.attachments.attach(client, clientId);
    if (setup !== undefined) live.setup = setup;
    // Turns that ran when the session was lost do not go on now that it is ours again: there is a gap.
    if (live.lost !== undefined) endTurnsWith(live, live.lost);
    // The agent session of before may have missed what another holder did.
    sessions.unbind(live);
    live.hold(opened.journal, opened.record);
    sessions.add(live);
    await this.#recoverFrom(id, opened);
    log.info({ sessionId: id }, "session opened");
    return live;
  }

  /** Clears up behind a holder that did not give the session back. */
  async #recoverFrom(id: SessionId, { previous, setAside }: OpenedJournal): Promise<void> {
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
    const agentStopped = holder.agent !== undefined && (await reapAgent(holder.agent, reapGraceMs));
    log.warn({ ...facts, deadHolder: holder.pid, turnRunning, agentStopped }, "session recovered");
  }

  #holder(): Holder {
    return thisHolder(this.#options.agentProcess());
  }
}
