/** Every figure: its name as Prometheus recommends, what it means, and its labels, all of whose values stand here. */
import type { Counted, Timed } from "../base/meter.ts";
import { httpMethods, httpRoutes } from "./http-labels.ts";

export interface Figure {
  readonly name: string;
  readonly help: string;
  /** By label, in the order in which a meter is told their values. What is not among them counts as `other`. */
  readonly labels?: Readonly<Record<string, readonly string[]>>;
  /** Of a histogram the upper bounds, in seconds; beyond them there is one more. */
  readonly edges?: readonly number[];
  /** Of many labels few are met: what has not been counted is not even 0. */
  readonly isSparse?: boolean;
}

interface Histogram extends Figure {
  readonly edges: readonly number[];
}

const methods = [
  "initialize",
  "session/new",
  "session/load",
  "session/resume",
  "session/list",
  "session/prompt",
  "session/close",
  "other",
];
const operations = ["append", "seal", "flush", "read", "find", "change", "lease"];

/** What is counted besides: read where it is kept when somebody asks. */
export type CountedElsewhere =
  | "cacheHits"
  | "cacheMisses"
  | "cacheEvictions"
  | "cpuSeconds"
  | "activeSeconds";

export const counters = {
  requests: {
    name: "acp_sidecar_requests_total",
    help: "Requests of clients, by method and how they ended.",
    labels: { method: methods, outcome: ["ok", "failed"] },
  },
  httpRequests: {
    name: "acp_sidecar_http_requests_total",
    help: "Requests over HTTP, by route, method and kind of status; other: to an address that there is not, or refused at the door.",
    labels: { route: httpRoutes, method: httpMethods, status: ["2xx", "3xx", "4xx", "5xx"] },
    isSparse: true,
  },
  turns: {
    name: "acp_sidecar_turns_total",
    help: "Turns that have ended, by the agent's stop reason; failed: by an error.",
    labels: {
      outcome: ["end_turn", "max_tokens", "max_turn_requests", "refusal", "cancelled", "failed", "other"],
    },
  },
  tokens: {
    name: "acp_sidecar_tokens_total",
    help: "Tokens as agents report them at the end of turns; some of them report the sum of a session each time.",
    labels: { kind: ["input", "output", "cached_read", "cached_write", "thought"] },
  },
  updates: {
    name: "acp_sidecar_updates_total",
    help: "Updates of agents that were journaled.",
  },
  storeOperations: {
    name: "acp_sidecar_store_operations_total",
    help: "Operations of stores and how they ended; refused: by a rule, as for a session that somebody else has.",
    labels: { operation: operations, outcome: ["ok", "refused", "failed"] },
  },
  storeEntries: {
    name: "acp_sidecar_store_written_entries_total",
    help: "Entries that were written to stores.",
  },
  storeChars: {
    name: "acp_sidecar_store_written_characters_total",
    help: "Characters of entries that were written to stores, before encryption and compression.",
  },
  agentStarts: {
    name: "acp_sidecar_agent_starts_total",
    help: "Processes of agents that were to be started.",
    labels: { outcome: ["ok", "failed"] },
  },
  agentRestarts: {
    name: "acp_sidecar_agent_restarts_total",
    help: "Agents that were started again, because the one before had died.",
  },
  agentDeaths: {
    name: "acp_sidecar_agent_deaths_total",
    help: "Agents that ended without being asked to.",
  },
  upkeepRounds: {
    name: "acp_sidecar_upkeep_rounds_total",
    help: "Rounds of upkeep; failed: a step of it; cut: left, because sessions were busy again.",
    labels: { outcome: ["ok", "failed", "cut"] },
  },
  told: {
    name: "acp_sidecar_notifications_total",
    help: "What hooks and alerts had to tell; refused: is tried again; lost: given up or dropped.",
    labels: { outcome: ["taken", "refused", "lost"] },
  },
  cacheHits: {
    name: "acp_sidecar_cache_hits_total",
    help: "Questions that a cache or a faster layer of a store has answered.",
  },
  cacheMisses: {
    name: "acp_sidecar_cache_misses_total",
    help: "Questions that a cache or a faster layer of a store could not answer.",
  },
  cacheEvictions: {
    name: "acp_sidecar_cache_evictions_total",
    help: "Sessions that a cache gave up for others.",
  },
  cpuSeconds: {
    name: "acp_sidecar_process_cpu_seconds_total",
    help: "Processor time, of user and system.",
  },
  activeSeconds: {
    name: "acp_sidecar_event_loop_active_seconds_total",
    help: "Time in which event loops did something; as much as time itself is one process at its limit.",
  },
} as const satisfies Record<Counted | CountedElsewhere, Figure>;

export const times = {
  request: {
    name: "acp_sidecar_request_duration_seconds",
    help: "Time from a client's request to its answer; of prompts see turns.",
    labels: { method: ["initialize", "session/new", "session/load", "session/list", "other"] },
    edges: [0.005, 0.025, 0.1, 0.5, 2.5, 10],
  },
  httpRequest: {
    name: "acp_sidecar_http_request_duration_seconds",
    help: "Time from a request over HTTP to the beginning of its answer, by route; of prompts see turns.",
    labels: { route: httpRoutes },
    edges: [0.005, 0.025, 0.1, 0.5, 2.5],
    isSparse: true,
  },
  turn: {
    name: "acp_sidecar_turn_duration_seconds",
    help: "Time from a prompt to the end of its turn.",
    edges: [1, 5, 15, 60, 300, 1800],
  },
  storeOperation: {
    name: "acp_sidecar_store_operation_duration_seconds",
    help: "Time that operations of stores take; flush is the medium's fsync.",
    labels: { operation: ["append", "seal", "flush", "read", "other"] },
    edges: [0.0001, 0.0005, 0.0025, 0.01, 0.05, 0.25],
  },
  loopDelay: {
    name: "acp_sidecar_event_loop_delay_seconds",
    help: "By how much timers were late, looked at four times a second while something goes on.",
    edges: [0.005, 0.02, 0.1, 0.5, 2],
  },
} as const satisfies Record<Timed, Histogram>;

/** How those of several processes are put together: added, or the greatest of them. */
interface Gauge extends Figure {
  readonly sum?: "most";
}

export const gauges = {
  processes: { name: "acp_sidecar_processes", help: "Processes on this machine that have answered." },
  silent: { name: "acp_sidecar_processes_silent", help: "Processes on this machine that did not answer." },
  liveSessions: { name: "acp_sidecar_sessions_live", help: "Sessions that processes hold." },
  runningTurns: { name: "acp_sidecar_turns_running", help: "Turns that are going on." },
  attachments: { name: "acp_sidecar_attachments", help: "Clients on live sessions." },
  queueLength: { name: "acp_sidecar_queue_length", help: "What waits in the queues of live sessions." },
  storedSessions: {
    name: "acp_sidecar_sessions_stored",
    help: "Sessions in the configured store.",
    sum: "most",
  },
  storedEntries: {
    name: "acp_sidecar_entries_stored",
    help: "Entries in the configured store.",
    sum: "most",
  },
  storeSize: {
    name: "acp_sidecar_store_size_bytes",
    help: "What the configured store takes up.",
    sum: "most",
  },
  indexSize: {
    name: "acp_sidecar_search_index_size_bytes",
    help: "What the indexes of search take up on disk.",
    sum: "most",
  },
  indexAge: {
    name: "acp_sidecar_search_index_age_seconds",
    help: "Since when no index of search was brought up to date.",
    sum: "most",
  },
  residentBytes: { name: "acp_sidecar_process_resident_memory_bytes", help: "Memory of the processes." },
  heapBytes: { name: "acp_sidecar_process_heap_bytes", help: "JavaScript heaps in use." },
  openFiles: {
    name: "acp_sidecar_process_open_fds",
    help: "Open files and sockets, where they can be counted.",
  },
} as const satisfies Record<string, Gauge>;

export type CounterName = keyof typeof counters;
export type TimeName = keyof typeof times;
export type GaugeName = keyof typeof gauges;

/** All that may be said as the values of these labels, as a meter says it: with spaces between. */
export function combinations(labels: Figure["labels"]): readonly string[] {
  return Object.values(labels ?? {}).reduce<readonly string[]>(
    (before, values) =>
      before.flatMap((each) => values.map((value) => (each === "" ? value : `${each} ${value}`))),
    [""],
  );
}

/** What was said, as far as the labels have it; undefined where that is not even `other`. */
export function allowedValues(labels: Figure["labels"], said: string): string | undefined {
  const words = said.split(" ");
  const allowed = Object.values(labels ?? {}).map((values, at) => {
    const word = words[at] ?? "";
    return values.includes(word) ? word : values.find((value) => value === "other");
  });
  return allowed.includes(undefined) ? undefined : allowed.join(" ");
}
