/** Keeps an agent running: starts it, starts it again when it has died, and brings a new run to where the old one was. */
import { isSidecarError, loggedReason, reasonOf, SidecarError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { noMeter, type Counting } from "../base/meter.ts";
import { isRecord } from "../base/json.ts";
import type { ProcessIdentity } from "../base/process.ts";
import { pause } from "../base/time.ts";
import { agentFactsOf, capabilitiesOf, type AgentCapabilities } from "../acp/v1/initialize.ts";
import type { Agent, AgentHandlers, StartAgent } from "./agent.ts";

/** One run of the agent that has answered `initialize`. */
export interface AgentRun {
  readonly agent: Agent;
  /** Its answer to `initialize`, as it came. */
  readonly initialized: Readonly<Record<string, unknown>>;
  /** What it can do by itself. */
  readonly can: AgentCapabilities;
  /** What is recorded of it with a session. */
  readonly facts: ReturnType<typeof agentFactsOf>;
}

export interface SupervisorOptions {
  readonly start: StartAgent;
  /** The agent's program, to be recorded with sessions; none for the built-in agent. */
  readonly command?: string | undefined;
  /** Failed runs in a row until a pause is made, and the first pause between two tries (it doubles). */
  readonly restart: { readonly attempts: number; readonly backoffMs: number };
  readonly log: Logger;
  /** Nothing is counted, unless told. */
  readonly meter?: Counting;
}

export interface AgentObserver {
  /** What every run's messages are handed to; a run has handed over its last one before it counts as ended. */
  readonly handlers: AgentHandlers;
  /** Told of every run that ended without being asked to. */
  readonly onExit: (agent: Agent, error: SidecarError) => void;
  /** Told of every run that started, before anything is sent to it. */
  readonly onStart: (agent: Agent) => void;
}

/** After too many failures one more try is allowed after this long. */
const coolDownMs = 30_000;
/** Beyond so many requests the oldest is not repeated. */
const maxRepeated = 100;

export class AgentSupervisor {
  readonly #options: SupervisorOptions;
  #observer: AgentObserver | undefined;
  #current: Agent | undefined;
  #starting: Promise<Agent> | undefined;
  #running: Promise<AgentRun> | undefined;
  #initializeParams: unknown;
  /** What the client has set up on the connection, in order, by what it is about; secrets, kept in memory only. */
  readonly #repeated = new Map<string, { readonly method: string; readonly params: unknown }>();
  #failures = 0;
  #hasRun = false;
  #failedAtMs = 0;
  #lastError: SidecarError | undefined;
  #facts: AgentRun["facts"] | undefined;
  readonly #stopping = new AbortController();

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** To be called before a run is asked for. */
  observe(observer: AgentObserver): void {
    this.#observer = observer;
  }

  /** The process of the run that there is, if it is one of its own. */
  get process(): ProcessIdentity | undefined {
    return this.#current?.process;
  }

  /** What the last run said of itself; undefined before the first one was initialized. */
  get facts(): AgentRun["facts"] | undefined {
    return this.#facts;
  }

  /** Starts the process ahead of the first `initialize`; a failure is reported then. */
  begin(): void {
    this.#agent().catch(() => undefined);
  }

  /** Forwards the client's `initialize` and remembers it for later runs. */
  async initialize(params: unknown): Promise<AgentRun> {
    this.#initializeParams = params;
    const agent = await this.#agent();
    return this.#keep(this.#initializeRun(agent));
  }

  /** A run that is alive and initialized; starts one if need be. Errors: `AGENT_…`. */
  async run(): Promise<AgentRun> {
    return this.#running ?? this.#keep(this.#restart());
  }

  /** Does something with the run that there is; nothing when there is none. */
  async ifRunning(act: (run: AgentRun) => Promise<void>): Promise<void> {
    const run = await this.#running?.catch(() => undefined);
    if (run !== undefined) await act(run);
  }

  /** A request that sets up the connection is repeated after a restart: of several about one thing only the last. */
  remember(about: string, method: string, params: unknown): void {
    this.#repeated.delete(about);
    this.#repeated.set(about, { method, params });
    const [oldest] = this.#repeated.keys();
    if (this.#repeated.size > maxRepeated && oldest !== undefined) this.#repeated.delete(oldest);
  }

  forget(about: string): void {
    this.#repeated.delete(about);
  }

  /** The agent does its work: failures are counted anew. */
  noteSuccess(): void {
    this.#failures = 0;
  }

  /** Gives up a run that does not listen: the next one is asked instead. */
  abandon(reason: SidecarError): void {
    this.#current?.abandon(reason);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const agent = await this.#starting?.catch(() => undefined);
    await agent?.stop();
  }

  /** From now on it is the run that there is, unless it fails. */
  #keep(running: Promise<AgentRun>): Promise<AgentRun> {
    this.#running = running;
    running.catch(() => {
      if (this.#running === running) this.#running = undefined;
    });
    return running;
  }

  async #restart(): Promise<AgentRun> {
    const agent = await this.#agent();
    const run = await this.#initializeRun(agent);
    for (const { method, params } of this.#repeated.values()) await this.#repeat(agent, method, params);
    return run;
  }

  /** An agent that refuses will say so to whoever needs it: not all that a client wants needs a login. */
  async #repeat(agent: Agent, method: string, params: unknown): Promise<void> {
    try {
      await agent.request(method, params);
    } catch (error) {
      if (error instanceof SidecarError) throw error;
      this.#options.log.warn(
        { method, error: loggedReason(error, this.#options.log) },
        "the agent did not take a login or provider again",
      );
    }
  }

  async #initializeRun(agent: Agent): Promise<AgentRun> {
    const result = await agent.request("initialize", this.#initializeParams);
    if (!isRecord(result)) {
      const message = "The agent answered initialize with something that is not an object";
      throw new SidecarError("AGENT_PROTOCOL", message);
    }
    const facts = agentFactsOf(result, this.#options.command);
    this.#facts = facts;
    return { agent, initialized: result, can: capabilitiesOf(result), facts };
  }

  #agent(): Promise<Agent> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  async #start(): Promise<Agent> {
    try {
      await this.#backOff();
      if (this.#stopping.signal.aborted)
        throw new SidecarError("AGENT_EXITED", "The sidecar is shutting down");
      if (this.#observer === undefined) throw new Error("nobody observes the agent");
      const agent = await this.#options.start(this.#observer.handlers);
      this.#noteStarted();
      this.#current = agent;
      this.#observer.onStart(agent);
      this.#watch(agent);
      return agent;
    } catch (error) {
      this.#starting = undefined;
      if (!isSidecarError(error, "AGENT_UNAVAILABLE")) this.#noteFailure(error);
      if (isSidecarError(error, "AGENT_NOT_STARTED")) this.#meter.add("agentStarts", "failed");
      throw error;
    }
  }

  /** Settles when the next try may be made. Errors: `AGENT_UNAVAILABLE`. */
  async #backOff(): Promise<void> {
    const { attempts, backoffMs } = this.#options.restart;
    const sinceMs = performance.now() - this.#failedAtMs;
    if (this.#failures > attempts && sinceMs < coolDownMs) {
      const seconds = Math.ceil((coolDownMs - sinceMs) / 1000);
      throw new SidecarError(
        "AGENT_UNAVAILABLE",
        `The agent has failed ${this.#failures} times in a row and is not started again for ${seconds} s: ${reasonOf(this.#lastError)}`,
        { data: { failures: this.#failures, retryAfterSeconds: seconds, ...this.#lastError?.data } },
      );
    }
    // The first restart comes at once: one crash should not be felt.
    const pauseMs = this.#failures < 2 ? 0 : backoffMs * 2 ** (this.#failures - 2) - sinceMs;
    if (pauseMs > 0) await pause(pauseMs, this.#stopping.signal);
  }

  #watch(agent: Agent): void {
    void agent.exited.then(({ error, wanted }) => {
      if (this.#current === agent) this.#current = undefined;
      this.#starting = undefined;
      this.#running = undefined;
      if (wanted) return;
      this.#noteFailure(error);
      this.#meter.add("agentDeaths");
      // Its last words are in the error for the client; they may quote a prompt.
      const { exitCode, signal } = error.data;
      this.#options.log.warn({ exitCode, signal }, "the agent ended");
      this.#observer?.onExit(agent, error);
    });
  }

  get #meter(): Counting {
    return this.#options.meter ?? noMeter;
  }

  #noteStarted(): void {
    this.#meter.add("agentStarts", "ok");
    if (this.#hasRun) this.#meter.add("agentRestarts");
    this.#hasRun = true;
  }

  #noteFailure(error: unknown): void {
    this.#failures += 1;
    this.#failedAtMs = performance.now();
    this.#lastError =
      error instanceof SidecarError ? error : new SidecarError("AGENT_NOT_STARTED", reasonOf(error));
  }
}
