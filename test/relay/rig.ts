/** A relay in this process, between a client and an agent that do what a test says, over streams in memory. */
import { PassThrough, Transform } from "node:stream";
import type { Agent, AgentExit, AgentHandlers } from "../../src/agent/agent.ts";
import { SidecarError } from "../../src/base/errors.ts";
import { silentLogger, type Logger } from "../../src/base/log.ts";
import type { Counting } from "../../src/base/meter.ts";
import { Connection, type RequestContext } from "../../src/rpc/endpoint.ts";
import { updateLane } from "../../src/acp/chunks.ts";
import { paramsOf, type UpdateParams } from "../../src/acp/updates.ts";
import type { RelayOptions } from "../../src/relay/context.ts";
import { Relay } from "../../src/relay/relay.ts";
import type { RegistryOptions } from "../../src/session/registry-options.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import type { Store } from "../../src/store/contract.ts";

const maxMessageBytes = 1 << 20;

export type Params = Readonly<Record<string, unknown>>;
type Answer = (params: Params, agent: ScriptedAgent, context: RequestContext) => unknown;

/** What the agent does with each method; one that is not there is answered with an empty object. */
export type Script = Readonly<Record<string, Answer>>;

/** One run of the agent, as the test sees it. */
export class ScriptedAgent {
  /** Method and params of all that it was sent. */
  readonly heard: [method: string, params: Params][] = [];
  readonly connection: Connection;
  readonly ours: Agent;
  /** It reads no more. */
  isDeaf = false;
  #ended: (exit: AgentExit) => void = () => undefined;

  constructor(script: Script, handlers: AgentHandlers) {
    const fromAgent = new PassThrough();
    const toAgent = new Transform({
      transform: (chunk, _encoding, done) => {
        if (!this.isDeaf) done(null, chunk);
      },
    });
    const options = { maxMessageBytes, log: silentLogger };
    const lane = updateLane((updates) => handlers.updates(updates));
    const relaySide: Connection = new Connection(
      { input: fromAgent, output: toAgent, ...options, lane },
      { ...handlers, invalid: ({ id, error }) => void (id !== null && relaySide.sendError(id, error)) },
    );
    const take = (method: string, params: unknown) => this.heard.push([method, params as Params]);
    this.connection = new Connection(
      { input: toAgent, output: fromAgent, ...options },
      {
        request: async (method, params, context) => {
          take(method, params);
          return (await script[method]?.(params as Params, this, context)) ?? {};
        },
        notification: (method, params) => {
          take(method, params);
          script[method]?.(params as Params, this, undefined as never);
        },
        invalid: () => undefined,
      },
    );
    const exited = new Promise<AgentExit>((resolve) => (this.#ended = resolve));
    const end = (wanted: boolean) => {
      const error = new SidecarError("AGENT_EXITED", "The agent has gone");
      this.connection.close(error);
      relaySide.close(error);
      this.#ended({ error, wanted });
    };
    this.ours = {
      get received() {
        return relaySide.received;
      },
      request: (method, params, how) => relaySide.request(method, params, how),
      notify: (method, params) => relaySide.notify(method, params),
      exited,
      stop: async () => end(true),
      // Its end is for the test to bring about.
      abandon: (reason) => relaySide.close(reason),
    };
    this.die = () => end(false);
  }

  readonly die: () => void;

  say(sessionId: string, text: string): Promise<void> {
    return this.update(sessionId, { sessionUpdate: "agent_message_chunk", content: { type: "text", text } });
  }

  update(sessionId: string, update: object): Promise<void> {
    return this.connection.notify("session/update", { sessionId, update });
  }

  /** The params of all that it was sent of `method`. */
  heardOf(method: string): Params[] {
    return this.heard.filter(([name]) => name === method).map(([, params]) => params);
  }
}

export interface RigOptions {
  readonly script?: Script;
  readonly store?: Store;
  readonly relay?: Partial<RelayOptions>;
  readonly registry?: Partial<RegistryOptions>;
  readonly log?: Logger;
  readonly meter?: Counting;
  /** What the client answers; a request of the agent that is not there is answered with an empty object. */
  readonly client?: Readonly<Record<string, (params: Params, context: RequestContext) => unknown>>;
  readonly clientCapabilities?: object;
  /** The client reads on when this settles; asked behind every bundle of updates. */
  readonly clientReads?: () => Promise<void> | void;
}

const relayDefaults: RelayOptions = {
  cancelGraceMs: 10_000,
  handoverBytes: 100_000,
  maxEntryBytes: maxMessageBytes,
  leaseTtlMs: 30_000,
  deafMs: 30_000,
  // Or every session begins with a list of ours; test/relay/commands/offered.test.ts has them on.
  commands: "off",
};

/** An agent's answer to `initialize`. */
export function initialized(sessionCapabilities: object = {}, more: object = {}) {
  return () => ({
    protocolVersion: 1,
    agentInfo: { name: "scripted", version: "1" },
    agentCapabilities: { sessionCapabilities, ...more },
  });
}

/** Starts a relay and initializes it. */
export async function rig(options: RigOptions = {}) {
  const { script = {}, store = openMemoryStore(), log = silentLogger } = options;
  let sessions = 0;
  const whole: Script = {
    initialize: initialized(),
    "session/new": () => ({ sessionId: `agent-${(sessions += 1)}` }),
    "session/prompt": () => ({ stopReason: "end_turn" }),
    ...script,
  };
  const agents: ScriptedAgent[] = [];
  const { leaseTtlMs } = { ...relayDefaults, ...options.relay };
  const registry = new SessionRegistry({ store, log, leaseTtlMs, ...options.registry });
  const [toRelay, fromRelay] = [new PassThrough(), new PassThrough()];
  const relay = new Relay(
    {
      options: { ...relayDefaults, ...options.relay },
      registry,
      startAgent: async (handlers) => {
        const agent = new ScriptedAgent(whole, handlers);
        agents.push(agent);
        return agent.ours;
      },
      agentCommand: undefined,
      agentRestart: { attempts: 5, backoffMs: 10 },
      log,
      ...(options.meter && { meter: options.meter }),
    },
    { input: toRelay, output: fromRelay, maxMessageBytes, log: silentLogger },
  );
  const updates: UpdateParams[] = [];
  const notified: [method: string, params: unknown][] = [];
  const lane = updateLane((more) => {
    updates.push(...paramsOf(more));
    return options.clientReads?.();
  });
  const client = new Connection(
    { input: fromRelay, output: toRelay, maxMessageBytes, log: silentLogger, lane },
    {
      request: async (method, params, context) =>
        (await options.client?.[method]?.(params as Params, context)) ?? {},
      notification: (method, params) => void notified.push([method, params]),
      invalid: ({ error }) => void notified.push(["invalid", error.message]),
    },
  );
  const capabilities = options.clientCapabilities ?? {};
  await client.request("initialize", { protocolVersion: 1, clientCapabilities: capabilities });
  const agentNow = (): ScriptedAgent => {
    const agent = agents.at(-1);
    if (agent === undefined) throw new Error("no agent was started");
    return agent;
  };
  return {
    client,
    relay,
    registry,
    store,
    agents,
    agentNow,
    updates,
    notified,
    /** Writes to the relay in one chunk. */
    writeTogether: (...messages: readonly object[]) =>
      toRelay.write(messages.map((each) => `${JSON.stringify({ jsonrpc: "2.0", ...each })}\n`).join("")),
    newSession: async () => {
      const result = (await client.request("session/new", { cwd: "/work", mcpServers: [] })) as {
        sessionId: string;
      };
      return result.sessionId;
    },
    prompt: (sessionId: string, text = "go") =>
      client.request("session/prompt", { sessionId, prompt: [{ type: "text", text }] }),
    load: (sessionId: string) => client.request("session/load", { sessionId, cwd: "/work", mcpServers: [] }),
    /** What the client was shown of the agent's text. */
    shown: () =>
      updates
        .filter(({ update }) => update.sessionUpdate === "agent_message_chunk")
        .map(({ update }) => (update["content"] as { text: string }).text)
        .join(""),
    close: async () => {
      await relay.close();
      await registry.close();
    },
  };
}

export type Rig = Awaited<ReturnType<typeof rig>>;

export function gate() {
  let open: () => void = () => undefined;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { passed, open };
}

/** Settles when `condition` holds; the test's own time limit ends the waiting. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
