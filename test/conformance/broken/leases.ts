import type { SessionId } from "../../../src/base/ids.ts";
import type { Lease, LeaseState, Store } from "../../../src/store/contract.ts";
import type { Defect } from "./store.ts";

/** The lease that stands now, whatever the writer holds. */
async function currentLease(good: Store, id: SessionId, lease: Lease): Promise<Lease> {
  const state = (await good.get(id))?.lease;
  return state === undefined ? lease : { ...lease, ...state, turnRunning: lease.turnRunning };
}

export const ofLeases: Defect[] = [
  {
    title: "takes a failed question about a lease for a yes",
    caughtBy: "failure",
    breaks: (good) => ({
      acquire: async (id, request) => {
        let failed: unknown;
        const mayTake = (current: LeaseState) => {
          try {
            return request.mayTake(current);
          } catch (error) {
            failed = error;
            return true;
          }
        };
        const acquired = await good.acquire(id, { ...request, mayTake });
        if (failed instanceof Error) throw failed;
        return acquired;
      },
    }),
  },
  {
    title: "accepts an older fencing number",
    caughtBy: "leases and fencing",
    breaks: (good) => ({
      append: async (id, after, entries, lease) =>
        good.append(id, after, entries, await currentLease(good, id, lease)),
    }),
  },
  {
    title: "seals under an older fencing number",
    caughtBy: "leases and fencing",
    breaks: (good) => ({
      seal: async (id, range, entries, lease) =>
        good.seal(id, range, entries, await currentLease(good, id, lease)),
    }),
  },
  {
    title: "lets anybody give a lease back",
    caughtBy: "leases and fencing",
    breaks: (good) => ({
      release: async (lease) => good.release(await currentLease(good, lease.sessionId, lease)),
    }),
  },
  {
    title: "gives the same fencing number out again after a release",
    caughtBy: "leases and fencing",
    breaks: (good) => {
      const real = new Map<SessionId, number>();
      const known = (lease: Lease): Lease => ({ ...lease, fence: real.get(lease.sessionId) ?? lease.fence });
      return {
        acquire: async (...args) => {
          const { lease } = await good.acquire(...args);
          real.set(lease.sessionId, lease.fence);
          return { lease: { ...lease, fence: 1 } };
        },
        append: (id, after, entries, lease) => good.append(id, after, entries, known(lease)),
        release: (lease) => good.release(known(lease)),
      };
    },
  },
  {
    title: "gives a held lease to whoever asks",
    caughtBy: "leases and fencing",
    breaks: (good) => ({ acquire: (id, request) => good.acquire(id, { ...request, mayTake: () => true }) }),
  },
  {
    title: "never lets a lease run out",
    caughtBy: "leases and fencing",
    breaks: (good) => ({ acquire: (id, request) => good.acquire(id, { ...request, ttlMs: 3_600_000 }) }),
  },
  {
    title: "forgets that a turn runs when its lease is taken over",
    caughtBy: "leases and fencing",
    breaks: (good) => ({
      acquire: async (id, request) => {
        const acquired = await good.acquire(id, request);
        return { ...acquired, lease: await good.renew({ ...acquired.lease, turnRunning: false }) };
      },
    }),
  },
  {
    title: "forgets that a turn runs",
    caughtBy: "leases and fencing",
    breaks: (good) => ({
      append: (id, after, entries, lease) =>
        good.append(id, after, entries, { ...lease, turnRunning: false }),
    }),
  },
];
