import { describe, expect, it } from "vitest";
import type { Lease, LeaseState } from "../../src/store/contract.ts";
import {
  checkAppend,
  checkFork,
  checkLease,
  checkReadOn,
  checkSeal,
  holds,
  isInForce,
  takeLease,
} from "../../src/store/rules.ts";
import { aHolder, always, aRequest, aSession, never, noon } from "../conformance/samples.ts";

const { id } = aSession();
const other = aSession().id;

function aLease(facts: Partial<LeaseState> = {}): LeaseState {
  return {
    holder: aHolder("b"),
    fence: 7,
    sinceMs: noon,
    expiresAtMs: noon + 1000,
    turnRunning: false,
    ...facts,
  };
}

const asHeld = (facts: Partial<Lease> = {}): Lease => ({ ...aLease(), sessionId: id, ttlMs: 1000, ...facts });

const codeOf = (act: () => void): string => {
  try {
    act();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return "allowed";
};

describe("a lease", () => {
  it("is in force until the instant at which it runs out", () => {
    expect(isInForce(undefined, noon)).toBe(false);
    expect(isInForce(aLease(), noon + 999)).toBe(true);
    expect(isInForce(aLease(), noon + 1000)).toBe(false);
  });

  it("is held under its fence and for its session, also when it has run out", () => {
    expect(holds(asHeld(), id, 7)).toBe(true);
    expect([holds(asHeld(), id, 8), holds(asHeld(), id, undefined), holds(asHeld(), other, 7)]).toEqual([
      false,
      false,
      false,
    ]);
    expect(codeOf(() => checkLease(id, aLease({ expiresAtMs: 0 }), asHeld()))).toBe("allowed");
    expect(codeOf(() => checkLease(id, aLease({ fence: 8 }), asHeld()))).toBe("LEASE_LOST");
    expect(codeOf(() => checkLease(id, undefined, asHeld()))).toBe("LEASE_LOST");
    expect(codeOf(() => checkLease(other, aLease(), asHeld()))).toBe("LEASE_LOST");
  });
});

describe("taking a lease", () => {
  const request = aRequest({ ttlMs: 500 });

  it("gives a free one under the next fence, with its times from now", () => {
    const { lease, previous } = takeLease(id, { lease: undefined, fence: 3 }, request, noon);
    const times = { sinceMs: noon, expiresAtMs: noon + 500 };
    expect(lease).toEqual({
      sessionId: id,
      holder: request.holder,
      fence: 4,
      ...times,
      turnRunning: false,
      ttlMs: 500,
    });
    expect(previous).toBeUndefined();
    expect(lease.holder).not.toBe(request.holder);
  });

  it("gives one that has run out without asking, and tells of it", () => {
    const lease = aLease();
    const acquired = takeLease(id, { lease, fence: 7 }, { ...request, mayTake: never }, noon + 1000);
    expect(acquired).toMatchObject({ lease: { fence: 8 }, previous: lease });
  });

  it("gives one that is in force if the request agrees, else says who has it", () => {
    const session = { lease: aLease({ turnRunning: true }), fence: 7 };
    expect(takeLease(id, session, { ...request, mayTake: always }, noon).lease.fence).toBe(8);
    const refused = () => takeLease(id, session, { ...request, mayTake: never }, noon);
    expect(refused).toThrow(
      expect.objectContaining({
        code: "SESSION_BUSY",
        data: expect.objectContaining({ sessionId: id, turnRunning: true }) as unknown,
      }),
    );
  });

  it("lets nobody who is asked change what is kept or told", () => {
    const session = { lease: aLease(), fence: 7 };
    const tampering = (current: LeaseState) => Reflect.set(current, "turnRunning", true) && false;
    expect(() => takeLease(id, session, { ...request, mayTake: tampering }, noon)).toThrow(
      expect.objectContaining({ data: expect.objectContaining({ turnRunning: false }) as unknown }),
    );
    expect(session.lease).toEqual(aLease());
  });
});

describe("a write", () => {
  it("is appended where the journal ends", () => {
    expect(codeOf(() => checkAppend(id, 4, 4))).toBe("allowed");
    expect([codeOf(() => checkAppend(id, 4, 3)), codeOf(() => checkAppend(id, 4, 5))]).toEqual([
      "STORE_CONFLICT",
      "STORE_CONFLICT",
    ]);
  });

  it("seals what is not final, up to the end of the journal and without a gap", () => {
    const sealing = (from: number, head: number) =>
      codeOf(() => checkSeal(id, { headSeq: 6, sealedSeq: 4 }, { from, head }));
    expect([sealing(5, 6), sealing(6, 6), sealing(7, 6)]).toEqual(["allowed", "allowed", "allowed"]);
    expect([sealing(8, 6), sealing(5, 5), sealing(5, 7), sealing(4, 6), sealing(0, 6)]).toEqual(
      Array.from({ length: 5 }, () => "STORE_CONFLICT"),
    );
  });

  it("forks from what is final", () => {
    const forking = (atSeq: number) => codeOf(() => checkFork({ parentId: id, atSeq }, 4));
    expect([forking(0), forking(4), forking(5)]).toEqual(["allowed", "allowed", "STORE_CONFLICT"]);
  });
});

describe("a read that goes on", () => {
  it.each([
    ["nothing was sealed", { sealedSeq: 3, given: 9 }, 3, "allowed"],
    ["all that was given was final", { sealedSeq: 3, given: 3 }, 9, "allowed"],
    ["something that was given was not", { sealedSeq: 3, given: 4 }, 9, "STORE_CONFLICT"],
    ["nothing was given yet", { sealedSeq: 3, given: 0 }, 9, "allowed"],
  ])("where %s", (_, before, sealedSeq, wanted) => {
    expect(codeOf(() => checkReadOn(id, before, sealedSeq))).toBe(wanted);
  });
});
