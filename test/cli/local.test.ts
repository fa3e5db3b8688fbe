import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { rates, ratesText } from "../../src/cli/rates.ts";
import { forText } from "../../src/cli/ps.ts";
import type { Snapshot } from "../../src/figures/snapshot.ts";
import { familiesIn, valueIn } from "../figures/scrape.ts";
import { machine, process_, type Machine } from "../local/rig.ts";
import { cli } from "./harness.ts";

const hostile = "\u001b[2J\u009b31m\u202e\r\nx\ud800";
const steering = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

let here: Machine;
let close: () => Promise<void>;
beforeEach(() => {
  here = machine();
  close = async () => undefined;
});
afterEach(async () => {
  await close();
  here.remove();
});

async function hostileProcess() {
  const facts = () => ({
    sessions: [{ id: hostile, clients: 1, waiting: 0, turnSinceMs: Date.now() - 65_000 }],
    client: { name: hostile, version: hostile },
    agentPid: 7,
  });
  const { meter, ...local } = await process_(here, { agent: hostile, store: hostile, facts });
  close = () => local.close();
  return meter;
}

describe("ps, top and figures", () => {
  it("say that nothing runs", async () => {
    expect(await cli(["ps"], here)).toEqual({ status: 0, out: "No sidecar is running.\n", err: "" });
    const { status, out } = await cli(["top", "--every", "200ms"], here);
    expect(status).toBe(0);
    expect(out).toMatch(/^acp-sidecar top\nnow +0 processes/);
    expect((await cli(["ps", "--json"], here)).out).toBe('{\n  "processes": [],\n  "silent": []\n}\n');
  });

  it("show a process and its sessions, whatever these are called", async () => {
    await hostileProcess();
    for (const argv of [
      ["ps"],
      ["ps", "--json"],
      ["top", "--every", "200ms"],
      ["top", "--every", "200ms", "--json"],
    ]) {
      const { status, out, err } = await cli(argv, here);
      expect({ argv, status, err, found: steering.exec(out) }).toEqual({
        argv,
        status: 0,
        err: "",
        found: null,
      });
      if (argv.includes("--json")) {
        expect((JSON.parse(out) as { processes: unknown[] }).processes).toHaveLength(1);
      } else {
        expect(out).toContain(String(process.pid));
        expect(out).toContain("1m 5s");
      }
    }
  });

  it("print figures with nothing of that in them, also where the store cannot be opened", async () => {
    const meter = await hostileProcess();
    meter.add("turns", "refusal");
    const { status, out, err } = await cli(["figures", "--store", `sqlite:${here.folder}/none.db`], here);
    expect(status).toBe(0);
    expect(err).toMatch(/^acp-sidecar: .*none\.db.*\n$/);
    const families = familiesIn(out);
    expect(valueIn(families, "acp_sidecar_turns_total", { outcome: "refusal" })).toBe(1);
    expect(valueIn(families, "acp_sidecar_sessions_stored")).toBeUndefined();
    const json = await cli(["figures", "--json", "--store", "memory:"], here);
    expect(JSON.parse(json.out)).toMatchObject({ gauges: { processes: 1, storedSessions: 0 } });
  });

  it.each([
    [["stop", "x"], 2, /"x" is no process number/],
    [["stop", "1"], 2, /no sidecar of yours with process number 1; acp-sidecar ps/],
    [["stop"], 2, /PID/],
    [["top", "--every", "1ms"], 2, /--every/],
  ])("%j is refused in a line", async (argv, status, said) => {
    const ran = await cli(argv, here);
    expect(ran.status).toBe(status);
    expect(ran.err).toMatch(said);
    expect(ran.err.trimEnd().split("\n")).toHaveLength(1);
  });

  it("top fills a terminal until a key ends it, and gives the screen back", async () => {
    await hostileProcess();
    const { status, out } = await cli(["top"], { ...here, columns: 60, typed: "xq" });
    expect(status).toBe(0);
    expect(out.startsWith("\u001b[?1049h")).toBe(true);
    expect(out.endsWith("\u001b[?25h\u001b[?1049l")).toBe(true);
  });
});

describe("what has grown between two looks", () => {
  const look = (count: number): Snapshot => ({
    counters: {
      requests: { "initialize ok": count, "session/new failed": count },
      tokens: { input: count, cached_read: 1000 * count },
      storeOperations: { "append ok": 10 * count, "flush failed": count },
      cpuSeconds: { "": count / 10 },
    },
    times: { storeOperation: { append: { sum: count / 1000, within: { "0.001": count } } } },
    gauges: { processes: 1, residentBytes: 1024 ** 2 },
  });

  it("is told by the second, times as their mean", () => {
    const rate = rates(look(10), look(20), 2);
    expect(rate).toMatchObject({
      requests: 10,
      tokens: 5,
      storeOperations: 55,
      storeFailures: 5,
      appendMs: 1,
    });
    expect(rate.cpu).toBeCloseTo(0.5);
    expect(rate).not.toHaveProperty("flushMs");
    const text = ratesText(rate, look(20).gauges).join("\n");
    expect(text).toMatch(
      /1 process, 0 live sessions.*\n.*10 requests.*5 tokens\n.*append 1\.00 ms, flush –, 5 failed/,
    );
    expect(rates(look(20), look(10), 1).requests).toBe(0);
  });

  it("and how long something goes on, in words", () => {
    expect([0, 59_999, 65_000, 7_260_000].map(forText)).toEqual(["0s", "59s", "1m 5s", "2h 1m"]);
  });
});
