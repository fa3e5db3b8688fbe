/** `initialize`: what is offered, whose facts are answered, and what an agent that cannot start looks like. */
import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { useHarness } from "./harness/harness.ts";
import { fixtureCommand } from "./harness/paths.ts";
import { RawClient } from "./harness/raw-client.ts";
import { defaultInitialize, SdkClient } from "./harness/sdk-client.ts";
import { textOf } from "./harness/wire.ts";

const harness = useHarness();

const startRaw = (agent: readonly string[], args: readonly string[] = []) =>
  new RawClient(harness.sidecar({ agent, args }));

describe("initialize", () => {
  it("offers what the sidecar can itself, and all else is the agent's [REQ initialize-overlay, initialize-agent, stdout-protocol-only, schema-valid]", async () => {
    const client = startRaw(["agent.mjs", "--none", "--auth"]);
    const answer = await client.request("initialize", defaultInitialize);
    expect(answer).toMatchObject({
      protocolVersion: 1,
      agentCapabilities: {
        loadSession: true,
        sessionCapabilities: { list: {}, resume: {}, close: {}, delete: {}, fork: {} },
        promptCapabilities: { image: true, embeddedContext: false },
        mcpCapabilities: { http: true },
        auth: { logout: {} },
        _meta: { fixture: true },
      },
      agentInfo: { name: "fixture-agent", title: "Fixture agent", version: "1.2.3" },
      authMethods: [{ id: "fixture-login", name: "Log in" }],
      futureField: { kept: true },
    });
  });

  it.each([
    [1, 1],
    [99, 1],
    [0, 1],
  ])("asked for version %i answers %i [REQ initialize-version]", async (asked, answered) => {
    const client = startRaw(["agent.mjs"]);
    const answer = await client.initialize({ ...defaultInitialize, protocolVersion: asked });
    expect(answer["protocolVersion"]).toBe(answered);
    const [request] = client.program.agents()[0]?.messages ?? [];
    expect(request?.params?.["protocolVersion"]).toBe(answered);
  });

  it.each(["0", "2"])(
    "an agent of version %s is refused: we would misunderstand each other [REQ initialize-version]",
    async (version) => {
      const client = startRaw(["agent.mjs", "--version-number", version]);
      const { error } = await client.ask("initialize", defaultInitialize);
      expect(error?.data).toEqual({ code: "AGENT_PROTOCOL", protocolVersion: Number(version) });
    },
  );

  it("hands the client's capabilities and info to the agent [REQ initialize-client]", async () => {
    const client = startRaw(["agent.mjs"]);
    await client.initialize({ ...defaultInitialize, _meta: { editor: ["x"] } });
    const { protocolVersion: _version, ...facts } = defaultInitialize;
    const [request] = client.program.agents()[0]?.messages ?? [];
    expect(request?.params).toMatchObject({ ...facts, _meta: { editor: ["x"] } });
  });

  it("needs no agent: the built-in echo agent holds a conversation [REQ echo-agent]", async () => {
    const client = await harness.connect({ agent: "echo" });
    const { sessionId } = await client.newSession(harness.project());
    const { stopReason } = await client.prompt(sessionId, "is anybody there?");
    expect(stopReason).toBe("end_turn");
    expect(textOf(client.program.out.updates(sessionId))).toContain("is anybody there?");
  });

  it("gives the agent the environment that the editor gave us", async () => {
    const client = await harness.connect({ env: { FIXTURE_KEY: "from the editor" } });
    const { sessionId } = await client.newSession(harness.project());
    expect(await client.say(sessionId, "env FIXTURE_KEY")).toBe("from the editor");
  });
});

describe("an agent that cannot start", () => {
  it("is reported with its exit status and last stderr lines [REQ agent-start-failure]", async () => {
    const client = startRaw(["crash-at-start.mjs", "12"]);
    const { error } = await client.ask("initialize", defaultInitialize);
    expect(error?.data).toMatchObject({ code: "AGENT_EXITED" });
    const told = JSON.stringify(error);
    expect(told).toContain("12");
    expect(told).toContain("run `fixture login` first");
  });

  it("is reported when its command does not exist [REQ agent-start-failure]", async () => {
    const missing = harness.path("no-such-agent");
    const client = new RawClient(harness.sidecar({ agentCommand: [missing] }));
    const { error } = await client.ask("initialize", defaultInitialize);
    expect(error?.data).toMatchObject({ code: "AGENT_NOT_STARTED" });
    expect(error?.message).toContain("no-such-agent");
  });

  it("is reported in its own words when it refuses [REQ agent-start-failure]", async () => {
    const client = startRaw(["refuses.mjs"]);
    const { error } = await client.ask("initialize", defaultInitialize);
    expect(error).toMatchObject({ code: -32603, data: { licence: "expired" } });
    expect(error?.message).toContain("The licence has run out");
  });

  it("does not end the sidecar: sessions can still be listed [REQ agent-start-failure]", async () => {
    const store = harness.storeUrl();
    const first = await harness.connect({ store });
    const { sessionId } = await first.newSession(harness.project());
    await harness.stop(first.program);

    const installed = harness.path("installed");
    const script = '[ -e "$0" ] || exit 7; exec "$@"';
    const agentCommand = ["sh", "-c", script, installed, ...fixtureCommand(["agent.mjs"])];
    const client = new SdkClient(harness.sidecar({ agentCommand, store }));
    await expect(client.initialize()).rejects.toMatchObject({ data: { code: "AGENT_EXITED" } });
    writeFileSync(installed, "");
    await client.initialize();
    const { sessions } = await client.agent.request("session/list", {});
    expect(sessions.map((session) => session.sessionId)).toEqual([sessionId]);
  });
});
