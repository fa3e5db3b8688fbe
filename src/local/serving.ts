/** What a process offers to others on this machine: its endpoint, and its figures, which outlive it. */
import { reasonOf } from "../base/errors.ts";
import { Interval } from "../base/interval.ts";
import type { Logger } from "../base/log.ts";
import type { Meter } from "../base/meter.ts";
import { startOf } from "../base/process.ts";
import { version } from "../base/version.ts";
import { figuresFolder, surroundings, type Surroundings } from "../config/paths.ts";
import { cacheCounters } from "../figures/cache-counters.ts";
import { Figures, type Found } from "../figures/figures.ts";
import type { OpenTelemetry } from "../figures/open-telemetry.ts";
import { KeptFigures, newFiguresId } from "../figures/kept.ts";
import { LoopDelay, processFigures } from "../figures/process-figures.ts";
import type { Snapshot } from "../figures/snapshot.ts";
import type { EndAnswer, EndParams, LiveSessionStatus, ProcessStatus } from "./answers.ts";
import { sweep, type OwnEndpoint } from "./machine.ts";
import { newPlace } from "./place.ts";
import { LocalServer } from "./server.ts";

/** What a process says of itself when it is asked; texts are names, freed of secrets. */
export interface SubjectFacts extends Pick<ProcessStatus, "client" | "agentPid" | "heartbeatAtMs"> {
  readonly sessions: readonly LiveSessionStatus[];
}

/** A process that can be asked. */
export interface Subject {
  /** The command that it runs. */
  readonly kind: "serve" | "http";
  readonly agent: string;
  readonly store: string;
  readonly meter: Meter;
  readonly log: Logger;
  facts(): SubjectFacts;
  /** Ends a session in order; false where it is not live here. */
  endSession(id: string): Promise<boolean>;
  /** Begins to end the process in order. */
  endProcess(): Promise<void>;
  /** Of a store with caches: what it knows of itself. */
  storeDetails?(): Promise<Readonly<Record<string, number | string>>>;
}

export interface Local {
  /** For this process itself, which need not go by its socket; undefined where it could not be opened. */
  readonly own: OwnEndpoint | undefined;
  /** On return the endpoint is gone, and what was counted is kept. */
  close(): Promise<void>;
}

/** So often what was counted is written, if it was. */
const keepMs = 30_000;
/** A store counts its entries for what it says of itself. */
const askAgainMs = 10_000;

interface LocalOptions {
  /** Nothing is opened: only what was counted is kept. */
  readonly isEnding?: boolean;
  readonly env?: Surroundings["env"];
}

export async function openLocal(subject: Subject, options: LocalOptions = {}): Promise<Local> {
  const { env = process.env } = options;
  const local = new LocalProcess(subject, env, await telemetryFor(subject, env));
  if (options.isEnding !== true) await local.open();
  return local;
}

/** Nothing of it is loaded unless it is asked for. */
async function telemetryFor({ log }: Subject, env: Surroundings["env"]): Promise<OpenTelemetry | undefined> {
  if (env["OTEL_EXPORTER_OTLP_ENDPOINT"] === undefined) return undefined;
  const { openTelemetry } = await import("../figures/open-telemetry.ts");
  return openTelemetry({ env, log });
}

class LocalProcess implements Local {
  readonly #subject: Subject;
  readonly #env: Surroundings["env"];
  readonly #id = newFiguresId();
  readonly #figures = new Figures(() => this.#delay.note());
  readonly #delay: LoopDelay;
  readonly #kept: KeptFigures | undefined;
  readonly #telemetry: OpenTelemetry | undefined;
  #keeping: Interval | undefined;
  #server: LocalServer | undefined;
  readonly #said = new Set<string>();
  #cached: Found["counters"] = {};
  #askedMs = -Infinity;
  /** How much was counted when it was written last. */
  #written = 0;

  constructor(subject: Subject, env: Surroundings["env"], telemetry: OpenTelemetry | undefined) {
    this.#subject = subject;
    this.#env = env;
    const folder = figuresFolder(surroundings(env));
    this.#kept = folder === undefined ? undefined : new KeptFigures(folder);
    this.#telemetry = telemetry;
    const counting = telemetry?.beside(this.#figures) ?? this.#figures;
    this.#delay = new LoopDelay(counting);
    subject.meter.tell(counting);
    telemetry?.observe(() => this.#snapshot());
  }

  /** What cannot be opened is said in the log, and the process goes on without. */
  async open(): Promise<void> {
    this.#keeping = new Interval(keepMs, () => this.#keepChanges());
    await this.#keepChanges();
    await this.#try("figures of processes that have ended are not added up", () => this.#kept?.addUp());
    await this.#try("acp-sidecar ps does not see this process", async () => {
      await sweep(this.#env);
      this.#server = await LocalServer.open(await newPlace(this.#env), {
        status: () => this.#status(),
        figures: async () => ({ id: this.#id, snapshot: await this.#keep() }),
        end: (params) => this.#end(params),
      });
    });
  }

  get own(): OwnEndpoint | undefined {
    return this.#server;
  }

  async close(): Promise<void> {
    await this.#keeping?.close();
    await this.#server?.close();
    await this.#telemetry?.close();
    this.#delay.close();
    await this.#keepChanges();
  }

  #status(): ProcessStatus {
    const { kind, agent, store } = this.#subject;
    return {
      kind,
      pid: process.pid,
      startedAt: startOf(process.pid) ?? "",
      sinceMs: Math.round(performance.timeOrigin),
      version,
      agent,
      store,
      residentBytes: process.memoryUsage.rss(),
      ...this.#subject.facts(),
    };
  }

  async #end({ sessionId }: EndParams): Promise<EndAnswer> {
    if (sessionId !== undefined)
      return { outcome: (await this.#subject.endSession(sessionId)) ? "ended" : "notLive" };
    // Whoever asked has the answer first.
    setImmediate(() => void this.#subject.endProcess());
    return { outcome: "ending" };
  }

  async #keepChanges(): Promise<void> {
    if (this.#figures.changes !== this.#written) await this.#keep();
  }

  /** What somebody is told is written first: it does not become less when this process is killed. */
  async #keep(): Promise<Snapshot> {
    const snapshot = await this.#snapshot();
    this.#written = this.#figures.changes;
    await this.#try("what was counted is not kept", () => this.#kept?.write(this.#id, snapshot));
    return snapshot;
  }

  async #snapshot(): Promise<Snapshot> {
    const own = processFigures();
    const { sessions } = this.#subject.facts();
    const sum = (of: (each: LiveSessionStatus) => number) =>
      sessions.reduce((all, each) => all + of(each), 0);
    const live = {
      liveSessions: sessions.length,
      runningTurns: sum(({ turnSinceMs }) => (turnSinceMs === undefined ? 0 : 1)),
      attachments: sum(({ clients }) => clients),
      queueLength: sum(({ waiting }) => waiting),
    };
    return this.#figures.snapshot({
      gauges: { ...own.gauges, ...live },
      counters: { ...own.counters, ...(await this.#cacheCounters()) },
    });
  }

  /** A store that cannot be asked has told what it could before. */
  async #cacheCounters(): Promise<Found["counters"]> {
    const subject = this.#subject;
    if (subject.storeDetails === undefined || performance.now() - this.#askedMs < askAgainMs)
      return this.#cached;
    this.#askedMs = performance.now();
    await this.#try("a store's caches are not counted", async () => {
      this.#cached = cacheCounters((await subject.storeDetails?.()) ?? {});
    });
    return this.#cached;
  }

  async #try(otherwise: string, act: () => void | Promise<void> | undefined): Promise<void> {
    try {
      await act();
    } catch (error) {
      // Whatever it is, it will be so the next time: once is enough.
      if (this.#said.has(otherwise)) return;
      this.#said.add(otherwise);
      this.#subject.log.warn({ error: reasonOf(error) }, otherwise);
    }
  }
}
