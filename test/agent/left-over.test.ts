import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { leftOvers, noteAgent, reapAgent, reapLeftOvers } from "../../src/agent/left-over.ts";
import { silentLogger } from "../../src/base/log.ts";
import { identityOf, isSameProcessAlive, type ProcessIdentity } from "../../src/base/process.ts";

let runtime: string;
let folder: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  runtime = fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-run-"));
  folder = path.join(runtime, "acp-sidecar");
  vi.stubEnv("XDG_RUNTIME_DIR", runtime);
});
afterEach(() => {
  vi.unstubAllEnvs();
  for (const child of children.splice(0)) child.kill("SIGKILL");
  fs.rmSync(runtime, { recursive: true, force: true });
});

/** An agent that nobody tells to stop. */
function agent({ detached = true } = {}) {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 60000)"], {
    stdio: "ignore",
    detached,
  });
  children.push(child);
  const identity = child.pid === undefined ? undefined : identityOf(child.pid);
  if (identity === undefined) throw new Error("a process that was started has no identity");
  return { identity, exited: once(child, "exit") };
}

/** Notes it, as another sidecar would have done. */
async function noted(
  identity: ProcessIdentity,
  change: object = { sidecar: { pid: process.pid, startedAt: "1" } },
) {
  const forget = noteAgent(identity);
  await vi.waitFor(() => expect(names()).toHaveLength(1));
  const file = path.join(folder, names()[0] ?? "");
  await vi.waitFor(() => expect(fs.readFileSync(file, "utf8")).toContain("startedAt"));
  const note = JSON.parse(fs.readFileSync(file, "utf8")) as object;
  fs.writeFileSync(file, JSON.stringify({ ...note, ...change }));
  return forget;
}

const names = () => (fs.existsSync(folder) ? fs.readdirSync(folder) : []);

describe("an agent whose sidecar was killed", () => {
  it("is stopped by the next one that starts, and forgotten", async () => {
    const { identity, exited } = agent();
    await noted(identity);
    // Of one that was killed while it noted its own.
    fs.writeFileSync(path.join(folder, "agent-4711.json"), "");
    expect(await leftOvers()).toEqual([{ ...identity, sinceMs: expect.any(Number) as number }]);
    await reapLeftOvers(silentLogger, 300);
    await exited;
    expect(await leftOvers()).toEqual([]);
    expect(names()).toEqual(["agent-4711.json"]);
    await reapLeftOvers(silentLogger, 300);
  });

  it("is stopped by whoever wants one of its sessions, too", async () => {
    const { identity, exited } = agent();
    await noted(identity);
    expect(await reapAgent(identity, 300)).toBe(true);
    await exited;
    expect(await reapAgent(identity, 300)).toBe(false);
  });
});

describe("what is not proved to be such an agent is never stopped", () => {
  it.each<[string, object]>([
    ["its sidecar runs", {}],
    [
      "it was noted on another machine, or before the last boot",
      { space: "elsewhere", sidecar: { pid: 2, startedAt: "1" } },
    ],
    ["the note is none", { sidecar: undefined }],
  ])("%s", async (_why, change) => {
    const { identity } = agent();
    await noted(identity, change);
    await reapLeftOvers(silentLogger, 300);
    expect(await reapAgent(identity, 300)).toBe(false);
    expect(isSameProcessAlive(identity)).toBe(true);
  });

  it("another process has its number by now", async () => {
    const { identity } = agent();
    await noted({ ...identity, startedAt: "2" });
    await reapLeftOvers(silentLogger, 300);
    expect(isSameProcessAlive(identity)).toBe(true);
    expect(names()).toEqual([]);
  });

  it("it leads no group of its own, so that others would be stopped with it", async () => {
    const { identity } = agent({ detached: false });
    await noted(identity);
    expect(await reapAgent(identity, 300)).toBe(false);
    expect(isSameProcessAlive(identity)).toBe(true);
  });

  it("a lease names it, and nobody here has noted it", async () => {
    const { identity } = agent();
    expect(await reapAgent(identity, 300)).toBe(false);
    expect(await reapAgent({ pid: 1, startedAt: "" }, 300)).toBe(false);
    expect(isSameProcessAlive(identity)).toBe(true);
  });

  it.each<[string, (agent: ProcessIdentity) => object]>([
    ["no start", ({ pid }) => ({ pid, startedAt: "" })],
    ["another start", ({ pid }) => ({ pid, startedAt: "1" })],
    ["process 1", () => ({ pid: 1, startedAt: "" })],
    ["our own group", ({ startedAt }) => ({ pid: 0, startedAt })],
    ["everything", ({ startedAt }) => ({ pid: -1, startedAt })],
    ["a group", ({ pid, startedAt }) => ({ pid: -pid, startedAt })],
    ["a note that somebody else has put there", ({ startedAt }) => ({ pid: "/../../forged", startedAt })],
    ["no numbers", () => ({ pid: null })],
  ])("a forged lease names %s", async (_what, forge) => {
    const { identity } = agent();
    await noted(identity);
    fs.copyFileSync(path.join(folder, names()[0] ?? ""), path.join(runtime, "forged.json"));
    const kill = vi.spyOn(process, "kill");
    expect(await reapAgent(forge(identity) as ProcessIdentity, 300)).toBe(false);
    const signals = kill.mock.calls.filter(([, signal]) => signal !== 0);
    kill.mockRestore();
    expect(signals).toEqual([]);
    expect(isSameProcessAlive(identity)).toBe(true);
  });

  it("a note stands under the number of another process", async () => {
    const { identity } = agent();
    await noted(identity);
    fs.renameSync(path.join(folder, names()[0] ?? ""), path.join(folder, "agent-4711.json"));
    await reapLeftOvers(silentLogger, 300);
    expect(isSameProcessAlive(identity)).toBe(true);
  });

  it("others may write to the folder of the notes", async () => {
    const { identity } = agent();
    await noted(identity);
    fs.chmodSync(folder, 0o777);
    await reapLeftOvers(silentLogger, 300);
    expect(isSameProcessAlive(identity)).toBe(true);
  });
});

describe("an agent that was stopped by its own sidecar", () => {
  it("is forgotten", async () => {
    const { identity } = agent();
    const forget = await noted(identity);
    await forget();
    expect(names()).toEqual([]);
  });
});
