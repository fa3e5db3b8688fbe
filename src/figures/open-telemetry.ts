/**
 * OpenTelemetry, where the user has it: our figures go to the meter, and a span per turn to the tracer, that an SDK of
 * the user's has registered in this process. Without its variable nothing of it is loaded.
 */
import type * as Api from "@opentelemetry/api";
import { reasonOf, systemCodeOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Counting, Timed } from "../base/meter.ts";
import { waitAtMost } from "../base/time.ts";
import { version } from "../base/version.ts";
import { attributesOf, histograms, observables, type Observed } from "./instruments.ts";
import type { Snapshot } from "./snapshot.ts";
import { allowedValues, times, type Figure } from "./table.ts";
import { tellTurn } from "./turn-span.ts";

interface Options {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
  /** In the place of `import("@opentelemetry/api")`. */
  readonly load?: () => Promise<unknown>;
}

/** Whoever exports may take so long at the end of the process. */
const flushMs = 1000;

/** Undefined where it is not asked for, or cannot be had; then a line in the log says why. */
export async function openTelemetry(options: Options): Promise<OpenTelemetry | undefined> {
  const { env, log, load = () => import("@opentelemetry/api") } = options;
  if (!env["OTEL_EXPORTER_OTLP_ENDPOINT"] || env["OTEL_SDK_DISABLED"]?.toLowerCase() === "true")
    return undefined;
  try {
    const api = apiIn(await load());
    if (!isRegistered(api))
      log.warn(
        {},
        "no OpenTelemetry SDK is loaded that fits @opentelemetry/api here, so nothing is exported: see docs/figures.md",
      );
    return new OpenTelemetry(api, log);
  } catch (error) {
    const isMissing = systemCodeOf(error) === "ERR_MODULE_NOT_FOUND";
    const why = isMissing
      ? "the package @opentelemetry/api is not installed beside acp-sidecar, so OpenTelemetry is told nothing"
      : "OpenTelemetry is told nothing";
    log.warn(isMissing ? {} : { error: reasonOf(error) }, why);
    return undefined;
  }
}

/** Node may show the exports of a CommonJS package as one default only. */
function apiIn(module: unknown): typeof Api {
  const { default: whole, metrics } = module as typeof Api & { readonly default?: typeof Api };
  return metrics === undefined && whole !== undefined ? whole : (module as typeof Api);
}

function isRegistered({ metrics, trace, createNoopMeter, ProxyTracerProvider }: typeof Api): boolean {
  const noTracers = new ProxyTracerProvider().getDelegate();
  const tracers = trace.getTracerProvider();
  const hasTracers = !(tracers instanceof ProxyTracerProvider) || tracers.getDelegate() !== noTracers;
  return hasTracers || metrics.getMeter("acp-sidecar") !== createNoopMeter();
}

/** What an SDK throws costs nothing but a line in the log. */
export class OpenTelemetry {
  readonly #api: typeof Api;
  readonly #log: Logger;
  readonly #meter: Api.Meter;
  readonly #tracer: Api.Tracer;
  readonly #times: ReadonlyMap<Timed, Api.Histogram>;
  readonly #observed: Observed;
  #collect: Api.BatchObservableCallback | undefined;
  #hasFailed = false;

  constructor(api: typeof Api, log: Logger) {
    this.#api = api;
    this.#log = log;
    this.#meter = api.metrics.getMeter("acp-sidecar", version);
    this.#tracer = api.trace.getTracer("acp-sidecar", version);
    this.#times = histograms(this.#meter);
    this.#observed = observables(this.#meter);
  }

  /** What is told of times and turns besides what `figures` count. Counters are read when somebody collects. */
  beside(figures: Counting): Counting {
    return {
      add: (what, of, by) => figures.add(what, of, by),
      time: (what, of, seconds) => {
        figures.time(what, of, seconds);
        this.#time(what, of, seconds);
      },
      turn: (ended) => this.#try(() => tellTurn(this.#api, this.#tracer, ended())),
    };
  }

  /** From now on whoever collects gets what `snapshot` has then. */
  observe(snapshot: () => Promise<Snapshot>): void {
    this.#collect = async (result) => {
      try {
        const now = await snapshot();
        this.#observed.observe(now, (...seen) => result.observe(...seen));
      } catch (error) {
        this.#failed(error);
      }
    };
    const collect = this.#collect;
    this.#try(() => this.#meter.addBatchObservableCallback(collect, [...this.#observed.all]));
  }

  #time(what: Timed, of: string, seconds: number): void {
    const figure: Figure = times[what];
    const allowed = allowedValues(figure.labels, of);
    if (allowed === undefined) return;
    this.#try(() => this.#times.get(what)?.record(seconds, attributesOf(figure, allowed)));
  }

  /** On return what was told has been exported, or a second has gone by: the process may end. */
  async close(): Promise<void> {
    const { trace, metrics } = this.#api;
    // A proxy, perhaps of another copy of the API, stands before the SDK's.
    const tracers: Partial<Api.ProxyTracerProvider> = trace.getTracerProvider();
    const flushed = [tracers.getDelegate?.() ?? tracers, metrics.getMeterProvider()].map((each) =>
      this.#flush(each),
    );
    await waitAtMost(Promise.all(flushed), flushMs);
    const collect = this.#collect;
    if (collect === undefined) return;
    this.#try(() => this.#meter.removeBatchObservableCallback(collect, [...this.#observed.all]));
  }

  /** The API has no word for it; providers of the SDK have. */
  async #flush(provider: object & { forceFlush?(): Promise<void> }): Promise<void> {
    try {
      await provider.forceFlush?.();
    } catch (error) {
      this.#failed(error);
    }
  }

  #try(act: () => unknown): void {
    try {
      act();
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Once is enough. */
  #failed(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#log.warn({ error: reasonOf(error) }, "OpenTelemetry has failed, and may miss something");
  }
}
