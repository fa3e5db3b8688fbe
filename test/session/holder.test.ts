import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { identityOf } from "../../src/base/process.ts";
import type { OnBusy } from "../../src/config/config.ts";
import { isDead, isFree, isHeld, isSameHolder, mayTake, thisHolder } from "../../src/session/holder.ts";
import type { Holder, LeaseState } from "../../src/store/contract.ts";

const self = thisHolder();
const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
const holders: Record<string, Holder> = {};

beforeAll(async () => {
  if (child.pid === undefined) await once(child, "spawn");
  const live = { host: self.host, ...identity(child.pid) };
  const brief = spawn(process.execPath, ["-e", ""], { stdio: "ignore" });
  const dead = { host: self.host, ...identity(brief.pid) };
  await once(brief, "exit");
  Object.assign(holders, {
    ourselves: { ...self, agent: { pid: 1, startedAt: "x" } },
    live,
    dead,
    reused: { ...live, startedAt: "another start" },
    elsewhere: { ...dead, host: "elsewhere/boot/pid:[1]" },
  });
});

afterAll(() => child.kill("SIGKILL"));

function identity(pid: number | undefined) {
  const found = pid === undefined ? undefined : identityOf(pid);
  if (found === undefined) throw new Error("a process that was started has no identity");
  return found;
}

function leaseOf(holder: Holder | undefined, turnRunning: boolean): LeaseState {
  if (holder === undefined) throw new Error("no such holder");
  return { holder, fence: 1, sinceMs: 1, expiresAtMs: 2, turnRunning };
}

describe("who may take a session over", () => {
  // Holder, then for idle, error and takeover: from an idle holder, from one in a turn.
  it.each<[string, ...Record<OnBusy, [boolean, boolean]>[]]>([
    ["ourselves", { idle: [true, true], error: [true, true], takeover: [true, true] }],
    ["dead", { idle: [true, true], error: [true, true], takeover: [true, true] }],
    ["reused", { idle: [true, true], error: [true, true], takeover: [true, true] }],
    ["live", { idle: [true, false], error: [false, false], takeover: [true, true] }],
    ["elsewhere", { idle: [true, false], error: [false, false], takeover: [true, true] }],
  ])("from %s", (name, expected) => {
    for (const onBusy of ["idle", "error", "takeover"] as const) {
      const may = mayTake(onBusy, self);
      const found = [false, true].map((turnRunning) => may(leaseOf(holders[name], turnRunning)));
      expect([onBusy, found]).toEqual([onBusy, expected?.[onBusy]]);
    }
  });

  it("is told by host, process and start alone: the agent does not matter", () => {
    expect(isSameHolder(self, { ...self, agent: { pid: 1, startedAt: "x" } })).toBe(true);
    for (const other of [{ host: "x" }, { pid: 1 }, { startedAt: "x" }]) {
      expect(isSameHolder(self, { ...self, ...other })).toBe(false);
    }
  });

  it("knows nobody dead of whom it cannot tell", () => {
    const dead = Object.entries(holders).filter(([, holder]) => isDead(holder, self));
    expect(dead.map(([name]) => name)).toEqual(["dead", "reused"]);
  });
});

describe("whether a session is held", () => {
  const heldBy = (name: string, expiresAtMs: number) => {
    const lease = { ...leaseOf(holders[name], false), expiresAtMs };
    return [isHeld(lease, self), isFree(lease, self)];
  };

  it("is told by a lease that has not run out and a holder that is not dead; by ours it is free for us", () => {
    const later = Date.now() + 60_000;
    expect([isHeld(undefined, self), isFree(undefined, self)]).toEqual([false, true]);
    expect(heldBy("live", later)).toEqual([true, false]);
    expect(heldBy("elsewhere", later)).toEqual([true, false]);
    expect(heldBy("live", 1)).toEqual([false, true]);
    expect(heldBy("dead", later)).toEqual([false, true]);
    expect(heldBy("ourselves", later)).toEqual([true, true]);
  });
});
