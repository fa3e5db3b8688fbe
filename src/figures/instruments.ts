/**
 * Our figures as instruments of OpenTelemetry. What it makes of their names for Prometheus (points are underscores,
 * a unit and `total` stand behind) are the names in our table, so that dashboards fit both.
 */
import type { Attributes, Histogram, Meter, Observable } from "@opentelemetry/api";
import { counters, gauges, times, type CounterName, type Figure, type GaugeName } from "./table.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Timed } from "../base/meter.ts";

/** A name and a unit (UCUM). https://opentelemetry.io/docs/specs/semconv/general/metrics/ */
type Named = readonly [name: string, unit: string];

export const counterNames: Readonly<Record<CounterName, Named>> = {
  requests: ["acp_sidecar.requests", "{request}"],
  httpRequests: ["acp_sidecar.http.requests", "{request}"],
  turns: ["acp_sidecar.turns", "{turn}"],
  tokens: ["acp_sidecar.tokens", "{token}"],
  updates: ["acp_sidecar.updates", "{update}"],
  storeOperations: ["acp_sidecar.store.operations", "{operation}"],
  storeEntries: ["acp_sidecar.store.written_entries", "{entry}"],
  storeChars: ["acp_sidecar.store.written_characters", "{character}"],
  agentStarts: ["acp_sidecar.agent.starts", "{start}"],
  agentRestarts: ["acp_sidecar.agent.restarts", "{restart}"],
  agentDeaths: ["acp_sidecar.agent.deaths", "{death}"],
  upkeepRounds: ["acp_sidecar.upkeep.rounds", "{round}"],
  told: ["acp_sidecar.notifications", "{notification}"],
  cacheHits: ["acp_sidecar.cache.hits", "{hit}"],
  cacheMisses: ["acp_sidecar.cache.misses", "{miss}"],
  cacheEvictions: ["acp_sidecar.cache.evictions", "{eviction}"],
  cpuSeconds: ["acp_sidecar.process.cpu", "s"],
  activeSeconds: ["acp_sidecar.event_loop.active", "s"],
};

export const timeNames: Readonly<Record<Timed, Named>> = {
  request: ["acp_sidecar.request.duration", "s"],
  httpRequest: ["acp_sidecar.http.request.duration", "s"],
  turn: ["acp_sidecar.turn.duration", "s"],
  storeOperation: ["acp_sidecar.store.operation.duration", "s"],
  loopDelay: ["acp_sidecar.event_loop.delay", "s"],
};

/** What a process knows of itself: what is stored is no figure of one process, and its backend adds processes up. */
export const gaugeNames: Readonly<Partial<Record<GaugeName, Named>>> = {
  processes: ["acp_sidecar.processes", "{process}"],
  liveSessions: ["acp_sidecar.sessions.live", "{session}"],
  runningTurns: ["acp_sidecar.turns.running", "{turn}"],
  attachments: ["acp_sidecar.attachments", "{client}"],
  queueLength: ["acp_sidecar.queue.length", "{item}"],
  residentBytes: ["acp_sidecar.process.resident_memory", "By"],
  heapBytes: ["acp_sidecar.process.heap", "By"],
  openFiles: ["acp_sidecar.process.open_fds", "{file}"],
};

/** What is read when somebody collects. */
export interface Observed {
  readonly all: readonly Observable[];
  observe(
    snapshot: Snapshot,
    see: (instrument: Observable, value: number, attributes: Attributes) => void,
  ): void;
}

export function observables(meter: Meter): Observed {
  const counting = new Map(
    entriesOf(counterNames).map(([key, [name, unit]]) => [
      key,
      meter.createObservableCounter(name, { unit, description: counters[key].help }),
    ]),
  );
  // They are added up over processes.
  const holding = new Map(
    entriesOf(gaugeNames).map(([key, [name, unit]]) => [
      key,
      meter.createObservableUpDownCounter(name, { unit, description: gauges[key].help }),
    ]),
  );
  return {
    all: [...counting.values(), ...holding.values()],
    observe: (snapshot, see) => {
      for (const [key, instrument] of counting)
        for (const [values, value] of Object.entries(snapshot.counters[key] ?? {}))
          see(instrument, value, attributesOf(counters[key], values));
      for (const [key, instrument] of holding) {
        const value = snapshot.gauges[key];
        if (value !== undefined) see(instrument, value, {});
      }
    },
  };
}

/** Of these there are none that are read: each time is told as it comes, and sorted by the bounds that ours have. */
export function histograms(meter: Meter): ReadonlyMap<Timed, Histogram> {
  return new Map(
    entriesOf(timeNames).map(([key, [name, unit]]) => {
      const { help: description, edges } = times[key];
      const advice = { explicitBucketBoundaries: [...edges] };
      return [key, meter.createHistogram(name, { unit, description, advice })];
    }),
  );
}

/** @param values of all labels, in their order, as they stand in the table */
export function attributesOf({ labels }: Figure, values: string): Attributes {
  const words = values.split(" ");
  return Object.fromEntries(Object.keys(labels ?? {}).map((label, at) => [label, words[at] ?? ""]));
}

function entriesOf<Name extends string>(of: Readonly<Partial<Record<Name, Named>>>): [Name, Named][] {
  return Object.entries(of) as [Name, Named][];
}
