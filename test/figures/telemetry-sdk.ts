/** An SDK of OpenTelemetry as small as the API lets it be: what it is told it keeps. */
import {
  metrics,
  trace,
  type Attributes,
  type BatchObservableCallback,
  type Context,
  type Meter,
  type MetricOptions,
  type Observable,
  type Span,
  type SpanOptions,
  type SpanStatus,
} from "@opentelemetry/api";

interface KeptSpan extends SpanOptions {
  readonly name: string;
  readonly parent: ReturnType<typeof trace.getSpanContext>;
  status?: SpanStatus;
  endTime?: unknown;
}

interface Instrument {
  readonly kind: string;
  readonly name: string;
  readonly options: MetricOptions;
  readonly recorded: { readonly value: number; readonly attributes: Attributes | undefined }[];
}

export interface Sdk {
  readonly spans: KeptSpan[];
  readonly instruments: Map<string, Instrument>;
  /** How often it was asked to export at once. */
  flushed: number;
  /** Reads all that is observed, by name; then again from the beginning. */
  collect(): Promise<Map<string, { value: number; attributes: Attributes }[]>>;
  /** Every callback that is there. */
  readonly callbacks: Set<BatchObservableCallback>;
}

/** Registers it for this process, until `forgetSdk`. */
export function registerSdk(): Sdk {
  const instruments = new Map<string, Instrument>();
  const callbacks = new Set<BatchObservableCallback>();
  const sdk: Sdk = { spans: [], instruments, callbacks, flushed: 0, collect: () => collected(callbacks) };
  const forceFlush = async () => void (sdk.flushed += 1);
  const startSpan = (name: string, options: SpanOptions = {}, context?: Context) => {
    const kept: KeptSpan = { ...options, name, parent: context && trace.getSpanContext(context) };
    sdk.spans.push(kept);
    const span: Partial<Span> = {
      setStatus: (status) => {
        kept.status = status;
        return span as Span;
      },
      end: (at) => void (kept.endTime = at),
    };
    return span as Span;
  };
  const tracers = { getTracer: () => ({ startSpan, startActiveSpan: () => undefined as never }), forceFlush };
  trace.setGlobalTracerProvider(tracers);
  const meters = { getMeter: () => meterOf(instruments, callbacks), forceFlush };
  metrics.setGlobalMeterProvider(meters);
  return sdk;
}

export function forgetSdk(): void {
  trace.disable();
  metrics.disable();
}

function meterOf(instruments: Map<string, Instrument>, callbacks: Set<BatchObservableCallback>): Meter {
  const make =
    (kind: string) =>
    (name: string, options: MetricOptions = {}) => {
      const instrument: Instrument = { kind, name, options, recorded: [] };
      instruments.set(name, instrument);
      const record = (value: number, attributes?: Attributes) =>
        void instrument.recorded.push({ value, attributes });
      return Object.assign(instrument, {
        record,
        addCallback: () => undefined,
        removeCallback: () => undefined,
      });
    };
  return {
    createObservableCounter: make("counter"),
    createObservableUpDownCounter: make("upDownCounter"),
    createHistogram: make("histogram"),
    addBatchObservableCallback: (callback: BatchObservableCallback) => void callbacks.add(callback),
    removeBatchObservableCallback: (callback: BatchObservableCallback) => void callbacks.delete(callback),
  } as unknown as Meter;
}

async function collected(callbacks: Iterable<BatchObservableCallback>) {
  const seen = new Map<string, { value: number; attributes: Attributes }[]>();
  const observe = (instrument: Observable, value: number, attributes: Attributes = {}) => {
    const { name } = instrument as unknown as Instrument;
    seen.set(name, [...(seen.get(name) ?? []), { value, attributes }]);
  };
  for (const callback of callbacks) await callback({ observe });
  return seen;
}
