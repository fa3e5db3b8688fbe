/** What a process that contends for sessions is told to do, and what it says; a line of JSON each. */
import type { SessionId } from "../../../src/base/ids.ts";
import type { HistoryEvent } from "../../torture/checker/history.ts";

interface OfSessions {
  readonly ids: readonly SessionId[];
}

export type Order =
  /** Takes the leases: free ones, or (`take`) anybody's, for a minute unless told. Outcome: the fence. */
  | (OfSessions & { readonly do: "acquire"; readonly take: boolean; readonly ttlMs?: number })
  /** Writes one turn in each under the lease that it got last. */
  | (OfSessions & { readonly do: "write" })
  | (OfSessions & { readonly do: "release" })
  /** Writes turn after turn under the leases that it got last until it may no more, and then tries all else. */
  | (OfSessions & { readonly do: "persist" })
  /** Takes, writes, lets go and (`deletes`) removes, as chance has it. */
  | (OfSessions & { readonly do: "contend"; readonly seed: string; readonly deletes: boolean })
  /** Makes, changes and removes sessions of its own until the next order. */
  | { readonly do: "stir"; readonly seed: string }
  | { readonly do: "rest" };

/** By session: `done`, a fence, or the code of the refusal. */
export type Outcomes = Readonly<Record<string, string | number>>;

export type Said =
  /** `atNs` is the machine's clock, the same for all processes. */
  { readonly event: HistoryEvent; readonly atNs: number } | { readonly outcomes: Outcomes };

export function nowNs(): number {
  return Number(process.hrtime.bigint());
}
