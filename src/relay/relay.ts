/** The ACP method table: which handler answers the client, which the agent; and the relay's life. */
import type { StartAgent } from "../agent/agent.ts";
import { AgentSupervisor, type AgentObserver } from "../agent/supervisor.ts";
import { isRecord } from "../base/json.ts";
import { refusalIn } from "../session/audited-sharing.ts";
import { loggedReason, SidecarError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { noMeter, type Counting } from "../base/meter.ts";
import { Secrets } from "../base/secrets.ts";
import {
  Connection,
  type ConnectionOptions,
  type PeerHandlers,
  type RequestContext,
} from "../rpc/endpoint.ts";
import { textOfUpdate } from "../acp/updates.ts";
import type { SessionId } from "../base/ids.ts";
import type { SessionRegistry } from "../session/registry.ts";
import { Interval } from "../base/interval.ts";
import { waitAtMost } from "../base/time.ts";
import { agentRequest } from "./agent/requests.ts";
import type { RelayContext, RelayOptions } from "./context.ts";
import { measuredRequest } from "./measured.ts";
import { Outside } from "./outside.ts";
import { asTold } from "./safe-error.ts";
import { closeSession, deleteSession, detach } from "./methods/end.ts";
import { exportToClient } from "./methods/export.ts";
import { forkSession } from "./methods/fork.ts";
import { forwardRequest, forwardToAgent, forwardToClient } from "./methods/forward.ts";
import { authenticate, configureProvider, initialize, logout } from "./methods/initialize.ts";
import { listSessions } from "./methods/list.ts";
import { Holding } from "./live/holding.ts";
import { KnownSessions } from "./live/sessions.ts";
import { loadSession, resumeSession } from "./methods/load.ts";
import { newSession } from "./methods/new.ts";
import { archiveSession, sessionStatus, unarchiveSession } from "./methods/archive.ts";
import { pageOfMessages } from "./methods/messages.ts";
import { cancel, prompt } from "./methods/prompt.ts";
import { search } from "./methods/search.ts";
import { rewindSession } from "./methods/rewind.ts";
import { setConfigOption, setMode, setModel, setTitle } from "./methods/settings.ts";
import { runningTurns } from "./live/turns.ts";
import { Readers } from "./live/readers.ts";
import { Projects } from "./projects.ts";
import { Searching } from "./searching.ts";
import { Unclaimed } from "./live/unclaimed.ts";
import { canTakeUp } from "./agent/take-up.ts";
import { takeUpdates } from "./agent/updates.ts";

export interface RelayParts {
  readonly options: RelayOptions;
  readonly registry: SessionRegistry;
  readonly startAgent: StartAgent;
  /** The agent's program, to be recorded with sessions; none for the built-in agent. */
  readonly agentCommand: string | undefined;
  readonly agentRestart: { readonly attempts: number; readonly backoffMs: number };
  readonly log: Logger;
  /** What it learns from the client goes into these. */
  readonly secrets?: Secrets;
  /** Nothing is counted, unless told. */
  readonly meter?: Counting;
}

type Handler = (ctx: RelayContext, params: unknown, request: RequestContext) => Promise<unknown>;

/** On shutdown: how long the agent may take to end its turns. */
const shutdownGraceMs = 1200;
/** On shutdown: how long the client may take to read what it is still owed. */
const lastWordsMs = 2000;

export class Relay {
  /** For others on this machine. */
  readonly outside: Outside;
  readonly #ctx: RelayContext;
  readonly #heartbeat: Interval;
  #initialized: Promise<unknown> | undefined;

  /** Starts the agent and begins to listen to the client. */
  constructor({ options, registry, agentCommand, ...parts }: RelayParts, streams: ConnectionOptions) {
    const { startAgent: start, agentRestart: restart, log, secrets = new Secrets(), meter = noMeter } = parts;
    const agent = new AgentSupervisor({ start, restart, log, meter, command: agentCommand });
    const sessions = new KnownSessions();
    const facts = { agentProcess: () => agent.process, agentFacts: () => agent.facts };
    const holding = new Holding({ registry, sessions, log, ...options, ...facts });
    // Its first message comes in a later turn of the event loop.
    const connection = new Connection(streams, this.#clientHandlers());
    const client = { connection, facts: undefined, whose: (id: string) => sessions.whose(id) };
    const unclaimed = new Unclaimed((updates) => client.connection.sendTexts(updates.map(textOfUpdate)));
    const shared = { options, registry, log, secrets, meter, forwarded: new Map(), adopting: new Map() };
    const isBusy = () => [...sessions.all()].some((live) => runningTurns(live).length > 0);
    const searching = new Searching({ registry, log, ...options, isBusy });
    const readers = new Readers();
    const projects = new Projects({ registry, log, holding, ...options });
    const made = { client, agent, sessions, holding, readers, unclaimed, searching, projects };
    this.#ctx = { ...shared, ...made };
    this.outside = new Outside(this.#ctx);
    agent.observe(agentObserver(this.#ctx));
    agent.begin();
    this.#heartbeat = new Interval(options.leaseTtlMs / 3, () => {
      this.outside.heartbeatAtMs = Date.now();
      this.#endDeafAgent();
      return holding.renewAll();
    });
    registry.on("idle", ({ id }) => this.#detachIdle(id));
  }

  /** Settles when the client has sent its last message, or does not read any more: there is nobody to serve. */
  get clientEnded(): Promise<void> {
    const { ended, broken } = this.#ctx.client.connection;
    return Promise.race([ended, broken]);
  }

  /** Ends turns, lets go of sessions, stops the agent; on return nothing of it is left. */
  async close(): Promise<void> {
    const { agent, searching, projects } = this.#ctx;
    const client = this.#ctx.client.connection;
    client.stopReading();
    searching.idle.close();
    projects.close();
    const readersEnd = this.#ctx.readers.close();
    await this.#heartbeat.close();
    const letGo = this.#letAllGo();
    const lastWords = letGo.then(() => client.idle()).then(() => client.flushed());
    await waitAtMost(lastWords, lastWordsMs);
    // A client that does not read holds up its sessions no longer.
    client.close(new SidecarError("REQUEST_CANCELLED", "The client has gone"));
    await Promise.all([letGo, searching.close(), readersEnd]);
    // What the client asked for with its last words may have been made or loaded meanwhile.
    await this.#letAllGo();
    await agent.stop();
  }

  async #letAllGo(): Promise<void> {
    const { sessions, log } = this.#ctx;
    const letGo = [...sessions.all()].map((live) =>
      detach(this.#ctx, live, shutdownGraceMs).catch((error: unknown) => {
        log.error({ sessionId: live.id, error: loggedReason(error, log) }, "a session could not be let go");
      }),
    );
    await Promise.all(letGo);
  }

  #clientHandlers(): PeerHandlers {
    return {
      request: (method, params, request) => {
        const { idle } = this.#ctx.searching;
        idle.noteBegun();
        return measuredRequest(this.#ctx.meter, method, this.#clientRequest(method, params, request))
          .catch((error: unknown) => {
            this.#noteRefused(method, params, error);
            this.#ctx.holding.noteLost(error);
            throw asTold(this.#ctx, error);
          })
          .finally(() => {
            idle.noteDone();
            this.outside.answered.settle();
          });
      },
      notification: (method, params) => {
        if (method === "session/cancel") return cancel(this.#ctx, params);
        if (this.#initialized !== undefined) return forwardToAgent(this.#ctx, method, params);
      },
      invalid: ({ id, error }) => this.#ctx.client.connection.sendError(id, error),
    };
  }

  async #clientRequest(method: string, params: unknown, request: RequestContext): Promise<unknown> {
    // A prompt is what somebody says.
    if (method !== "session/prompt") this.#ctx.secrets.learn(params);
    if (method === "initialize") return this.#initialize(params);
    if ((await this.#initialized) === undefined) {
      throw new SidecarError("NOT_INITIALIZED", `${method} came before initialize: send initialize first`);
    }
    const handler = methods.get(method);
    if (handler !== undefined) return handler(this.#ctx, params, request);
    return forwardRequest(this.#ctx, method, params, request);
  }

  /** Somebody asked for what is not there for them. */
  #noteRefused(method: string, params: unknown, error: unknown): void {
    const what = refusalIn(error);
    if (what === undefined) return;
    const asked = isRecord(params) && typeof params.sessionId === "string" ? params.sessionId : undefined;
    this.#ctx.registry.audit.noteRefused({ what, session: asked, facts: { method } }, error);
  }

  /** One that fails leaves things as they were: a client that was initialized stays so. */
  #initialize(params: unknown): Promise<unknown> {
    const before = this.#initialized;
    const initialized = initialize(this.#ctx, params);
    this.#initialized = initialized.catch(() => before);
    return initialized;
  }

  /** What the client has sent stays with us, so it is not read, not even to cancel: only the agent's end helps. */
  #endDeafAgent(): void {
    const { stuckMs } = this.#ctx.client.connection;
    if (stuckMs < this.#ctx.options.deafMs) return;
    const seconds = Math.round(stuckMs / 1000);
    const reason = `The agent has read nothing for ${seconds} s of what waits for it, so it is ended`;
    this.#ctx.log.warn({ seconds }, "the agent does not read: ending it");
    this.#ctx.agent.abandon(new SidecarError("AGENT_EXITED", reason));
  }

  async #detachIdle(id: SessionId): Promise<void> {
    const live = this.#ctx.sessions.byId(id);
    if (live === undefined) return;
    // A conversation that its agent could not take up again stays with it.
    const isKept = live.binding !== undefined && !canTakeUp(live.binding.run);
    if (isKept || runningTurns(live).length > 0) return live.touch();
    await detach(this.#ctx, live, shutdownGraceMs);
    this.#ctx.log.info({ sessionId: live.id }, "idle session detached");
  }
}

function agentObserver(ctx: RelayContext): AgentObserver {
  return {
    handlers: {
      request: (method, params, request) => agentRequest(ctx, method, params, request),
      notification: (method, params) => forwardToClient(ctx, method, params),
      updates: (updates) => takeUpdates(ctx, updates),
    },
    onStart: (agent) => {
      ctx.log.info({ agentPid: agent.process?.pid }, "agent started");
      // The leases name the agent, so that a successor can stop it.
      void ctx.holding.renewAll();
    },
    onExit: (agent) => ctx.sessions.unbindAll(agent),
  };
}

/** Of all that we answer ourselves. */
export const methodNames = (): readonly string[] => [...methods.keys()];

const methods: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ["authenticate", authenticate],
  ["logout", logout],
  ...["providers/set", "providers/disable"].map((method) => [method, configureProvider(method)] as const),
  ["session/new", newSession],
  ["session/fork", forkSession],
  ["session/load", loadSession],
  ["session/resume", resumeSession],
  ["session/list", listSessions],
  ["session/prompt", prompt],
  ["session/close", closeSession],
  ["session/delete", deleteSession],
  ["session/set_mode", setMode],
  ["session/set_model", setModel],
  ["session/set_config_option", setConfigOption],
  ["session/set_title", setTitle],
  ["_acp-sidecar/export", exportToClient],
  ["session/archive", archiveSession],
  ["session/unarchive", unarchiveSession],
  ["session/status", sessionStatus],
  ["_acp-sidecar/search", search],
  ["_acp-sidecar/rewind", rewindSession],
  ["_acp-sidecar/messages", pageOfMessages],
]);
