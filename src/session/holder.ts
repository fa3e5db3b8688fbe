/** Who we are as a holder of sessions, and whose sessions we may take over. */
import { isSameProcessAlive, processSpace, startOf, type ProcessIdentity } from "../base/process.ts";
import type { OnBusy } from "../config/config.ts";
import { isInForce } from "../store/rules.ts";
import type { Holder, LeaseState } from "../store/contract.ts";

/** This process, as it stands in the leases that it takes. */
export function thisHolder(agent?: ProcessIdentity): Holder {
  return {
    host: processSpace(),
    pid: process.pid,
    startedAt: startOf(process.pid) ?? "",
    ...(agent && { agent }),
  };
}

/** The rule of takeover, as a store asks it: see "Who may write" in the docs. */
export function mayTake(onBusy: OnBusy, self: Holder): (current: LeaseState) => boolean {
  return ({ holder, turnRunning }) => {
    if (isSameHolder(holder, self) || isDead(holder, self)) return true;
    return onBusy === "takeover" || (onBusy === "idle" && !turnRunning);
  };
}

export function isSameHolder(a: Holder, b: Holder): boolean {
  return a.host === b.host && a.pid === b.pid && a.startedAt === b.startedAt;
}

/** Known to be dead: only a holder whose process number means something here can be. */
export function isDead(holder: Holder, self: Holder): boolean {
  return holder.host === self.host && !isSameProcessAlive(holder);
}

/** Whether somebody holds the session: the lease has not run out, and its holder is not dead. */
export function isHeld(lease: LeaseState | undefined, self?: Holder): lease is LeaseState {
  // Who we are is asked of the system: not for each of many sessions that nobody has.
  return isInForce(lease, Date.now()) && !isDead(lease.holder, self ?? thisHolder());
}

/** Whether nobody else does. */
export function isFree(lease: LeaseState | undefined, self: Holder): boolean {
  return !isHeld(lease, self) || isSameHolder(lease.holder, self);
}

/** `process 123 on host` */
export function holderText({ host, pid }: Holder): string {
  return `process ${pid} on ${host.split("/", 1)[0] ?? host}`;
}
