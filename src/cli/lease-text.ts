/** A lease in words. */
import { isDead, thisHolder } from "../session/holder.ts";
import type { LeaseState } from "../store/contract.ts";
import { timeText } from "./print.ts";

/** Whether somebody holds the session: a dead process holds nothing. */
export function isInForce(lease: LeaseState | undefined, nowMs = Date.now()): lease is LeaseState {
  return lease !== undefined && lease.expiresAtMs > nowMs && !isDead(lease.holder, thisHolder());
}

/** `turn`, `held` or `free`. */
export function leaseWord(lease: LeaseState | undefined): string {
  if (!isInForce(lease)) return "free";
  return lease.turnRunning ? "turn" : "held";
}

export function leaseText(lease: LeaseState | undefined): string {
  if (lease === undefined) return "free";
  const { holder, sinceMs, fence } = lease;
  const who = `process ${holder.pid} on ${holder.host.split("/", 1)[0]}, since ${timeText(sinceMs)}, fence ${fence}`;
  if (!isInForce(lease)) return `free; last held by ${who}, without releasing it`;
  return `held by ${who}${lease.turnRunning ? ", a turn is running" : ""}`;
}
