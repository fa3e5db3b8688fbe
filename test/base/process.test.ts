import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { identityOf, isSameProcessAlive, leadsGroup, processSpace, startOf } from "../../src/base/process.ts";

/** A process in a group of its own. */
function child() {
  const process_ = spawn(process.execPath, ["-e", "setInterval(() => {}, 60000)"], {
    stdio: "ignore",
    detached: true,
  });
  const identity = process_.pid === undefined ? undefined : identityOf(process_.pid);
  if (identity === undefined) throw new Error("a process that was started has no identity");
  return { process: process_, identity, exited: once(process_, "exit") };
}

describe("a process", () => {
  it("is told from a later one with its number by its start", async () => {
    const { process: running, identity, exited } = child();
    expect(isSameProcessAlive(identity)).toBe(true);
    expect(startOf(identity.pid)).toBe(identity.startedAt);
    expect(isSameProcessAlive({ ...identity, startedAt: `${identity.startedAt}1` })).toBe(false);
    expect(leadsGroup(identity.pid)).toBe(true);
    running.kill("SIGKILL");
    await exited;
    expect(leadsGroup(identity.pid)).toBe(false);
    expect(isSameProcessAlive(identity)).toBe(false);
    expect([startOf(identity.pid), identityOf(identity.pid)]).toEqual([undefined, undefined]);
  });

  it("counts as the same where no start is known", () => {
    expect(isSameProcessAlive({ pid: process.pid, startedAt: "" })).toBe(true);
  });

  it("has a number that means something in one place only", () => {
    expect(processSpace()).toBe(processSpace());
    expect(processSpace().length).toBeGreaterThan(0);
  });
});
