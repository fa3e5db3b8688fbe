import { afterEach, describe, expect, it } from "vitest";
import { EchoAgent } from "../../src/agent/echo.ts";
import type { Agent, StartAgent } from "../../src/agent/agent.ts";
import { AgentSupervisor, type AgentObserver, type SupervisorOptions } from "../../src/agent/supervisor.ts";
import { SidecarError } from "../../src/base/errors.ts";
import { silentLogger } from "../../src/base/log.ts";
import { handlers } from "../rpc/streams.ts";
import { recordingLog, startScript, stopAll } from "./rig.ts";

const supervisors: AgentSupervisor[] = [];

afterEach(async () => {
  await Promise.all(supervisors.splice(0).map((each) => each.stop()));
  await stopAll();
});

/** Answers every request with its method and params; dies of `die`. */
const answers = `onRequest(({ id, method, params }) =>
  method === "die" ? process.exit(9) : answer(id, { method, params, pid: process.pid }))`;

function supervise(script: string | StartAgent, more: Partial<SupervisorOptions & AgentObserver> = {}) {
  const started: Agent[] = [];
  const exits: SidecarError[] = [];
  let starts = 0;
  const { handlers: taking = handlers(), ...options } = more;
  const supervisor = new AgentSupervisor({
    start: async (given) => {
      starts += 1;
      return typeof script === "string" ? startScript(script, given) : script(given);
    },
    restart: { attempts: 3, backoffMs: 20 },
    log: silentLogger,
    ...options,
  });
  supervisor.observe({
    handlers: taking,
    onExit: (_agent, error) => exits.push(error),
    onStart: (agent) => started.push(agent),
  });
  supervisors.push(supervisor);
  return { supervisor, started, exits, starts: () => starts };
}

const initialize = { protocolVersion: 1, clientInfo: { name: "test" } };

/** Has the agent die, and waits until that is known. */
async function die(supervisor: AgentSupervisor): Promise<void> {
  const { agent } = await supervisor.run();
  await expect(agent.request("die", {})).rejects.toMatchObject({ code: "AGENT_EXITED" });
  await agent.exited;
}

describe("a supervised agent", () => {
  it("is started once, ahead of the first initialize, and then runs", async () => {
    const { supervisor, starts, started } = supervise(answers);
    supervisor.begin();
    const run = await supervisor.initialize(initialize);
    expect(run.initialized).toMatchObject({ method: "initialize", params: initialize });
    expect(await supervisor.run()).toBe(run);
    expect([starts(), started]).toEqual([1, [run.agent]]);
  });

  it("is started again when it has died, and initialized as before", async () => {
    const { supervisor, exits, starts } = supervise(answers);
    const first = await supervisor.initialize(initialize);
    await die(supervisor);
    const [second, same] = await Promise.all([supervisor.run(), supervisor.run()]);
    expect(second).toBe(same);
    expect(second.initialized["params"]).toEqual(initialize);
    expect(second.initialized["pid"]).not.toBe(first.initialized["pid"]);
    expect(exits.map(({ data }) => data["exitCode"])).toEqual([9]);
    expect(starts()).toBe(2);
  });

  it("is authenticated again, until it is forgotten", async () => {
    const asked: unknown[] = [];
    const script = `onRequest(({ id, method, params }) => {
      if (method === "die") process.exit(9);
      note("asked", [method, params]); answer(id, {}) })`;
    const { supervisor } = supervise(script, {
      handlers: handlers({ notification: (_method, params) => void asked.push(params) }),
    });
    await supervisor.initialize(initialize);
    supervisor.remember("login", "authenticate", { methodId: "m" });
    await die(supervisor);
    await supervisor.run();
    expect(asked.splice(0)).toEqual([
      ["initialize", initialize],
      ["initialize", initialize],
      ["authenticate", { methodId: "m" }],
    ]);
    supervisor.forget("login");
    await die(supervisor);
    await supervisor.run();
    expect(asked).toEqual([["initialize", initialize]]);
  });

  it("that does not take the login again serves all that needs none", async () => {
    const script = `onRequest(({ id, method }) => {
      if (method === "die") process.exit(9);
      if (method === "authenticate") return say({ id, error: { code: -32000, message: "expired" } });
      answer(id, {}) })`;
    const { supervisor } = supervise(script);
    await supervisor.initialize(initialize);
    supervisor.remember("login", "authenticate", { methodId: "m" });
    await die(supervisor);
    const { agent } = await supervisor.run();
    expect(await agent.request("session/list", {})).toEqual({});
  });

  it("that does not know the protocol is refused by name", async () => {
    const { supervisor } = supervise("onRequest(({ id }) => answer(id, 5))");
    await expect(supervisor.initialize(initialize)).rejects.toMatchObject({ code: "AGENT_PROTOCOL" });
  });

  it("that is not there is not started for the asking", async () => {
    const { supervisor, starts } = supervise(answers);
    await supervisor.ifRunning(async () => {
      throw new Error("there is no run");
    });
    expect(starts()).toBe(0);
    await supervisor.initialize(initialize);
    let asked = false;
    await supervisor.ifRunning(async () => {
      asked = true;
    });
    expect(asked).toBe(true);
  });

  it("has its death logged without its last words, which may quote a prompt", async () => {
    const { log, lines } = recordingLog();
    const script = `onRequest(({ id, method }) => method === "initialize" ? answer(id, {})
      : process.stderr.write("the text of a prompt", () => process.exit(9)))`;
    const { supervisor } = supervise(script, { log });
    await supervisor.initialize(initialize);
    await die(supervisor);
    expect(lines).toEqual([["warn", 'the agent ended {"exitCode":9,"signal":null}']]);
  });
});

describe("an agent that fails again and again", () => {
  const failure = new SidecarError("AGENT_NOT_STARTED", "no such command");
  const failing: StartAgent = () => Promise.reject(failure);

  it("is tried again with pauses that double, and then not for a while, which the error says", async () => {
    const { supervisor, starts } = supervise(failing, { restart: { attempts: 3, backoffMs: 40 } });
    const times: number[] = [];
    for (let n = 0; n < 4; n += 1) {
      const startMs = performance.now();
      await expect(supervisor.run()).rejects.toBe(failure);
      times.push(performance.now() - startMs);
    }
    // At once, at once, after a pause, after twice the pause.
    expect(times[1]).toBeLessThan(35);
    expect(times[2]).toBeGreaterThan(35);
    expect(times[3]).toBeGreaterThan(75);
    await expect(supervisor.run()).rejects.toMatchObject({
      code: "AGENT_UNAVAILABLE",
      message: expect.stringMatching(/failed 4 times in a row.* 30 s: no such command/) as string,
      data: { failures: 4, retryAfterSeconds: 30 },
    });
    expect(starts()).toBe(4);
  });

  it("is trusted again after a success", async () => {
    const { supervisor, starts } = supervise(answers, { restart: { attempts: 1, backoffMs: 1 } });
    await supervisor.initialize(initialize);
    for (let n = 0; n < 4; n += 1) {
      await die(supervisor);
      await supervisor.run();
      supervisor.noteSuccess();
    }
    expect(starts()).toBe(5);
    await die(supervisor);
    await supervisor.run();
    await die(supervisor);
    await expect(supervisor.run()).rejects.toMatchObject({
      code: "AGENT_UNAVAILABLE",
      data: { exitCode: 9 },
    });
  });
});

describe("stopping", () => {
  it("stops the agent, and starts no other", async () => {
    const { supervisor, exits } = supervise(answers);
    const { agent } = await supervisor.initialize(initialize);
    await supervisor.stop();
    expect(await agent.exited).toMatchObject({ wanted: true });
    expect(exits).toEqual([]);
    await expect(supervisor.run()).rejects.toMatchObject({ code: "AGENT_EXITED" });
  });

  it("does not wait for a pause between two tries, nor start the agent behind it", async () => {
    const { supervisor, starts } = supervise(() => Promise.reject(new Error("no")), {
      restart: { attempts: 10, backoffMs: 60_000 },
    });
    for (let n = 0; n < 2; n += 1) await expect(supervisor.run()).rejects.toThrow("no");
    const third = supervisor.run();
    const outcome = Promise.allSettled([third]);
    await new Promise((resolve) => setImmediate(resolve));
    await supervisor.stop();
    expect(await outcome).toMatchObject([{ reason: { code: "AGENT_EXITED" } }]);
    expect(starts()).toBe(2);
  });

  it("stops an agent that is just being started", async () => {
    let begun: () => void = () => undefined;
    const beginning = new Promise<void>((resolve) => (begun = resolve));
    const { supervisor, started } = supervise(async (given) => {
      begun();
      await new Promise((resolve) => setTimeout(resolve, 20));
      return new EchoAgent(given);
    });
    supervisor.begin();
    await beginning;
    await supervisor.stop();
    expect(await started[0]?.exited).toMatchObject({ wanted: true });
  });
});
