/** One session while it is live: its journal, its two lanes, its binding to an agent session, its turns. */
import type { OwedEnd } from "./owed.ts";
import type { AgentState } from "../../acp/settings.ts";
import type { AgentRun } from "../../agent/supervisor.ts";
import { SidecarError } from "../../base/errors.ts";
import { addUpdate, charsOf, type ArrivedUpdate, type UpdateMessage } from "../../acp/updates.ts";
import type { SessionId } from "../../base/ids.ts";
import type { Journal } from "../../session/journal.ts";
import { Queue } from "../../base/queue.ts";
import type { RequestContext } from "../../rpc/endpoint.ts";
import type { SessionPatch, SessionRecord } from "../../store/contract.ts";
import { HandoverEcho } from "./handed-over.ts";
import type { Recall } from "./recall.ts";
import type { Replaying } from "./replaying.ts";
import type { SessionSetup } from "./session-setup.ts";
import { Attachments } from "./attachments.ts";
import type { Audience, Turn } from "./turn.ts";

/** The agent's side of a session. */
export interface Binding {
  readonly run: AgentRun;
  readonly agentSessionId: string;
}

/** Updates that wait in the lane together, and whether the client may see them. */
export interface UpdateBatch {
  readonly updates: ArrivedUpdate[];
  chars: number;
  readonly audience: Audience;
  /** `failures` of the session when they came. */
  readonly failures: number;
  readonly recall: Recall | undefined;
}

export class LiveSession {
  readonly id: SessionId;
  readonly attachments: Attachments;
  setup: SessionSetup;
  binding: Binding | undefined;
  /** From when the agent takes the session up until the next prompt: what it replays is held against the journal. */
  recall: Recall | undefined;
  /** An agent may say a handover back. */
  readonly handoverEcho = new HandoverEcho();
  /** Agent sessions that the agent says it has, but does not know when it is prompted. */
  readonly lostIds = new Set<string>();
  /** Set while the agent takes the session up: what it replays is told it. */
  replaying: Replaying | undefined;
  /** What the agent replays is kept, and not shown: its client has resumed the session. */
  isUnseen = false;
  /** Of what was swallowed, the last word on each thing that is state: it goes on when the attach is done. */
  readonly swallowedState = new Map<string, UpdateMessage>();
  /** What the agent said of modes and options when it was attached. */
  agentState: AgentState = {};
  /** Set while modes and options are chosen again: what the agent says of them then is no news, and gathered here. */
  choosing: { state: AgentState } | undefined;
  /** What the agent was told when it set the session up, for comparison. */
  givenSetup: string | undefined;
  /** A client has loaded it since the agent was last told of its setup. */
  isLoadedAnew = false;
  readonly turns = new Set<Turn>();
  /** The agent has a command of our name: then it is the agent's. */
  hasItsOwnSidecar = false;
  /** Clients have a list of commands with ours in it. */
  hasToldCommands = false;
  /** How often something struck all its turns: what waited then shares their fate. */
  failures = 0;
  /** The end of a turn that the store did not take; it goes before the next prompt. */
  owedEnd: OwedEnd | undefined;
  /** Open questions of the agent to a person, permissions and elicitations, each with the way to withdraw it. */
  readonly questions = new Set<() => void>();
  /** Requests and notifications of the client, on their way to the agent. */
  readonly inbound = new Queue();
  /** Whatever comes from the agent, on its way through the journal to the client. */
  readonly #outbound = new Queue();
  #openBatch: UpdateBatch | undefined;
  #journal: Journal | undefined;
  #record: SessionRecord | undefined;
  #lost: SidecarError | undefined;
  /** Rejects what waits for the agent when the session is let go. */
  readonly #waits = new Set<(error: SidecarError) => void>();

  constructor(id: SessionId, setup: SessionSetup) {
    this.id = id;
    this.attachments = new Attachments(id);
    this.setup = setup;
  }

  /** The agent does not know the conversation so far: the next prompt brings it. */
  get owesHandover(): boolean {
    return this.binding !== undefined && this.record.settings.owesHandoverTo === this.binding.agentSessionId;
  }

  /** The agent has answered a prompt that brought the conversation to its session. */
  async noteHandover(agentSessionId: string): Promise<void> {
    const { owesHandoverTo, ...settings } = this.record.settings;
    if (owesHandoverTo === agentSessionId) await this.update({ settings });
  }

  /** The record as last seen. */
  get record(): SessionRecord {
    if (this.#record === undefined)
      throw new SidecarError("INTERNAL", `Session ${this.id} has no record yet`);
    return this.#record;
  }

  /** Errors: `LEASE_LOST` when somebody else has taken the session over, `SESSION_CLOSED`. */
  get journal(): Journal {
    if (this.#lost !== undefined) throw this.#lost;
    if (this.#journal === undefined) throw closedMeanwhile(this.id);
    return this.#journal;
  }

  /** Held by this process, as far as it knows. */
  get isHeld(): boolean {
    return this.#journal !== undefined && this.#lost === undefined;
  }

  get lost(): SidecarError | undefined {
    return this.#lost;
  }

  hold(journal: Journal, record: SessionRecord): void {
    this.#journal = journal;
    this.#record = record;
    this.#lost = undefined;
  }

  /** The session is in use. */
  touch(): void {
    this.#journal?.touch();
  }

  /** Live no longer, though known here: the client may go on with it, or is to be told that it is lost. */
  endUse(): void {
    this.#journal?.endUse();
  }

  /** If the journal is lost, so is the session: whatever is asked of it is answered with that. Returns whether it is. */
  noteLoss(): boolean {
    this.#lost ??= this.#journal?.lost;
    return this.#lost !== undefined;
  }

  /** Gives up the journal without releasing it; returns it to whoever seals and releases it. */
  letGo(): Journal | undefined {
    for (const end of this.#waits) end(closedMeanwhile(this.id));
    const journal = this.#journal;
    this.#journal = undefined;
    this.binding = undefined;
    return this.#lost === undefined ? journal : undefined;
  }

  /** Settles as `work` does, unless the session is let go before: an agent may take its time. Errors: `SESSION_CLOSED`. */
  whileHeld<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waits.add(reject);
      void work.then(resolve, reject).then(() => this.#waits.delete(reject));
    });
  }

  async update(patch: SessionPatch): Promise<void> {
    this.#record = await this.journal.update(patch);
  }

  /** Runs a task in the order of what comes from the agent. */
  outbound<T>(task: () => Promise<T>): Promise<T> {
    this.#openBatch = undefined;
    return this.#outbound.run(task);
  }

  /**
   * Runs `finish` when everything before it has reached the client; what comes after it waits until its answer has
   * been written.
   */
  answerInOrder<T>(request: RequestContext, finish: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      void this.outbound(async () => {
        await finish().then(resolve, reject);
        await request.answered;
      });
    });
  }

  /** Puts updates into the lane; those that would wait there anyway wait together. */
  outboundUpdates(
    updates: readonly ArrivedUpdate[],
    deliver: (batch: UpdateBatch) => Promise<void>,
  ): Promise<void> | undefined {
    const { audience, recall, failures } = this;
    const chars = updates.reduce((sum, update) => sum + charsOf(update), 0);
    const open = this.#openBatch;
    if (open?.audience === audience && open.recall === recall) {
      for (const update of updates) addUpdate(open.updates, update);
      open.chars += chars;
      return undefined;
    }
    const batch: UpdateBatch = { updates: [...updates], chars, audience, failures, recall };
    this.#openBatch = batch;
    return this.#outbound.run(() => {
      if (this.#openBatch === batch) this.#openBatch = undefined;
      return deliver(batch);
    });
  }

  /** How much waits behind what is being delivered. */
  get waitingChars(): number {
    return this.#openBatch?.chars ?? 0;
  }

  /** Tasks in both lanes that have not ended. */
  get waiting(): number {
    return this.inbound.length + this.#outbound.length;
  }

  /** Settles when everything that is in the outbound lane now is done. */
  outboundIdle(): Promise<void> {
    return this.#outbound.idle();
  }

  /** Who may see what the agent sends now: a turn that we ended for it goes on unseen until it answers. */
  get audience(): Audience {
    let audience: Audience = this.isUnseen ? "journal" : "client";
    for (const turn of this.turns) {
      if (turn.audience === "nobody") return "nobody";
      if (turn.audience === "journal") audience = "journal";
    }
    return audience;
  }
}

/** The session was let go before this could be journaled. */
export function closedMeanwhile(sessionId: SessionId): SidecarError {
  return new SidecarError("SESSION_CLOSED", `Session ${sessionId} was closed meanwhile; load it again`, {
    data: { sessionId },
  });
}
