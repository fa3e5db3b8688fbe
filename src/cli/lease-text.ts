/** A lease in words. */
import { isHeld } from "../session/holder.ts";
import type { LeaseState } from "../session/registry-options.ts";
import { timeText } from "./print.ts";

export function leaseText(lease: LeaseState | undefined): string {
  if (lease === undefined) return "idle";
  const { holder, sinceMs, fence } = lease;
  const who = `process ${holder.pid} on ${holder.host.split("/", 1)[0]}, since ${timeText(sinceMs)}, fence ${fence}`;
  if (!isHeld(lease)) return `idle; last held by ${who}, without releasing it`;
  return `held by ${who}${lease.turnRunning ? ", a turn is running" : ""}`;
}
