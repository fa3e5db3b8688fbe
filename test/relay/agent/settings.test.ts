import { describe, expect, it } from "vitest";
import { toSessionId } from "../../../src/base/ids.ts";
import { withChosen } from "../../../src/relay/agent/settings.ts";
import { type Rig, initialized, rig } from "../rig.ts";

const modesOf = (currentModeId: string) => ({
  currentModeId,
  availableModes: [
    { id: "ask", name: "Ask" },
    { id: "code", name: "Code" },
  ],
});
const optionsOf = (currentValue: string) => [{ id: "model", name: "Model", type: "select", currentValue }];
const fresh = { modes: modesOf("ask"), configOptions: optionsOf("small") };
const chosen = { modes: modesOf("code"), configOptions: optionsOf("large") };

const script = {
  "session/new": () => ({ sessionId: "agent-1", ...fresh }),
  "session/set_config_option": ({ value }: { readonly value?: unknown }) => ({
    configOptions: optionsOf(String(value)),
  }),
};

async function choose({ client }: Rig, sessionId: string): Promise<void> {
  await client.request("session/set_mode", { sessionId, modeId: "code" });
  await client.request("session/set_config_option", { sessionId, configId: "model", value: "large" });
}

describe("a live session that is loaded again", () => {
  it("answers with the mode and the options that the client has chosen since [REQ settings-answered]", async () => {
    const relay = await rig({ script });
    const sessionId = await relay.newSession();
    await choose(relay, sessionId);
    expect(await relay.load(sessionId)).toEqual(chosen);
    const resumed = relay.client.request("session/resume", { sessionId, cwd: "/work" });
    expect(await resumed).toEqual(chosen);
    await relay.close();
  });

  it("answers with those that the agent has chosen by itself [REQ settings-answered]", async () => {
    const relay = await rig({
      script: {
        ...script,
        "session/prompt": async ({ sessionId }, agent) => {
          const id = String(sessionId);
          await agent.update(id, { sessionUpdate: "current_mode_update", currentModeId: "code" });
          const configOptions = optionsOf("large");
          await agent.update(id, { sessionUpdate: "config_option_update", configOptions });
          return { stopReason: "end_turn" };
        },
      },
    });
    const sessionId = await relay.newSession();
    await relay.prompt(sessionId);
    expect(await relay.load(sessionId)).toEqual(chosen);
    await relay.client.request("session/set_mode", { sessionId, modeId: "ask" });
    const from = relay.updates.length;
    expect(await relay.load(sessionId)).toEqual({ ...chosen, modes: modesOf("ask") });
    const told = relay.updates.slice(from).map(({ update }) => update);
    expect(told).toContainEqual({ sessionUpdate: "current_mode_update", currentModeId: "ask" });
    expect(told).toContainEqual({ sessionUpdate: "config_option_update", configOptions: optionsOf("large") });
    await relay.close();
  });
});

describe("an agent that speaks of its old mode while it takes a session up", () => {
  it("does not undo what is chosen again behind that [REQ settings-answered]", async () => {
    const relay = await rig({
      script: {
        ...script,
        initialize: initialized({ close: {} }, { loadSession: true }),
        "session/load": async ({ sessionId }, agent) => {
          const id = String(sessionId);
          await agent.update(id, { sessionUpdate: "current_mode_update", currentModeId: "ask" });
          await agent.update(id, {
            sessionUpdate: "config_option_update",
            configOptions: optionsOf("small"),
          });
          return fresh;
        },
      },
    });
    const sessionId = await relay.newSession();
    await choose(relay, sessionId);
    await relay.client.request("session/close", { sessionId });
    const from = relay.updates.length;
    expect(await relay.load(sessionId)).toEqual(chosen);
    expect(relay.updates.slice(from)).toEqual([]);
    const { settings } = await relay.registry.get(toSessionId(sessionId));
    expect(settings).toEqual({ modeId: "code", configOptions: { model: "large" } });
    await relay.close();
  });
});

const described = [
  { id: "mode", category: "mode", type: "select", currentValue: "ask" },
  { id: "llm", category: "model", type: "select", currentValue: "small" },
  { id: "speed", type: "select", currentValue: "slow" },
];
const state = { configOptions: described };

describe("settings with what was chosen now", () => {
  it("keep one word on each thing that has two names, the last", () => {
    const options = { mode: "ask", llm: "small", speed: "slow" };
    const before = { configOptions: options };
    const { mode: _, ...others } = options;
    expect(withChosen(before, { modeId: "code" }, state)).toEqual({ modeId: "code", configOptions: others });
    const { llm: _llm, ...rest } = options;
    expect(withChosen(before, { modelId: "large" }, state)).toEqual({
      modelId: "large",
      configOptions: rest,
    });
    const now = { ...options, mode: "code" };
    expect(withChosen({ modeId: "ask", ...before }, { configOptions: now }, state)).toEqual({
      configOptions: now,
    });
  });

  it("owe no more what has been chosen anew, and still owe the rest", () => {
    const owesSettings = { modeId: "code", configOptions: { speed: "fast", llm: "large" } };
    const before = { modeId: "ask", configOptions: { speed: "slow", llm: "small" }, owesSettings };
    const said = { configOptions: { speed: "slow", llm: "small" } };
    expect(withChosen(before, said, state)).toEqual(before);
    expect(withChosen(before, said, state, "speed")).toEqual({
      ...before,
      owesSettings: { modeId: "code", configOptions: { llm: "large" } },
    });
    expect(withChosen({ modeId: "ask", owesSettings: { modeId: "code" } }, { modeId: "ask" }, {})).toEqual({
      modeId: "ask",
    });
  });
});
