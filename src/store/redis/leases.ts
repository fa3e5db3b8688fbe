/** Leases: who may write, by the server's clock. */
import type { SessionId } from "../../base/ids.ts";
import { sessionNotFound } from "../refusals.ts";
import { checkTake, isInForce } from "../rules.ts";
import type { Acquired, Lease, LeaseRequest } from "../contract.ts";
import type { Connection } from "./connection.ts";
import { leaseIn, mostOvertaken, refusal } from "./records.ts";
import look from "./scripts/look.lua";
import release from "./scripts/release.lua";
import renew from "./scripts/renew.lua";
import take from "./scripts/take.lua";

/** Errors: `SESSION_NOT_FOUND`, `SESSION_BUSY`. */
export async function acquireLease(
  redis: Connection,
  id: SessionId,
  { mayTake, ttlMs, holder: given }: LeaseRequest,
  writeId: string,
): Promise<Acquired> {
  const keys = [redis.keys.record(id)];
  const holder = JSON.stringify(given);
  for (let tries = 0; tries < mostOvertaken; tries += 1) {
    const [found, ...seen] = (await redis.run(look, keys, [])) as string[];
    if (found !== "found") throw sessionNotFound(id);
    const [fence = "", heldBy = "", since, expires, turn = "", nowMs] = seen;
    const previous = leaseIn({ fence, holder: heldBy, since, expires, turn });
    checkTake(id, previous, mayTake, Number(nowMs));
    const idle = isInForce(previous, Number(nowMs)) ? 0 : 1;
    const args = [writeId, fence, heldBy, turn, idle, holder, ttlMs];
    const [answer, ...taken] = (await redis.run(take, keys, args)) as string[];
    if (answer === "gone") throw sessionNotFound(id);
    if (answer !== "done") continue;
    const state = {
      fence: taken[0],
      holder,
      since: taken[1],
      expires: taken[2],
      turn: previous?.turnRunning === true ? "1" : "0",
    };
    const lease = { sessionId: id, ttlMs, ...leaseIn(state) } as Lease;
    return previous === undefined ? { lease } : { lease, previous };
  }
  throw await refusal(redis, id, "overtaken");
}

/** Errors: `LEASE_LOST`, `SESSION_NOT_FOUND`. */
export async function renewLease(redis: Connection, lease: Lease): Promise<Lease> {
  const { sessionId, fence, ttlMs, turnRunning } = lease;
  const args = [fence, ttlMs, turnRunning ? 1 : 0, JSON.stringify(lease.holder)];
  const answer = (await redis.run(renew, [redis.keys.record(sessionId)], args)) as string[];
  if (answer[0] !== "done") throw await refusal(redis, sessionId, answer[0] ?? "");
  return { ...lease, sinceMs: Number(answer[1]), expiresAtMs: Number(answer[2]) };
}

export async function releaseLease(redis: Connection, { sessionId, fence }: Lease): Promise<void> {
  await redis.run(release, [redis.keys.record(sessionId)], [fence]);
}
