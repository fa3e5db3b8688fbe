/** The judges are judged first: the fixture agents by themselves, without the sidecar, and planted faults. */
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Judge } from "./harness/judge.ts";
import { useHarness } from "./harness/harness.ts";
import { isAlive, markedProcesses } from "./harness/processes.ts";
import { RawClient } from "./harness/raw-client.ts";
import { defaultInitialize, SdkClient } from "./harness/sdk-client.ts";
import { Recording, textOf, type Message } from "./harness/wire.ts";

const harness = useHarness();

async function direct(agent: readonly string[], answers = {}): Promise<SdkClient> {
  const client = new SdkClient(harness.direct(["agent.mjs", ...agent]), { answers });
  await client.initialize();
  return client;
}

describe("the fixture agent by itself", () => {
  it("speaks ACP that the official client and schema accept, for every command", async () => {
    const client = await direct(["--all", "--embedded-context"], {
      "session/request_permission": () => ({ outcome: { outcome: "selected", optionId: "yes" } }),
      "fs/read_text_file": () => ({ content: "inside" }),
      "fs/write_text_file": () => ({}),
      "terminal/create": () => ({ terminalId: "t1" }),
      "terminal/wait_for_exit": () => ({ exitCode: 0, signal: null }),
      "terminal/output": () => ({ output: "done", truncated: false }),
      "terminal/kill": () => ({}),
      "terminal/release": () => ({}),
      "elicitation/create": () => ({ action: "decline" }),
      "_fixture/ask": (params: object) => ({ got: params }),
    });
    const { sessionId, modes, configOptions } = await client.newSession(harness.project());
    expect([modes?.currentModeId, configOptions?.length]).toEqual(["ask", 1]);

    const quiet = ["stream 3", "think deep", "tool", "plan", "mode code", "title Fine", "usage", "commands"];
    const said = await client.say(sessionId, [...quiet, "unknown-update", "extra-fields"].join("\n"));
    expect(said).toBe("[1][2][3]extra");
    const asking = ["permission 2", "read /a", "write /a b", "terminal", "elicit", "unknown-request"];
    const answered = await client.say(sessionId, [...asking, "unknown-notification"].join("\n"));
    expect(answered).toContain('"optionId":"yes"');
    expect(answered).toContain('read {"content":"inside"}');
    expect(answered).toContain('"output":{"output":"done","truncated":false}');
    expect(answered).toContain('unknown-request {"got":');
    expect(await client.prompt(sessionId, "result-extras")).toMatchObject({ usage: { totalTokens: 7 } });
    await expect(client.prompt(sessionId, "fail")).rejects.toMatchObject({ code: -32603 });
  });

  it("remembers its sessions over a restart when it has a state file, and replays them on load", async () => {
    const state = ["--all", "--state", harness.path("state")];
    const cwd = harness.project();
    const first = await direct(state);
    const { sessionId } = await first.newSession(cwd);
    await first.prompt(sessionId, "stream 3\ntool\nmode code");
    await first.agent.request("session/set_config_option", { sessionId, configId: "model", value: "large" });
    await harness.stop(first.program);

    const second = await direct(state);
    const updates = await second.replay(sessionId, cwd);
    expect(textOf(updates)).toBe("[1][2][3]");
    expect(textOf(updates, "user_message_chunk")).toBe("stream 3\ntool\nmode code");
    const known = JSON.parse(await second.say(sessionId, "recall")) as object;
    expect(known).toMatchObject({ boundBy: "load", prompts: 2, model: "large" });
  });

  it("stops a turn on session/cancel and on $/cancel_request, and not when told to be deaf", async () => {
    const client = await direct([]);
    const { sessionId } = await client.newSession(harness.project());
    const turn = client.prompt(sessionId, "until-cancel");
    await client.untilUpdate(sessionId, () => true);
    await client.cancel(sessionId);
    expect(await turn).toMatchObject({ stopReason: "cancelled" });

    const stop = new AbortController();
    const from = client.program.out.length;
    const prompt = [{ type: "text" as const, text: "until-cancel" }];
    const taken = client.agent.request(
      "session/prompt",
      { sessionId, prompt },
      { cancellationSignal: stop.signal },
    );
    await client.untilUpdate(sessionId, () => true, from);
    stop.abort();
    await expect(taken).rejects.toMatchObject({ code: -32800 });

    const deaf = client.prompt(sessionId, "cancel-deaf 100");
    await client.cancel(sessionId);
    expect(await deaf).toMatchObject({ stopReason: "end_turn" });
  });

  it("dies with the status, or of the signal, that it is told", async () => {
    for (const [command, exit] of [
      ["crash 3", { status: 3 }],
      ["crash SIGKILL", { signal: "SIGKILL" }],
    ] as const) {
      const client = await direct([]);
      const { sessionId } = await client.newSession(harness.project());
      await expect(client.prompt(sessionId, `stream 5\n${command}`)).rejects.toThrow();
      expect(await client.program.exited).toMatchObject(exit);
      expect(client.program.stderr).toContain("giving up");
      expect(textOf(client.program.out.updates())).toBe("[1][2][3][4][5]last words ");
    }
  });

  it("wants authentication when it is told to", async () => {
    const client = await direct(["--auth", "--auth-elicits"], {
      "elicitation/create": () => ({ action: "decline" }),
    });
    await expect(client.newSession(harness.project())).rejects.toMatchObject({ code: -32000 });
    await client.agent.request("authenticate", { methodId: "fixture-login" });
    expect(client.asked[0]?.params["requestId"]).toBeTypeOf("number");
    await client.newSession(harness.project());
  });
});

describe("the small fixture agents", () => {
  it("crash at start, refuse, or stay mute, each in its own way", async () => {
    const crashed = harness.direct(["crash-at-start.mjs", "12"]);
    expect(await crashed.exited).toMatchObject({ status: 12 });
    const refusing = new RawClient(harness.direct(["refuses.mjs"]));
    const { error } = await refusing.ask("initialize", defaultInitialize);
    expect(error?.message).toBe("The licence has run out");
    const mute = new RawClient(harness.direct(["mute.mjs"]));
    const line = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params: defaultInitialize });
    await expect(mute.exchange(`${line}\n`, () => true, { timeoutMs: 200 })).rejects.toThrow("No answer");
  });

  it("stubborn.mjs outlives the end of its stdin and SIGTERM", async () => {
    const stubborn = new RawClient(harness.direct(["stubborn.mjs"]));
    await stubborn.initialize();
    stubborn.program.endInput();
    stubborn.program.kill("SIGTERM");
    await delay(100);
    expect(isAlive(stubborn.program.pid)).toBe(true);
    stubborn.program.kill("SIGKILL");
    await stubborn.program.exited;
  });

  it("grandparent.mjs leaves a child behind, and the process scan finds it", async () => {
    const client = new RawClient(harness.direct(["grandparent.mjs"]));
    await client.initialize();
    const sessionId = await client.newSession(harness.project());
    await client.prompt(sessionId, "who");
    const child = Number(textOf(client.program.out.updates(sessionId)));
    client.program.endInput();
    await client.program.exited;
    expect(markedProcesses(client.program.mark)).toEqual([child]);
    process.kill(child, "SIGKILL");
  });
});

describe("the judge", () => {
  const faultsIn = (message: Message | string, asked?: { id: number; method: string }): string[] => {
    const judge = new Judge("client");
    const recording = new Recording();
    recording.push(Buffer.from(`${typeof message === "string" ? message : JSON.stringify(message)}\n`));
    if (asked !== undefined) judge.asked(asked.id, asked.method);
    for (const entry of recording.entries) judge.sent(entry);
    return judge.takeFaults();
  };
  const jsonrpc = "2.0";
  const chunk = { sessionUpdate: "agent_message_chunk", content: { type: "text", text: "hi" } };
  const update = (inner: object): Message => ({
    jsonrpc,
    method: "session/update",
    params: { sessionId: "s", update: inner },
  });

  it.each<[string, Message | string]>([
    ["text that is no JSON", "Debugger attached."],
    ["a batch", "[]"],
    ["a missing version", { id: 1, result: {} }],
    [
      "an envelope with both result and error",
      { jsonrpc, id: 1, result: {}, error: { code: 1, message: "x" } },
    ],
    ["an update without text", update({ ...chunk, content: { type: "text" } })],
    ["an update without kind", update({})],
    ["a response whose result breaks its method", { jsonrpc, id: 1, result: { sessionId: 5 } }],
    ["a response that nobody asked for", { jsonrpc, id: 2, result: {} }],
    ["an error without message", { jsonrpc, id: 1, error: { code: -32603, message: "" } }],
    ["an error of several lines", { jsonrpc, id: 1, error: { code: -32603, message: "a\nb" } }],
    ["a request that breaks its method", { jsonrpc, id: 3, method: "fs/read_text_file", params: {} }],
  ])("finds %s", (_what, message) => {
    expect(faultsIn(message, { id: 1, method: "session/new" })).not.toEqual([]);
  });

  it.each<[string, Message]>([
    ["a stable update", update({ ...chunk, futureField: 1, _meta: { x: 1 } })],
    ["an update of a kind that nobody knows", update({ sessionUpdate: "_mine", any: [1] })],
    ["an extension's notification", { jsonrpc, method: "_mine/note", params: { a: 1 } }],
    ["a fitting response", { jsonrpc, id: 1, result: { sessionId: "s" } }],
    ["an error with id null", { jsonrpc, id: null, error: { code: -32700, message: "Not JSON" } }],
  ])("lets %s pass", (_what, message) => {
    expect(faultsIn(message, { id: 1, method: "session/new" })).toEqual([]);
  });

  it("finds a second answer to one request", () => {
    const judge = new Judge("client");
    judge.asked(1, "session/close");
    const message = { jsonrpc, id: 1, result: {} };
    for (let n = 0; n < 2; n += 1) judge.sent({ text: "{}", message, atMs: 0 });
    expect(judge.takeFaults()).toHaveLength(1);
  });

  it("reads what was sent to the agent from the agent's own record", async () => {
    const client = new RawClient(harness.direct(["agent.mjs"]));
    await client.initialize();
    await client.newSession("/", { futureField: 1 });
    const [agent] = client.program.agents();
    expect(agent?.messages.map(({ method }) => method)).toEqual(["initialize", "session/new"]);
  });
});
