/** What a lease says of its session, in one word. */
import type { LeaseState } from "../store/contract.ts";
import { isHeld } from "./holder.ts";

export const states = ["running", "open", "idle"] as const;
/** A turn runs, somebody holds it, nobody does. */
export type SessionState = (typeof states)[number];

export function stateOf(lease: LeaseState | undefined): SessionState {
  if (!isHeld(lease)) return "idle";
  return lease.turnRunning ? "running" : "open";
}
