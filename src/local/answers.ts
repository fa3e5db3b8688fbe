/** What is said on an endpoint, and what is taken as such from there. JSON-RPC 2.0, a message a line. */
import { isRecord } from "../base/json.ts";
import { snapshotIn, type Snapshot } from "../figures/snapshot.ts";

/** A session that a process holds. */
export interface LiveSessionStatus {
  readonly id: string;
  /** Since when a turn runs; absent where none does. Milliseconds since 1970, as all times here. */
  readonly turnSinceMs?: number;
  readonly clients: number;
  readonly waiting: number;
}

/** What a process says of itself. Of texts only names: of the client, the agent's program, the store's place. */
export interface ProcessStatus {
  readonly kind: string;
  readonly pid: number;
  /** The token of its start, as leases have it. */
  readonly startedAt: string;
  readonly sinceMs: number;
  readonly version: string;
  readonly client?: { readonly name: string; readonly version?: string };
  /** Its program, without what it was told: that may hold secrets. */
  readonly agent: string;
  readonly agentPid?: number;
  readonly store: string;
  /** When it extended its leases last. */
  readonly heartbeatAtMs?: number;
  readonly residentBytes: number;
  readonly sessions: readonly LiveSessionStatus[];
}

export interface FiguresAnswer {
  /** Under which its figures are kept. */
  readonly id: string;
  readonly snapshot: Snapshot;
}

/** `{ sessionId }` ends one session, `{ process: true }` all of it. */
export interface EndParams {
  readonly sessionId?: string;
  readonly process?: true;
}

export interface EndAnswer {
  readonly outcome: "ended" | "notLive" | "ending";
}

export function statusIn(value: unknown): ProcessStatus | undefined {
  if (!isRecord(value)) return undefined;
  const { kind, pid, startedAt, sinceMs, version, agent, store, residentBytes, sessions, client } = value;
  const isSound =
    areTexts(kind, startedAt, version, agent, store) &&
    areNumbers(pid, sinceMs, residentBytes) &&
    areOptional(value.agentPid, value.heartbeatAtMs) &&
    (client === undefined || (isRecord(client) && areTexts(client.name))) &&
    Array.isArray(sessions) &&
    sessions.every(isSession);
  return isSound ? (value as unknown as ProcessStatus) : undefined;
}

export function figuresIn(value: unknown): FiguresAnswer | undefined {
  if (!isRecord(value) || typeof value.id !== "string") return undefined;
  const snapshot = snapshotIn(value.snapshot);
  return snapshot && { id: value.id, snapshot };
}

export function endIn(value: unknown): EndAnswer | undefined {
  const outcome = isRecord(value) ? value.outcome : undefined;
  return outcome === "ended" || outcome === "notLive" || outcome === "ending" ? { outcome } : undefined;
}

function isSession(value: unknown): boolean {
  if (!isRecord(value)) return false;
  return areTexts(value.id) && areNumbers(value.clients, value.waiting) && areOptional(value.turnSinceMs);
}

function areTexts(...values: readonly unknown[]): boolean {
  return values.every((each) => typeof each === "string");
}

function areNumbers(...values: readonly unknown[]): boolean {
  return values.every((each) => typeof each === "number" && Number.isFinite(each));
}

function areOptional(...values: readonly unknown[]): boolean {
  return values.every((each) => each === undefined || areNumbers(each));
}
