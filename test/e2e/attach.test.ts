/** Binding a stored session to an agent: resume, else load, else a new one with a handover. */
import { describe, expect, it } from "vitest";
import type { SidecarOptions } from "./harness/harness.ts";
import { useHarness } from "./harness/harness.ts";
import type { SdkClient } from "./harness/sdk-client.ts";
import { textOf, type Fields, type Update } from "./harness/wire.ts";

const harness = useHarness();
const cwd = harness.project();

interface Stored {
  readonly store: string;
  readonly sessionId: string;
  readonly agentSessionId: unknown;
}

/** A session of two turns, made through a sidecar that has ended. */
async function storedSession(agent: readonly string[]): Promise<Stored> {
  const store = harness.storeUrl();
  const client = await harness.connect({ agent, store });
  const { sessionId } = await client.newSession(cwd);
  await client.prompt(sessionId, "stream 5");
  await client.prompt(sessionId, "the second turn");
  const prompted = client.program.agents()[0]?.messages.at(-1);
  await harness.stop(client.program);
  return { store, sessionId, agentSessionId: prompted?.params?.["sessionId"] };
}

async function reopen(stored: Stored, agent: readonly string[], options: SidecarOptions = {}) {
  const client = await harness.connect({ ...options, agent, store: stored.store });
  const replayed = await client.replay(stored.sessionId, cwd);
  return { client, replayed };
}

/** What the agent was sent of sessions, in order. */
const sessionMethods = (client: SdkClient) =>
  (client.program.agents().at(-1)?.messages ?? [])
    .map(({ method }) => method)
    .filter((method) => method?.startsWith("session/"));

async function promptAsSent(client: SdkClient, sessionId: string): Promise<Fields[]> {
  return JSON.parse(await client.say(sessionId, "echo-prompt")) as Fields[];
}

const userTexts = (updates: readonly Update[]) =>
  updates.map((update) => textOf([update], "user_message_chunk")).filter((text) => text !== "");

const own = { type: "text", text: "echo-prompt" };

describe("an agent with a memory", () => {
  it.each([
    ["session/resume", ["--load", "--resume"]],
    ["session/resume", ["--resume"]],
    ["session/load", ["--load"]],
  ])("is attached by %s when it can %j [REQ attach-resume, attach-load]", async (method, flags) => {
    const agent = ["agent.mjs", ...flags, "--state", harness.path("state")];
    const stored = await storedSession(agent);
    const { client, replayed } = await reopen(stored, agent);
    expect(textOf(replayed)).toBe("[1][2][3][4][5]echo: the second turn");
    expect(userTexts(replayed)).toEqual(["stream 5", "the second turn"]);
    expect(sessionMethods(client)).toEqual([method]);
    const attached = client.program.agents()[0]?.messages.at(-1);
    expect(attached?.params).toMatchObject({ sessionId: stored.agentSessionId, cwd });
    expect(await promptAsSent(client, stored.sessionId)).toEqual([own]);
  });

  it("that has forgotten the session is given it anew [REQ attach-forgotten]", async () => {
    const stored = await storedSession(["agent.mjs", "--load", "--resume"]);
    const { client } = await reopen(stored, ["agent.mjs", "--load", "--resume"]);
    const sent = await promptAsSent(client, stored.sessionId);
    expect(sent.at(-1)).toEqual(own);
    expect(JSON.stringify(sent)).toContain("echo: the second turn");
    expect(sessionMethods(client).slice(-2)).toEqual(["session/new", "session/prompt"]);
  });

  it.each([
    ["and directories", ["--directories"], { additionalDirectories: ["/tmp"] }],
    ["and no directories, unless it takes them", [], {}],
  ])(
    "gets the MCP servers %s that the client names when loading [REQ directories]",
    async (_, flags, more) => {
      const agent = ["agent.mjs", "--load", "--state", harness.path("state"), ...flags];
      const { store, sessionId } = await storedSession(agent);
      const client = await harness.connect({ agent, store });
      const mcpServers = [{ name: "m", command: "/bin/m", args: [], env: [{ name: "A", value: "b" }] }];
      await client.agent.request("session/load", {
        sessionId,
        cwd,
        mcpServers,
        additionalDirectories: ["/tmp"],
      });
      const attached = client.program.agents()[0]?.messages.at(-1);
      expect(attached?.params).toEqual({ sessionId: expect.any(String) as string, cwd, mcpServers, ...more });
    },
  );
});

describe("an agent without memory", () => {
  it("is handed the conversation as text, marked as history, before the client's own prompt [REQ attach-new, handover-form, handover-marked]", async () => {
    const stored = await storedSession(["agent.mjs"]);
    const { client } = await reopen(stored, ["agent.mjs"]);
    const sent = await promptAsSent(client, stored.sessionId);
    expect(sent.map(({ type }) => type)).toEqual(["text", "text"]);
    expect(sent.at(-1)).toEqual(own);
    const history = String(sent[0]?.["text"]);
    for (const part of ["stream 5", "[1][2][3][4][5]", "the second turn", "echo: the second turn"]) {
      expect(history).toContain(part);
    }
    expect(history).toMatch(/history|earlier|previous|so far/i);
  });

  it(
    "is handed it as an embedded resource when it takes one [REQ handover-form]",
    { tags: ["long"] },
    async () => {
      const stored = await storedSession(["agent.mjs"]);
      const { client } = await reopen(stored, ["agent.mjs", "--embedded-context"]);
      const sent = await promptAsSent(client, stored.sessionId);
      expect(sent.at(-1)).toEqual(own);
      const resource = sent.find(({ type }) => type === "resource")?.["resource"] as Fields | undefined;
      expect(resource?.["text"]).toContain("echo: the second turn");
      expect(resource?.["uri"]).toMatch(/^[a-z][a-z0-9+.-]*:/);
    },
  );

  it("is handed it once, and the client sees only its own prompts [REQ handover-once, handover-hidden]", async () => {
    const stored = await storedSession(["agent.mjs"]);
    const { client } = await reopen(stored, ["agent.mjs"]);
    await client.prompt(stored.sessionId, "third turn");
    expect(await promptAsSent(client, stored.sessionId)).toEqual([own]);
    const replayed = await client.replay(stored.sessionId, cwd);
    expect(userTexts(replayed)).toEqual(["stream 5", "the second turn", "third turn", "echo-prompt"]);
  });

  it("is handed the newest turns when not all fit [REQ handover-budget]", async () => {
    const store = harness.storeUrl();
    const before = await harness.connect({ store });
    const { sessionId } = await before.newSession(cwd);
    for (let n = 1; n <= 12; n += 1) await before.prompt(sessionId, `turn-${n}! ${"x".repeat(400)}`);
    await harness.stop(before.program);
    const client = await harness.connect({ store, args: ["--handover-bytes", "4KiB"] });
    await client.resume(sessionId, cwd);
    const sent = JSON.stringify(await promptAsSent(client, sessionId));
    expect(sent).toContain("echo: turn-12!");
    expect(sent).not.toContain("turn-1!");
    expect(sent.length).toBeLessThan(5000);
  });

  it("is not told of turns when there were none", { tags: ["long"] }, async () => {
    const store = harness.storeUrl();
    const before = await harness.connect({ store });
    const { sessionId } = await before.newSession(cwd);
    await harness.stop(before.program);
    const client = await harness.connect({ store });
    await client.resume(sessionId, cwd);
    expect(await promptAsSent(client, sessionId)).toEqual([own]);
  });
});

describe("another agent", () => {
  it("takes the session over, with the conversation so far [REQ attach-other-agent]", async () => {
    const stored = await storedSession([
      "agent.mjs",
      "--name",
      "alpha",
      "--load",
      "--state",
      harness.path("a"),
    ]);
    const beta = ["agent.mjs", "--name", "beta", "--load", "--resume", "--state", harness.path("b")];
    const { client, replayed } = await reopen(stored, beta);
    expect(textOf(replayed)).toBe("[1][2][3][4][5]echo: the second turn");
    const sent = await promptAsSent(client, stored.sessionId);
    expect(JSON.stringify(sent)).toContain("echo: the second turn");
    await harness.stop(client.program);

    const { client: again, replayed: all } = await reopen(stored, beta);
    expect(userTexts(all)).toEqual(["stream 5", "the second turn", "echo-prompt"]);
    const known = JSON.parse(await again.say(stored.sessionId, "recall")) as object;
    expect(known).toMatchObject({ boundBy: "resume", prompts: 2 });
  });

  it("may be the built-in one [REQ attach-other-agent, echo-agent]", async () => {
    const stored = await storedSession(["agent.mjs"]);
    const client = await harness.connect({ agent: "echo", store: stored.store });
    await client.replay(stored.sessionId, cwd);
    expect(await client.say(stored.sessionId, "still there?")).toContain("still there?");
  });
});

describe("an agent that wants authentication", () => {
  it("says so to the client as it is, and loading works afterwards [REQ attach-auth]", async () => {
    const state = harness.path("state");
    const stored = await storedSession(["agent.mjs", "--load", "--state", state]);
    const agent = ["agent.mjs", "--auth", "--load", "--state", state];
    const client = await harness.connect({ agent, store: stored.store });
    await expect(client.load(stored.sessionId, cwd)).rejects.toMatchObject({
      code: -32000,
      message: "Authentication required",
      data: { authMethods: ["fixture-login"] },
    });
    await client.agent.request("authenticate", { methodId: "fixture-login" });
    expect(userTexts(await client.replay(stored.sessionId, cwd))).toEqual(["stream 5", "the second turn"]);
    expect(await client.say(stored.sessionId, "hello")).toBe("echo: hello");
  });
});
