import { PassThrough } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { paramsOf } from "../../src/acp/updates.ts";
import { Outlet } from "../../src/base/outlet.ts";
import { isAlive, processesOutliving } from "../e2e/harness/processes.ts";
import { agentContract } from "./contract.ts";
import { recordingLog, startScript, stopAll } from "./rig.ts";

afterEach(stopAll);

/** As the built-in agent does it, in a process. */
const echo = `
  const turns = new Map();
  const end = (id) => { const turn = turns.get(id); if (turn) turn.words = undefined; };
  const step = (id, turn) => {
    const text = turn.words?.shift();
    if (text === undefined) {
      turns.delete(id);
      return answer(id, { stopReason: turn.words === undefined ? "cancelled" : "end_turn" });
    }
    const update = { sessionUpdate: "agent_message_chunk", content: { type: "text", text } };
    note("session/update", { sessionId: turn.sessionId, update });
    setTimeout(step, 5, id, turn);
  };
  onRequest(({ id, method, params }) => {
    if (method === "initialize") answer(id, { protocolVersion: 1 });
    else if (method === "session/new") answer(id, { sessionId: "s" });
    else if (method === "session/cancel")
      for (const [each, turn] of turns) { if (turn.sessionId === params.sessionId) end(each); }
    else if (method === "$/cancel_request") end(params.requestId);
    else if (method === "session/prompt") {
      const turn = { sessionId: params.sessionId, words: params.prompt[0].text.match(/\\s*\\S+|\\s+$/g) };
      turns.set(id, turn);
      setTimeout(step, 5, id, turn);
    } else if (id !== undefined) say({ id, error: { code: -32601, message: "no such method" } });
  });`;

agentContract("process", (given) => startScript(echo, given));

const mark = () => `agent-test-${process.pid}-${Math.random().toString(36).slice(2)}`;

describe("an agent's process", () => {
  it("is told apart by number and start", async () => {
    const agent = await startScript("onRequest(({ id, method }) => answer(id, { method }))");
    expect(await agent.request("ask", {})).toEqual({ method: "ask" });
    expect(agent.process).toMatchObject({ pid: expect.any(Number) as number });
    expect(isAlive(agent.process?.pid ?? 0)).toBe(true);
  });

  it("gets the environment that it is given, beside ours", async () => {
    const script = "onRequest(({ id }) => answer(id, [process.env.GIVEN, process.env.PATH]))";
    const agent = await startScript(script, {}, { env: { GIVEN: "yes" } });
    expect(await agent.request("ask", {})).toEqual(["yes", process.env["PATH"]]);
  });
});

describe("a command that cannot be started", () => {
  it.each([
    ["/nowhere/no-such-agent", "no such command"],
    ["no-such-agent-anywhere", "PATH"],
    ["/", "may not be executed"],
  ])("is reported by name and way out: %s", async (command, way) => {
    await expect(startScript("", {}, { command, args: ["--token", "secret"] })).rejects.toMatchObject({
      code: "AGENT_NOT_STARTED",
      message: expect.stringMatching(`${command}.*${way}`) as string,
      data: { command },
    });
  });
});

describe("the end of an agent's process", () => {
  it("rejects what is pending with its status and the last lines of its stderr", async () => {
    const script = `process.stderr.write("first\\n\\nlast words");
      onRequest(() => process.exit(70))`;
    const agent = await startScript(script);
    const asked = agent.request("ask", {});
    await expect(asked).rejects.toMatchObject({
      code: "AGENT_EXITED",
      message: expect.stringMatching(/exited with status 70.*last words/) as string,
      data: { exitCode: 70, signal: null, stderr: ["first", "last words"] },
    });
    expect(await agent.exited).toMatchObject({ wanted: false, error: { code: "AGENT_EXITED" } });
    await expect(agent.request("ask", {})).rejects.toMatchObject({ code: "AGENT_EXITED" });
  });

  it("names the signal that brought it about", async () => {
    const agent = await startScript(`process.kill(process.pid, "SIGKILL"); stayAlive()`);
    expect((await agent.exited).error).toMatchObject({
      message: expect.stringContaining("ended by SIGKILL") as string,
      data: { exitCode: null, signal: "SIGKILL" },
    });
  });

  it("comes behind all that it said, however slowly that is taken", async () => {
    const seen: string[] = [];
    const script = `for (let n = 0; n < 200; n += 1) note("session/update", { sessionId: "s",
      update: { sessionUpdate: "agent_message_chunk", content: { type: "text", text: n + "x".repeat(600) } } });`;
    const agent = await startScript(script, {
      updates: async (updates) => {
        if (seen.length === 0) await pause(1300);
        for (const { update } of paramsOf(updates)) seen.push((update["content"] as { text: string }).text);
      },
    });
    await agent.exited;
    expect(seen.map((text) => Number.parseInt(text, 10))).toEqual(Array.from({ length: 200 }, (_, n) => n));
  });

  it("does not wait for a child that keeps its pipe open", async () => {
    const script = `require("node:child_process").spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"],
      { stdio: ["ignore", "inherit", "ignore"] }).once("spawn", () => process.exit(3))`;
    const agent = await startScript(script);
    expect((await agent.exited).error.data).toMatchObject({ exitCode: 3 });
  });

  it("is brought about when it closes its output, for it can answer nothing any more", async () => {
    const agent = await startScript(`onRequest(() => { require("node:fs").closeSync(1); stayAlive() })`);
    await expect(agent.request("ask", {})).rejects.toMatchObject({ code: "AGENT_EXITED" });
    expect(await agent.exited).toMatchObject({ wanted: false });
  });
});

describe("stderr", () => {
  it("is passed on as it comes, and only its last lines are kept, each within bounds", async () => {
    const { log, lines } = recordingLog();
    const errors = new PassThrough();
    const script = `for (let n = 0; n < 100; n += 1) process.stderr.write("line " + n + "\\n");
      process.stderr.write("y".repeat(5000)); process.exitCode = 1;`;
    const agent = await startScript(script, {}, { log, errors: new Outlet(errors) });
    const { stderr } = (await agent.exited).error.data as { stderr: string[] };
    expect(stderr.slice(0, -1)).toEqual(Array.from({ length: 19 }, (_, n) => `line ${n + 81}`));
    expect(stderr.at(-1)).toBe("y".repeat(500));
    const all = Array.from({ length: 100 }, (_, n) => `line ${n}\n`).join("");
    expect(String(errors.read())).toBe(all + "y".repeat(5000));
    expect(lines).toEqual([]);
  });
});

describe("what an agent writes to its stdout that is no message", () => {
  it("is logged in sum: the first line, the tenth, the hundredth, and how many there were", async () => {
    const { log, lines } = recordingLog();
    const script = `for (let n = 0; n < 250; n += 1) process.stdout.write("my log, line " + n + "\\n");
      say({ id: 7, method: 5 }); onRequest((message) => process.exit(message.error.code + 32600))`;
    const agent = await startScript(script, {}, { log });
    expect((await agent.exited).error.data).toMatchObject({ exitCode: 0 });
    const counts = lines
      .filter(([level]) => level === "warn")
      .map(([, text]) => /"count":(\d+)/.exec(text)?.[1]);
    expect(counts).toEqual(["1", "10", "100", "251"]);
  });
});

describe("stopping an agent", () => {
  it("begins with the end of its input, which is wanted and no failure", async () => {
    const script = `process.stdin.resume().on("end", () => process.exit(7))`;
    // On a busy machine an agent takes its time to end by itself.
    const agent = await startScript(script, {}, { stopGraceMs: 10_000 });
    await agent.stop();
    expect(await agent.exited).toMatchObject({
      wanted: true,
      error: { data: { exitCode: 7, signal: null } },
    });
    await agent.stop();
  });

  it("goes on with SIGTERM", async () => {
    const agent = await startScript("stayAlive()");
    await agent.stop();
    expect((await agent.exited).error.data).toMatchObject({ signal: "SIGTERM" });
  });

  it("ends with force, for it and for all that it started", async () => {
    const ACP_TEST_MARK = mark();
    const deaf = `for (const s of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(s, () => {});`;
    const script = `${deaf}
      const grandchild = ${JSON.stringify(`${deaf} process.send("ready"); setInterval(() => {}, 60000)`)};
      const child = require("node:child_process").spawn(process.execPath, ["-e", grandchild], { stdio: ["ignore", "ignore", "ignore", "ipc"] });
      child.once("message", () => note("ready", { pid: child.pid })); stayAlive();`;
    let told: (params: unknown) => void = () => undefined;
    const ready = new Promise<unknown>((resolve) => (told = resolve));
    const agent = await startScript(
      script,
      { notification: (_method, params) => told(params) },
      { env: { ACP_TEST_MARK } },
    );
    const { pid } = (await ready) as { pid: number };
    expect(isAlive(pid)).toBe(true);
    await agent.stop();
    expect((await agent.exited).error.data).toMatchObject({ signal: "SIGKILL" });
    expect(await processesOutliving(ACP_TEST_MARK, 1000)).toEqual([]);
  });

  it("takes along what an agent left behind that has ended by itself", async () => {
    const ACP_TEST_MARK = mark();
    const script = `require("node:child_process").spawn(process.execPath,
      ["-e", "process.on('SIGTERM', () => {}); setInterval(() => {}, 60000)"], { stdio: "ignore" });
      setTimeout(() => process.exit(0), 300)`;
    const agent = await startScript(script, {}, { env: { ACP_TEST_MARK } });
    await agent.exited;
    await agent.stop();
    expect(await processesOutliving(ACP_TEST_MARK, 1000)).toEqual([]);
  });
});
