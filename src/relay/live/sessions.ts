/**
 * The sessions that this connection knows, held or held before: by our ids, by the client's, by the agent's. Which of
 * them are live, and since when nothing has happened in them, the registry knows.
 */
import type { Agent } from "../../agent/agent.ts";
import { SidecarError } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";
import { Children } from "./children.ts";
import type { Client } from "./attachments.ts";
import type { Binding, LiveSession } from "./session.ts";

/** How many sessions that were let go or lost are remembered. */
const maxDormant = 1000;
/** How many former agent sessions are remembered. */
const maxFormer = 1000;

export class KnownSessions {
  readonly #byId = new Map<SessionId, LiveSession>();
  /** By every id that a client has used for one. */
  readonly #byClientId = new Map<string, LiveSession>();
  readonly #byAgentId = new Map<string, LiveSession>();
  /** The sessions of subagents. */
  readonly children = new Children();
  /** Agent sessions that were ours: what their agent still says of them is for nobody. */
  readonly #former = new Recent<string>(maxFormer);
  /** Let go, but not closed: the client may go on with them. Or lost, which the client is to be told. */
  readonly #dormant = new Recent<LiveSession>(maxDormant);

  all(): IterableIterator<LiveSession> {
    return this.#byId.values();
  }

  byId(id: SessionId): LiveSession | undefined {
    return this.#byId.get(id);
  }

  byClientId(clientId: string): LiveSession | undefined {
    return this.#byClientId.get(clientId);
  }

  /** Our id of the session that a client knows by this one, or of which it is a subagent's. */
  whose(clientId: string): SessionId | undefined {
    return (this.#byClientId.get(clientId) ?? this.children.byId(clientId)?.live)?.id;
  }

  /** The session that the agent means: by an id of its own, or by ours, which it may have met. */
  byAgentId(agentSessionId: unknown): LiveSession | undefined {
    if (typeof agentSessionId !== "string") return undefined;
    const named = this.#byAgentId.get(agentSessionId);
    if (named !== undefined) return named;
    const ours = this.#byId.get(agentSessionId as SessionId);
    return ours?.binding === undefined ? undefined : ours;
  }

  /** Whether an agent session was ours and is no more. */
  isFormer(agentSessionId: unknown): boolean {
    if (typeof agentSessionId !== "string" || this.byAgentId(agentSessionId) !== undefined) return false;
    if (this.children.byAgentId(agentSessionId) !== undefined) return false;
    return this.#former.has(agentSessionId) || this.#byId.has(agentSessionId as SessionId);
  }

  /** A session that is held. */
  add(live: LiveSession): void {
    this.#dormant.delete(live);
    this.#byId.set(live.id, live);
    for (const { sessionId } of live.attachments) this.#byClientId.set(sessionId, live);
  }

  /** The client goes on with the session by this id, so it is told of the session by this id from now on. */
  name(live: LiveSession, client: Client, clientId: string): void {
    live.attachments.attach(client, clientId);
    this.#byClientId.set(clientId, live);
  }

  /** No longer live, but known: the client may go on with it, or is to be told that it is lost. */
  noteDormant(live: LiveSession): void {
    live.endUse();
    const oldest = this.#dormant.add(live);
    if (oldest !== undefined) this.remove(oldest);
  }

  remove(live: LiveSession): void {
    this.unbind(live);
    live.endUse();
    this.children.remove(live);
    this.#dormant.delete(live);
    if (this.#byId.get(live.id) === live) this.#byId.delete(live.id);
    for (const [name, named] of this.#byClientId) if (named === live) this.#byClientId.delete(name);
  }

  /**
   * Binds a session to an agent's, which may be another one than before. Errors: `AGENT_PROTOCOL` when another session
   * has it: the two would be one to the agent.
   */
  bind(live: LiveSession, binding: Binding): void {
    const other = this.#byAgentId.get(binding.agentSessionId);
    if (other !== undefined && other.id !== live.id) {
      const reason = `The agent gave the id of another session, ${binding.agentSessionId}, to a new one`;
      throw new SidecarError("AGENT_PROTOCOL", reason, { data: { sessionId: other.id } });
    }
    this.unbind(live);
    live.binding = binding;
    this.#byAgentId.set(binding.agentSessionId, live);
    this.#former.delete(binding.agentSessionId);
    this.children.bind(live);
  }

  unbind(live: LiveSession): void {
    const id = live.binding?.agentSessionId;
    for (const child of this.children.unbind(live)) this.#former.add(child);
    live.binding = undefined;
    if (id === undefined || this.#byAgentId.get(id) !== live) return;
    this.#byAgentId.delete(id);
    this.#former.add(id);
  }

  /** A run of the agent has ended; the next one may give the same ids to other sessions. */
  unbindAll(agent: Agent): void {
    for (const live of this.all()) if (live.binding?.run.agent === agent) this.unbind(live);
    this.#former.clear();
  }
}

/** Remembers the latest of many, and forgets the oldest when they become too many. */
class Recent<T> {
  readonly #most: number;
  /** In the order in which they were added. */
  readonly #kept = new Set<T>();

  constructor(most: number) {
    this.#most = most;
  }

  has(value: T): boolean {
    return this.#kept.has(value);
  }

  /** Returns what is forgotten for it. */
  add(value: T): T | undefined {
    this.#kept.delete(value);
    this.#kept.add(value);
    if (this.#kept.size <= this.#most) return undefined;
    const [oldest] = this.#kept;
    if (oldest !== undefined) this.#kept.delete(oldest);
    return oldest;
  }

  delete(value: T): void {
    this.#kept.delete(value);
  }

  clear(): void {
    this.#kept.clear();
  }
}
