/** Leases: who may write, by the server's clock. */
import type { SessionId } from "../../base/ids.ts";
import { sessionBusy, sessionNotFound } from "../refusals.ts";
import type { Acquired, Lease, LeaseRequest, LeaseState } from "../contract.ts";
import { look, release, renew, take } from "./lease-scripts.ts";
import type { Medium } from "./medium.ts";
import { leaseIn, mostOvertaken, refusal } from "./records.ts";

/** A lease as it was seen, to be taken only if it is so still. */
interface Sight {
  readonly fence: string;
  readonly holder: string;
  readonly turn: string;
  readonly state: LeaseState | undefined;
  readonly hasRunOut: boolean;
}

/** Errors: `SESSION_NOT_FOUND`, `SESSION_BUSY`. */
export async function acquireLease(
  medium: Medium,
  id: SessionId,
  request: LeaseRequest,
  writeId: string,
): Promise<Acquired> {
  const { server, keys } = medium;
  const { mayTake, ttlMs } = request;
  const holder = JSON.stringify(request.holder);
  for (let tries = 0; tries < mostOvertaken; tries += 1) {
    const seen = await lookAt(medium, id);
    const { state, hasRunOut } = seen;
    if (state !== undefined && !hasRunOut && !mayTake(state)) throw sessionBusy(id, state);
    const expected = [seen.fence, seen.holder, seen.turn, state !== undefined && hasRunOut ? 1 : 0];
    const args = [writeId, ...expected, holder, ttlMs];
    const [answer, fence, since, expires] = (await server.run(take, [keys.record(id)], args)) as string[];
    if (answer === "gone") throw sessionNotFound(id);
    if (answer !== "done") continue;
    const times = { sinceMs: Number(since), expiresAtMs: Number(expires) };
    const taken = { holder: JSON.parse(holder) as Lease["holder"], fence: Number(fence), ...times };
    const lease: Lease = { ...taken, turnRunning: false, sessionId: id, ttlMs };
    return state === undefined ? { lease } : { lease, previous: state };
  }
  throw await refusal(medium, id, "overtaken");
}

async function lookAt({ server, keys }: Medium, id: SessionId): Promise<Sight> {
  const reply = (await server.run(look, [keys.record(id)], [])) as string[];
  const [answer, fence = "", holder = "", since = "", expires = "", turn = "", now] = reply;
  if (answer !== "found") throw sessionNotFound(id);
  const state = leaseIn({ fence, holder, since, expires, turn });
  return { fence, holder, turn, state, hasRunOut: state !== undefined && state.expiresAtMs <= Number(now) };
}

/** Errors: `LEASE_LOST`, `SESSION_NOT_FOUND`. */
export async function renewLease(medium: Medium, lease: Lease): Promise<Lease> {
  const { sessionId, fence, ttlMs, turnRunning } = lease;
  const holder = JSON.stringify(lease.holder);
  const args = [fence, ttlMs, turnRunning ? 1 : 0, holder];
  const reply = await medium.server.run(renew, [medium.keys.record(sessionId)], args);
  const [answer = "", since, expires] = reply as string[];
  if (answer !== "done") throw await refusal(medium, sessionId, answer);
  const kept = JSON.parse(holder) as Lease["holder"];
  return { ...lease, holder: kept, sinceMs: Number(since), expiresAtMs: Number(expires) };
}

export async function releaseLease({ server, keys }: Medium, lease: Lease): Promise<void> {
  await server.run(release, [keys.record(lease.sessionId)], [lease.fence]);
}
