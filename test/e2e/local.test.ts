/** What runs on this machine: real processes, asked over real sockets. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { machineFigures, machineStatus, type MachineStatus } from "../../src/local/machine.ts";
import { familiesIn, valueIn, type Family } from "../figures/scrape.ts";
import { useHarness } from "./harness/harness.ts";
import { RawClient } from "./harness/raw-client.ts";
import { textOf } from "./harness/wire.ts";

const harness = useHarness();
const cwd = harness.project();
/** A machine of this file's own. */
const env = { TMPDIR: harness.dir };
const here = { env: { ...env, HOME: harness.dir, XDG_RUNTIME_DIR: harness.dir } };

/** Settles when these are what answers. */
async function untilSeen(...pids: readonly number[]): Promise<MachineStatus> {
  for (;;) {
    const seen = await machineStatus(here);
    const found = seen.processes.map(({ pid }) => pid).sort();
    if (JSON.stringify(found) === JSON.stringify([...pids].sort())) return seen;
    await delay(20);
  }
}

async function figures(): Promise<Map<string, Family>> {
  return familiesIn(await machineFigures(here));
}

const sockets = () => readdirSync(join(harness.dir, "acp-sidecar")).filter((name) => name.endsWith(".sock"));

describe("what runs on this machine", () => {
  it("is seen and summed; who is killed leaves its figures and a socket that is swept; sessions and processes are ended in order [REQ D2.3]", async () => {
    const store = harness.storeUrl();
    const first = await harness.connect({ store, env });
    const other = await harness.connect({ store, env });
    const { sessionId } = await first.newSession(cwd);
    const { sessionId: kept } = await other.newSession(cwd);
    await first.prompt(sessionId, "stream 3");
    await other.prompt(kept, "stream 5");
    const { processes } = await untilSeen(first.program.pid, other.program.pid);
    expect(processes.find(({ pid }) => pid === first.program.pid)).toMatchObject({
      kind: "serve",
      agent: process.execPath,
      store,
      sessions: [{ id: sessionId, clients: 1 }],
    });

    const before = await figures();
    expect(valueIn(before, "acp_sidecar_processes")).toBe(2);
    expect(valueIn(before, "acp_sidecar_sessions_live")).toBe(2);
    expect(valueIn(before, "acp_sidecar_turns_total", { outcome: "end_turn" })).toBe(2);
    expect(valueIn(before, "acp_sidecar_updates_total")).toBe(8);

    await harness.crash(first.program);
    expect(sockets()).toHaveLength(2);
    await untilSeen(other.program.pid);
    expect(sockets()).toHaveLength(1);
    const after = await figures();
    expect(valueIn(after, "acp_sidecar_turns_total", { outcome: "end_turn" })).toBe(2);
    expect(valueIn(after, "acp_sidecar_processes")).toBe(1);

    const turn = other.prompt(kept, "until-cancel");
    await other.untilUpdate(kept, (update) => textOf([update]).includes("before"));
    const ended = await harness.cli(["sessions", "end", kept, "--store", store], { env });
    expect(ended).toMatchObject({ status: 0, stdout: `Ended ${kept}\n`, stderr: "" });
    expect(await turn).toMatchObject({ stopReason: "cancelled" });
    await other.untilUpdate(kept, (update) => textOf([update]).includes("was ended by"));
    const again = await harness.cli(["sessions", "end", kept, "--store", store], { env });
    expect(again.stdout).toBe(`Nobody has ${kept} open\n`);

    const stopped = await harness.cli(["stop", String(other.program.pid)], { env });
    expect(stopped).toMatchObject({ status: 0, stdout: `Stopped ${other.program.pid}\n` });
    expect((await other.program.exited).status).toBe(0);
    expect(await machineStatus(here)).toEqual({ processes: [], silent: [] });
    const last = await figures();
    expect(valueIn(last, "acp_sidecar_turns_total", { outcome: "cancelled" })).toBe(1);
    expect(valueIn(last, "acp_sidecar_turns_total", { outcome: "end_turn" })).toBe(2);
  });

  it("is not seen of a process that is not to be asked, and all else is as ever", async () => {
    const client = new RawClient(harness.sidecar({ agent: "echo", env, args: ["--endpoint", "off"] }));
    await client.initialize();
    await client.prompt(await client.newSession(cwd), "hello");
    await harness.stop(client.program);
    expect(sockets()).toEqual([]);
  });

  it("is kept also by a process that was too short for others to ask it", async () => {
    const store = harness.storeUrl();
    const turns = async () =>
      valueIn(await figures(), "acp_sidecar_turns_total", { outcome: "end_turn" }) ?? 0;
    const before = await turns();
    const client = new RawClient(harness.sidecar({ agent: "echo", env, store }));
    await client.initialize();
    await client.prompt(await client.newSession(cwd), "hello");
    await harness.stop(client.program);
    expect(await turns()).toBe(before + 1);
  });
});
