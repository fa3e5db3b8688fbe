/** `session/load` and `session/resume` by another sidecar on the same store: the replay, and only that. */
import { symlinkSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { SessionRegistry } from "../../src/session/registry.ts";
import { openStore } from "../../src/store/open.ts";
import { chunk, end, newEntry, prompt, thought, tool } from "../session/entries.ts";
import { useHarness } from "./harness/harness.ts";
import type { SdkClient } from "./harness/sdk-client.ts";
import { textOf, type Update } from "./harness/wire.ts";

const harness = useHarness();
const store = harness.storeUrl();
const agent = ["agent.mjs", "--load", "--state", harness.path("state")];
const cwd = harness.project();

let sessionId = "";
let client: SdkClient;
let replayed: Update[] = [];

const firstPrompt = [
  "stream 40",
  "think deeply",
  "tool first",
  "plan",
  "usage 1",
  "mode code",
  "commands old",
  "echo after",
].join("\n");
const secondPrompt =
  "title Final title\nusage 2\nmode ask\ncommands new\nplan\ntool second\nunknown-update\nbye";

beforeAll(async () => {
  const before = await harness.connect({ agent, store });
  ({ sessionId } = await before.newSession(cwd));
  await before.prompt(sessionId, firstPrompt);
  await before.prompt(sessionId, secondPrompt);
  await harness.stop(before.program);

  client = await harness.connect({ agent, store });
  replayed = await client.replay(sessionId, cwd);
});

const ofKind = (kind: string) => replayed.filter(({ sessionUpdate }) => sessionUpdate === kind);

describe("session/load", () => {
  it("replays whole messages in order of first appearance [REQ load-messages]", () => {
    const stateKinds = /^(usage|current_mode|available_commands|session_info|config_option)/;
    const shown = replayed.filter(({ sessionUpdate }) => !stateKinds.test(sessionUpdate));
    expect(shown.map(({ sessionUpdate }) => sessionUpdate)).toEqual([
      "user_message_chunk",
      "agent_message_chunk",
      "agent_thought_chunk",
      "tool_call",
      "plan",
      "agent_message_chunk",
      "user_message_chunk",
      "plan",
      "tool_call",
      "_fixture/sparkle",
      "agent_message_chunk",
    ]);
    expect(ofKind("user_message_chunk").map((update) => textOf([update], "user_message_chunk"))).toEqual([
      firstPrompt,
      secondPrompt,
    ]);
    const numbers = Array.from({ length: 40 }, (_, n) => `[${n + 1}]`).join("");
    expect(ofKind("agent_message_chunk").map((update) => textOf([update]))).toEqual([
      numbers,
      "echo: echo after",
      "echo: bye",
    ]);
  });

  it("replays tool calls once, as they ended [REQ load-tools]", () => {
    expect(ofKind("tool_call_update")).toEqual([]);
    expect(ofKind("tool_call")).toEqual(
      ["first", "second"].map((toolCallId) => ({
        sessionUpdate: "tool_call",
        toolCallId,
        title: "Edit notes.txt",
        kind: "edit",
        status: "completed",
        rawInput: { path: "/notes.txt", lines: [1, 2] },
        rawOutput: { changed: 2 },
        locations: [{ path: "/notes.txt", line: 1 }],
        content: [
          { type: "content", content: { type: "text", text: "edited" } },
          { type: "diff", path: "/notes.txt", oldText: null, newText: "one\ntwo\n" },
        ],
      })),
    );
  });

  it("replays each turn's plan in its last form [REQ load-plan]", () => {
    const plans = ofKind("plan").map(({ entries }) => (entries as Update[]).map(({ status }) => status));
    expect(plans).toEqual([
      ["completed", "completed"],
      ["completed", "completed"],
    ]);
  });

  it("gives of what is state the last value, once [REQ load-state]", () => {
    expect(ofKind("usage_update")).toMatchObject([{ used: 2, size: 200000 }]);
    expect(ofKind("current_mode_update")).toMatchObject([{ currentModeId: "ask" }]);
    expect(ofKind("available_commands_update")).toMatchObject([{ availableCommands: [{ name: "new" }] }]);
    expect(ofKind("session_info_update")).toMatchObject([{ title: "Final title" }]);
  });

  it("gives unknown update kinds back as they were [REQ pass-update]", () => {
    expect(ofKind("_fixture/sparkle")).toEqual([
      {
        sessionUpdate: "_fixture/sparkle",
        brightness: 11,
        nested: { list: [1, null, "zwei", { deep: true }] },
        _meta: { fixture: { keep: "me" } },
      },
    ]);
  });

  it("sends nothing of it after the answer, and no replay of the agent's [REQ load-before-answer, attach-load]", async () => {
    const from = client.program.out.length;
    await client.agent.request("session/list", {});
    expect(client.program.out.updates(sessionId, from)).toEqual([]);
    expect(client.program.out.updates(sessionId)).toEqual(replayed);
  });

  it("answers with the agent's modes and options", async () => {
    const answer = await client.load(sessionId, cwd);
    expect(answer).toMatchObject({ modes: { availableModes: [{ id: "ask" }, { id: "code" }] } });
  });

  it("replays a session that is live here, the running turn included [REQ load-live]", async () => {
    const session = await client.newSession(cwd);
    await client.prompt(session.sessionId, "stream 2");
    const turn = client.prompt(session.sessionId, "until-cancel");
    await client.untilUpdate(session.sessionId, ({ content }) => JSON.stringify(content).includes("before"));
    const updates = await client.replay(session.sessionId, cwd);
    expect(textOf(updates, "user_message_chunk")).toBe("stream 2until-cancel");
    expect(textOf(updates)).toBe("[1][2]before ");
    await client.cancel(session.sessionId);
    await turn;
  });

  it("replays turns that ran at the same time, each message whole [REQ load-messages]", async () => {
    const session = await client.newSession(cwd);
    const from = client.program.out.length;
    const slow = client.prompt(session.sessionId, "slow 300");
    await client.untilUpdate(session.sessionId, () => true, from);
    await client.prompt(session.sessionId, "stream 3");
    await slow;
    const updates = await client.replay(session.sessionId, cwd);
    expect(textOf(updates, "user_message_chunk")).toBe("slow 300stream 3");
    expect(textOf(updates)).toBe("before [1][2][3]after");
  });

  it("replays notes of what was compacted, and the conversation goes on [REQ load-messages]", async () => {
    const place = harness.storeUrl();
    const opened = await openStore(place);
    const registry = new SessionRegistry({ store: opened });
    const { id } = await registry.create({ cwd });
    const { journal } = await registry.open(id);
    const text = "a line of output\n".repeat(100);
    const content = [{ type: "content", content: { type: "text", text } }];
    const call = tool({ title: "Run it", kind: "execute", status: "completed", content }, "tool_call");
    const turn = [prompt("old"), thought(text), call, chunk("done"), end];
    await journal.seal(
      [],
      [...turn, prompt("new"), end].map((item) => newEntry(item)),
    );
    await journal.release();
    await registry.compact(id, { beforeSeq: 6 });
    await opened.close();
    const other = await harness.connect({ agent: ["agent.mjs"], store: place });
    const shown = await other.replay(id, cwd);
    const note = { text: expect.stringMatching(/^\[compacted: \d+ bytes\]$/) as string };
    expect(shown.slice(0, 5)).toMatchObject([
      { sessionUpdate: "user_message_chunk", content: { text: "old" } },
      { sessionUpdate: "agent_thought_chunk", content: note },
      { sessionUpdate: "tool_call", title: "Run it", status: "completed", content: [{ content: note }] },
      { sessionUpdate: "agent_message_chunk", content: { text: "done" } },
      { sessionUpdate: "user_message_chunk", content: { text: "new" } },
    ]);
    expect(await other.prompt(id, "bye")).toMatchObject({ stopReason: "end_turn" });
    await harness.stop(other.program);
  });

  it("takes a link to the session's folder for that folder", async () => {
    const session = await client.newSession(cwd);
    const link = harness.path("link");
    symlinkSync(cwd, link);
    await client.prompt(session.sessionId, "stream 1");
    expect(textOf(await client.replay(session.sessionId, link), "user_message_chunk")).toBe("stream 1");
  });

  it("moves a session with its project where the client says so, and the agent takes it up there", async () => {
    const session = await client.newSession(cwd);
    await client.prompt(session.sessionId, "stream 1");
    const after = harness.project("moved");
    const load = (move: unknown) =>
      client.agent.request("session/load", {
        sessionId: session.sessionId,
        cwd: after,
        mcpServers: [],
        _meta: { "acp-sidecar": { move } },
      });
    await expect(load(false)).rejects.toMatchObject({ data: { code: "CWD_MISMATCH" } });
    await expect(load("yes")).rejects.toMatchObject({ code: -32602, data: { code: "INVALID_PARAMS" } });
    const turn = client.prompt(session.sessionId, "slow 1000");
    await expect(load(true)).rejects.toMatchObject({ data: { code: "TURN_RUNNING" } });
    await turn;
    await load(true);
    const { sessions } = await client.agent.request("session/list", { cwd: after });
    expect(sessions).toMatchObject([{ sessionId: session.sessionId, cwd: after }]);
    const heard = client.program.agents().flatMap(({ messages }) => messages);
    const taken = heard
      .filter(({ method }) => method === "session/load" || method === "session/resume")
      .at(-1);
    expect(taken?.params).toMatchObject({ cwd: after });
    expect(await client.say(session.sessionId, "stream 2")).toContain("[2]");
    await expect(client.load(session.sessionId, cwd)).rejects.toMatchObject({
      data: { code: "CWD_MISMATCH" },
    });
  });

  it("refuses another cwd and names both [REQ load-cwd]", async () => {
    const other = harness.project("elsewhere");
    const refusal = expect(client.load(sessionId, other)).rejects;
    await refusal.toMatchObject({ code: -32602, data: { code: "CWD_MISMATCH" } });
    await expect(client.load(sessionId, other)).rejects.toThrow(cwd);
    await expect(client.load(sessionId, other)).rejects.toThrow(other);
  });

  it("does not hold up other sessions while the agent attaches slowly [REQ load-others]", async () => {
    const slow = [...agent, "--delay", "session/load:1500"];
    await harness.stop(client.program);
    client = await harness.connect({ agent: slow, store });
    let loaded = false;
    const load = client.load(sessionId, cwd).then(() => (loaded = true));
    const other = await client.newSession(cwd);
    expect(await client.say(other.sessionId, "hello")).toBe("echo: hello");
    expect(loaded).toBe(false);
    await load;
  });
});

describe("session/resume", () => {
  it("attaches without a replay, and the conversation goes on [REQ resume-quiet]", async () => {
    const resuming = await harness.connect({ agent: [...agent, "--resume"], store });
    const from = resuming.program.out.length;
    expect(await resuming.resume(sessionId, cwd)).toMatchObject({ modes: { currentModeId: "ask" } });
    const known = JSON.parse(await resuming.say(sessionId, "recall")) as object;
    expect(known).toMatchObject({ boundBy: "resume", prompts: 3 });
    expect(resuming.program.out.updates(sessionId, from)).toHaveLength(1);
  });
});
