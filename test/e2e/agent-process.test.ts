/** The agent dies, is started again, is noisy: the client need not know. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { SidecarOptions } from "./harness/harness.ts";
import { useHarness } from "./harness/harness.ts";
import { defaultInitialize, type SdkClient } from "./harness/sdk-client.ts";
import { textOf } from "./harness/wire.ts";

const harness = useHarness();
const cwd = harness.project();

const withState = (...flags: string[]) => ["agent.mjs", ...flags, "--state", harness.path("state")];

async function conversation(agent: readonly string[], options: SidecarOptions = {}) {
  const client = await harness.connect({ ...options, agent });
  const { sessionId } = await client.newSession(cwd);
  return { client, sessionId };
}

/** Kills the agent from outside and waits until the sidecar has noticed, which it logs. */
async function killAgent(client: SdkClient): Promise<void> {
  const before = client.program.stderr.length;
  process.kill(client.program.agents().at(-1)?.pid ?? 0, "SIGKILL");
  await expect.poll(() => client.program.stderr.slice(before), { timeout: 5000 }).toMatch(/agent.*ended/);
}

const deathOf = (promise: Promise<unknown>) =>
  promise.then(
    () => {
      throw new Error("The prompt was answered although the agent died");
    },
    (error: unknown) => error as { code: number; message: string; data: Record<string, unknown> },
  );

describe("an agent that dies in a turn", () => {
  it("ends the prompt with its status and last words, and keeps what it streamed [REQ agent-death-error, agent-death-kept, durable-agent-killed]", async () => {
    const { client, sessionId } = await conversation(["agent.mjs"]);
    const error = await deathOf(client.prompt(sessionId, "stream 70\ntool\ncrash 3"));
    expect(error.data).toMatchObject({ code: "AGENT_EXITED" });
    expect(JSON.stringify(error)).toContain("fixture: giving up");
    expect(`${error.message} ${JSON.stringify(error.data)}`).toMatch(/\b3\b/);
    const seen = textOf(client.program.out.updates(sessionId));
    expect(seen).toMatch(/\[70\]last words $/);
    const replayed = await client.replay(sessionId, cwd);
    expect(textOf(replayed)).toBe(seen);
    expect(replayed.filter(({ sessionUpdate }) => sessionUpdate === "tool_call")).toHaveLength(1);
  });

  it("names the signal that killed it [REQ agent-death-error]", async () => {
    const { client, sessionId } = await conversation(["agent.mjs"]);
    const error = await deathOf(client.prompt(sessionId, "crash SIGKILL"));
    expect(JSON.stringify(error)).toContain("SIGKILL");
  });

  it("ends the prompts of all of its sessions, and each session goes on [REQ agent-death-error, agent-restart]", async () => {
    const { client, sessionId } = await conversation(["agent.mjs"]);
    const others = await Promise.all([1, 2].map(() => client.newSession(cwd)));
    const waiting = others.map((other) => deathOf(client.prompt(other.sessionId, "until-cancel")));
    for (const other of others) await client.untilUpdate(other.sessionId, () => true);
    const errors = await Promise.all([deathOf(client.prompt(sessionId, "crash 3")), ...waiting]);
    expect(errors.map(({ data }) => data["code"])).toEqual(Array(3).fill("AGENT_EXITED"));
    for (const id of [sessionId, ...others.map((other) => other.sessionId)]) {
      expect(await client.say(id, "hello")).toBe("echo: hello");
    }
    expect(client.program.agents()).toHaveLength(2);
  });
});

describe("the next prompt after a death", () => {
  it.each([
    ["resumes", ["--resume", "--load"], "resume"],
    ["loads, with the replay swallowed", ["--load"], "load"],
    ["hands the conversation over", [], "new"],
  ])("%s [REQ agent-restart]", async (_how, flags, boundBy) => {
    const { client, sessionId } = await conversation(withState(...flags));
    await client.prompt(sessionId, "remember me");
    await deathOf(client.prompt(sessionId, "crash 3"));
    const from = client.program.out.length;
    expect(JSON.parse(await client.say(sessionId, "recall"))).toMatchObject({ boundBy });
    expect(client.program.out.updates(sessionId, from)).toHaveLength(1);
  });

  it("simply works when the agent died unseen, between turns [REQ agent-restart, agent-restart-initialize]", async () => {
    const { client, sessionId } = await conversation(["agent.mjs"]);
    await killAgent(client);
    expect(await client.say(sessionId, "hello")).toBe("echo: hello");
    const [first, second] = client.program.agents();
    expect(second?.pid).not.toBe(first?.pid);
    expect(second?.messages[0]).toMatchObject({ method: "initialize", params: defaultInitialize });
  });

  it("finds mode and options as they were chosen [REQ settings-reapply]", async () => {
    const { client, sessionId } = await conversation(["agent.mjs"]);
    await client.agent.request("session/set_mode", { sessionId, modeId: "code" });
    await client.agent.request("session/set_config_option", { sessionId, configId: "model", value: "large" });
    await killAgent(client);
    const known = JSON.parse(await client.say(sessionId, "recall")) as object;
    expect(known).toMatchObject({ boundBy: "new", mode: "code", model: "large" });
  });

  it("is told of providers again, in order, and not of what was superseded or refused [REQ providers-repeat]", async () => {
    const client = await harness.connect({ agent: withState("--resume") });
    const { sessionId } = await client.newSession(cwd);
    const set = (providerId: string, baseUrl: string) =>
      client.agent.request("providers/set", {
        ...{ providerId, baseUrl, apiType: "anthropic", headers: { "x-key": "secret" } },
      });
    await set("a", "https://one.example");
    await set("b", "https://b.example");
    await set("a", "https://two.example");
    await client.agent.request("providers/disable", { providerId: "b" });
    await expect(set("refused", "https://c.example")).rejects.toMatchObject({ code: -32602 });
    await killAgent(client);
    await client.say(sessionId, "hello");
    const told = client.program.agents().at(-1)?.messages ?? [];
    expect(told.map(({ method }) => method).slice(0, 3)).toEqual([
      "initialize",
      "providers/set",
      "providers/disable",
    ]);
    expect(told[1]?.params).toMatchObject({ providerId: "a", baseUrl: "https://two.example" });
  });

  it("is authenticated again first, unless logged out since [REQ authenticate-repeat, authenticate-forward]", async () => {
    const client = await harness.connect({ agent: withState("--auth", "--resume") });
    await expect(client.newSession(cwd)).rejects.toMatchObject({ code: -32000 });
    await client.agent.request("authenticate", { methodId: "fixture-login" });
    const { sessionId } = await client.newSession(cwd);
    await killAgent(client);
    expect(await client.say(sessionId, "hello")).toBe("echo: hello");
    const methods = client.program
      .agents()
      .at(-1)
      ?.messages.map(({ method }) => method);
    expect(methods).toEqual(["initialize", "authenticate", "session/resume", "session/prompt"]);

    await client.agent.request("logout", {});
    await killAgent(client);
    await expect(client.prompt(sessionId, "hello")).rejects.toMatchObject({ code: -32000 });
    expect(
      client.program
        .agents()
        .at(-1)
        ?.messages.map(({ method }) => method),
    ).not.toContain("authenticate");
  });
});

describe("an agent that cannot be kept running", () => {
  it("is tried again with pauses, and then said to be unavailable [REQ agent-restart-cap]", async () => {
    const agent = ["agent.mjs", "--crash-on", "session/prompt"];
    const args = ["--agent-restarts", "3", "--agent-backoff", "50ms"];
    const { client, sessionId } = await conversation(agent, { args });
    const codes: unknown[] = [];
    const startedAtMs = Date.now();
    for (let n = 0; n < 8 && codes.at(-1) !== "AGENT_UNAVAILABLE"; n += 1) {
      codes.push((await deathOf(client.prompt(sessionId, "again"))).data["code"]);
    }
    expect(codes.at(0)).toBe("AGENT_EXITED");
    expect(codes.at(-1)).toBe("AGENT_UNAVAILABLE");
    expect(Date.now() - startedAtMs).toBeGreaterThanOrEqual(50);
    expect(client.program.agents().length).toBeLessThanOrEqual(5);
    const { sessions } = await client.agent.request("session/list", {});
    expect(sessions).toHaveLength(1);
  });
});

describe("an agent that dies while it takes a session up", () => {
  it("is an error, and another sidecar can have the session at once [REQ agent-death-error, lease-idle]", async () => {
    const store = harness.storeUrl();
    const agent = withState("--load", "--crash-on", "session/load");
    const { client, sessionId } = await conversation(agent, { store });
    await client.prompt(sessionId, "hello");
    await client.agent.request("session/close", { sessionId });
    const error = await deathOf(client.load(sessionId, cwd));
    expect(error.data).toMatchObject({ code: "AGENT_EXITED" });
    const other = await harness.connect({ store, args: ["--on-busy", "error"] });
    expect(textOf(await other.replay(sessionId, cwd))).toBe("echo: hello");
  });
});

describe("noise", () => {
  it("on the agent's stdout is skipped and logged [REQ agent-noise, stdout-protocol-only]", async () => {
    const logFile = harness.path("log");
    const args = ["--log-file", logFile, "--log-level", "debug"];
    const { client, sessionId } = await conversation(["noisy.mjs"], { args });
    expect(await client.say(sessionId, "speak")).toBe("clear-1 clear-2 clear-3 ");
    expect(readFileSync(logFile, "utf8")).toMatch(/not JSON|noise|stdout/i);
  });

  it("on the agent's stderr is on ours, whatever the log's level and place [REQ agent-stderr]", async () => {
    const args = ["--log-level", "error", "--log-file", harness.path("log")];
    const { client, sessionId } = await conversation(["agent.mjs"], { args });
    await client.prompt(sessionId, "stderr a word aside\nhello");
    await expect.poll(() => client.program.stderr).toBe("a word aside\n");
  });

  it("holds nobody up that does not read it, on stderr and stdout alike [REQ agent-stderr, agent-noise]", async () => {
    const { client, sessionId } = await conversation(["agent.mjs"], { args: ["--log-level", "debug"] });
    const { stderr } = client.program.child;
    stderr.pause();
    expect(await client.say(sessionId, `flood 3000000\n${"raw no message\n".repeat(3000)}still here`)).toBe(
      "echo: still here",
    );
    expect(await client.agent.request("session/list", {})).toBeDefined();
    stderr.resume();
    await expect.poll(() => client.program.stderr, { timeout: 5000 }).toMatch(/characters were dropped here/);
    const strays = client.program.stderr.match(/that is no message/g) ?? [];
    expect(strays.length).toBeLessThan(10);
    stderr.pause();
    await client.say(sessionId, "flood 3000000\nand is no reason to stay");
    await harness.stop(client.program);
  });
});
