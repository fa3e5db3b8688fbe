/** What was chosen for a session, and how it is set up, through the ends of agents. */
import { describe, expect, it } from "vitest";
import { useHarness } from "./harness/harness.ts";
import type { RawClient } from "./harness/raw-client.ts";
import { textOf, type Fields } from "./harness/wire.ts";

const harness = useHarness();
const cwd = harness.project();

interface Choosy {
  readonly silent?: boolean;
  readonly nothing?: boolean;
  readonly strict?: boolean;
  readonly dies?: Readonly<Record<string, number>>;
  readonly refuses?: readonly string[];
}

/** A session of an agent that forgets what was chosen, with the agent and its store. */
async function chosen(how: Choosy, choices: readonly (readonly [method: string, params: Fields])[]) {
  const agent = ["choosy.mjs", JSON.stringify({ ...how, state: harness.path("choosy") })];
  const store = harness.storeUrl();
  const client = await harness.connectRaw({ agent, store });
  const sessionId = await client.newSession(cwd);
  for (const [method, params] of choices) await client.request(method, { sessionId, ...params });
  await said(client, sessionId);
  return { client, sessionId, reopen: () => reopen(client, agent, store, sessionId) };
}

async function reopen(client: RawClient, agent: string[], store: string, sessionId: string) {
  await harness.stop(client.program);
  const next = await harness.connectRaw({ agent, store });
  return { next, answer: await load(next, sessionId) };
}

const load = (client: RawClient, sessionId: string, more: Fields = {}) =>
  client.request("session/load", { sessionId, cwd, mcpServers: [], ...more });

/** What the agent says is so when it is prompted. */
async function said(client: RawClient, sessionId: string): Promise<Fields> {
  const from = client.program.out.length;
  await client.request("session/prompt", { sessionId, prompt: [{ type: "text", text: "what is so?" }] });
  return JSON.parse(textOf(client.program.out.updates(sessionId, from))) as Fields;
}

/** How much is in the journal of the one session. */
async function entriesOf(client: RawClient): Promise<unknown> {
  const { sessions } = await client.request("session/list", {});
  const [{ _meta } = {}] = sessions as { _meta?: Record<string, Fields> }[];
  return _meta?.["acp-sidecar"]?.["entries"];
}

const told = (client: RawClient, sessionId: string, from: number, kind: string) =>
  client.program.out.updates(sessionId, from).filter(({ sessionUpdate }) => sessionUpdate === kind);

const mode = ["session/set_mode", { modeId: "code" }] as const;
const model = ["session/set_model", { modelId: "two" }] as const;
const option = (configId: string, value: unknown) =>
  ["session/set_config_option", { configId, value, ...(value === true && { type: "boolean" }) }] as const;
const everything = [mode, model, option("speed", "fast"), option("model", "large"), option("thinking", true)];
const all = { mode: "code", old: "two", model: "large", thinking: true };

describe("what was chosen", () => {
  it("is chosen again: modes, models, options that another one shows or resets [REQ settings-again]", async () => {
    const { sessionId, reopen: again } = await chosen({}, [...everything, option("speed", "fast")]);
    const { next, answer } = await again();
    expect(answer).toMatchObject({ modes: { currentModeId: "code" }, models: { currentModelId: "two" } });
    const values = (answer["configOptions"] as Fields[]).map(({ id, currentValue }) => [id, currentValue]);
    expect(values).toEqual([
      ["thinking", true],
      ["speed", "fast"],
      ["model", "large"],
    ]);
    expect(await said(next, sessionId)).toMatchObject({ ...all, speed: "fast" });
  });

  it(
    "is chosen again where the agent does not say what is chosen [REQ settings-again]",
    { tags: ["long"] },
    async () => {
      const { sessionId, reopen: again } = await chosen({ silent: true }, [
        mode,
        model,
        option("speed", "fast"),
      ]);
      const { next } = await again();
      expect(await said(next, sessionId)).toMatchObject({ mode: "code", old: "two", speed: "fast" });
    },
  );

  it("is no news when it is chosen again, in whichever way [REQ settings-no-news]", async () => {
    const { client, sessionId, reopen: again } = await chosen({}, everything);
    const settings = ["current_mode_update", "config_option_update"];
    let from = client.program.out.length;
    await client.ask("session/prompt", { sessionId, prompt: [{ type: "text", text: "die" }] });
    expect(await said(client, sessionId)).toMatchObject(all);
    for (const kind of settings) expect(told(client, sessionId, from, kind)).toEqual([]);
    const before = await entriesOf(client);
    const { next } = await again();
    from = next.program.out.length;
    await load(next, sessionId);
    expect(await entriesOf(next)).toBe(before);
    // The last word on each that the conversation has, once.
    for (const kind of settings) expect(told(next, sessionId, from, kind)).toHaveLength(1);
  });
});

describe("what an agent does not take again", () => {
  it("because it dies of it once is chosen once more [REQ settings-owed]", { tags: ["long"] }, async () => {
    const dies = { "session/set_mode": 1, "session/set_config_option": 1 };
    const { sessionId, reopen: again } = await chosen({ dies }, [mode, option("speed", "fast")]);
    const { next, answer } = await again();
    expect(answer).toMatchObject({ modes: { currentModeId: "code" } });
    expect(await said(next, sessionId)).toMatchObject({ mode: "code", speed: "fast" });
  });

  for (const [why, how, tags] of [
    ["dies of it", { dies: { "session/set_mode": 2 } }, ["long"]],
    ["refuses it", { refuses: ["session/set_mode"] }, []],
  ] as const)
    it(
      `because it ${why} is what the client is told, and is so [REQ settings-owed]`,
      { tags: [...tags] },
      async () => {
        const { sessionId, reopen: again } = await chosen(how, [mode, option("speed", "fast")]);
        const { next, answer } = await again();
        expect(answer).toMatchObject({ modes: { currentModeId: "ask" } });
        expect(told(next, sessionId, 0, "current_mode_update").at(-1)).toMatchObject({
          currentModeId: "ask",
        });
        expect(await said(next, sessionId)).toMatchObject({ mode: "ask", speed: "fast" });
      },
    );

  it("is owed over restarts, and told when it is made good [REQ settings-owed]", async () => {
    const { sessionId, reopen: again } = await chosen({ dies: { "session/set_mode": 2 } }, [mode]);
    const { next } = await again();
    const from = next.program.out.length;
    await next.ask("session/prompt", { sessionId, prompt: [{ type: "text", text: "die" }] });
    expect(await said(next, sessionId)).toMatchObject({ mode: "code" });
    expect(told(next, sessionId, from, "current_mode_update")).toEqual([
      { sessionUpdate: "current_mode_update", currentModeId: "code" },
    ]);
  });

  it("is told when a prompt finds it out, before the prompt [REQ settings-owed]", async () => {
    const refuses = ["session/set_mode", "session/set_config_option"];
    const { client, sessionId } = await chosen({ refuses }, [mode, option("speed", "fast")]);
    await client.ask("session/prompt", { sessionId, prompt: [{ type: "text", text: "die" }] });
    const from = client.program.out.length;
    expect(await said(client, sessionId)).toMatchObject({ mode: "ask", speed: "slow" });
    const kinds = client.program.out.updates(sessionId, from).map(({ sessionUpdate }) => sessionUpdate);
    expect(kinds).toEqual(["current_mode_update", "config_option_update", "agent_message_chunk"]);
  });

  it("is owed no more when the client chooses anew [REQ settings-owed]", { tags: ["long"] }, async () => {
    const { sessionId, reopen: again } = await chosen({ dies: { "session/set_mode": 2 } }, [mode]);
    const { next } = await again();
    await next.request("session/set_mode", { sessionId, modeId: "ask" });
    await next.ask("session/prompt", { sessionId, prompt: [{ type: "text", text: "die" }] });
    expect(await said(next, sessionId)).toMatchObject({ mode: "ask" });
  });
});

const servers = (token: string) => [
  { name: "m", command: "/bin/m", args: [], env: [{ name: "TOKEN", value: token }] },
];

describe("a live session that is loaded with another setup", () => {
  it("is set up so at the agent, and only then [REQ setup-again]", async () => {
    const { client, sessionId } = await chosen({}, [mode]);
    await load(client, sessionId, { mcpServers: servers("new") });
    expect(await said(client, sessionId)).toMatchObject({
      mode: "code",
      setup: { cwd, mcpServers: servers("new") },
      setups: 2,
    });
    await load(client, sessionId, { mcpServers: servers("new"), _meta: { traceparent: "00-1" } });
    expect(await said(client, sessionId)).toMatchObject({ setups: 2 });
    await load(client, sessionId, { mcpServers: servers("new"), additionalDirectories: ["/tmp"] });
    const { setup } = await said(client, sessionId);
    expect(setup).toMatchObject({ mcpServers: servers("new"), additionalDirectories: ["/tmp"] });
    const resumed = await client.request("session/resume", {
      sessionId,
      cwd,
      additionalDirectories: ["/tmp"],
    });
    expect(resumed).toMatchObject({ modes: { currentModeId: "code" } });
    expect(await said(client, sessionId)).toMatchObject({ setups: 3 });
  });

  it("stays with an agent that cannot be told [REQ setup-again]", { tags: ["long"] }, async () => {
    const { client, sessionId } = await chosen({ nothing: true }, [mode]);
    await load(client, sessionId, { mcpServers: servers("new") });
    expect(await said(client, sessionId)).toMatchObject({ mode: "code", setups: 1 });
  });

  it("stays as it is with an agent that refuses [REQ setup-again]", async () => {
    const { client, sessionId } = await chosen({ strict: true }, [mode]);
    await load(client, sessionId, { mcpServers: servers("new") });
    expect(await said(client, sessionId)).toMatchObject({ mode: "code", setups: 1 });
  });
});

const systemPrompt = { mode: "append", content: [{ type: "text", text: "Answer in rhymes." }] };

describe("instructions that a client gives with a session", () => {
  /** A session with instructions, whose sidecar has ended. */
  async function instructed(how: Choosy) {
    const agent = ["choosy.mjs", JSON.stringify({ ...how, state: harness.path("choosy") })];
    const store = harness.storeUrl();
    const client = await harness.connectRaw({ agent, store });
    const sessionId = await client.newSession(cwd, { systemPrompt });
    expect(await said(client, sessionId)).toMatchObject({ setup: { systemPrompt } });
    return { client, sessionId, reopen: () => reopen(client, agent, store, sessionId), store };
  }

  [{}, { nothing: true }].forEach((how, at) => {
    const name = `are given again to an agent that takes it up, or anew (${JSON.stringify(how)}) [REQ system-prompt]`;
    it(name, { tags: at === 0 ? [] : ["long"] }, async () => {
      const { sessionId, reopen: again } = await instructed(how);
      const { next } = await again();
      const { setup } = await said(next, sessionId);
      expect(setup).toEqual({ cwd, mcpServers: [], systemPrompt });
      // To name them once more is no other setup.
      await load(next, sessionId, { systemPrompt });
      expect(await said(next, sessionId)).toMatchObject({ setups: 1 });
    });
  });

  it("are kept where they are a text, too [REQ system-prompt]", { tags: ["long"] }, async () => {
    const { client, sessionId, reopen: again } = await instructed({});
    await load(client, sessionId, { systemPrompt: "Answer in prose." });
    const { next } = await again();
    expect(await said(next, sessionId)).toMatchObject({ setup: { systemPrompt: "Answer in prose." } });
  });

  it("are those that it gave last [REQ system-prompt]", { tags: ["long"] }, async () => {
    const { client, sessionId, reopen: again } = await instructed({});
    const other = { ...systemPrompt, mode: "override" };
    await load(client, sessionId, { systemPrompt: other });
    expect(await said(client, sessionId)).toMatchObject({ setup: { systemPrompt: other } });
    const { next } = await again();
    expect(await said(next, sessionId)).toMatchObject({ setup: { systemPrompt: other } });
  });

  it("go with a fork, and not to an agent that does not take them [REQ system-prompt]", async () => {
    const { client, sessionId, store } = await instructed({});
    const { sessionId: fork } = await client.request("session/fork", { sessionId, cwd, mcpServers: [] });
    expect(await said(client, fork as string)).toMatchObject({ setup: { systemPrompt } });
    await harness.stop(client.program);
    const other = await harness.connectRaw({ agent: ["agent.mjs"], store });
    await load(other, fork as string);
    const made = other.program.agents()[0]?.messages.find(({ method }) => method === "session/new");
    expect(made?.params).toEqual({ cwd, mcpServers: [] });
  });
});
