/** A part of a session: loaded from its end, and asked for page by page. */
import { expect, it } from "vitest";
import { rig, type Script } from "../rig.ts";
import type { SessionId } from "../../../src/base/ids.ts";
const script: Script = {
  "session/prompt": async (params, agent) => {
    const id = params["sessionId"] as string;
    const words = (params["prompt"] as { text: string }[]).at(-1)?.text ?? "";
    await agent.update(id, {
      sessionUpdate: "tool_call",
      toolCallId: `c-${words}`,
      title: `call ${words}`,
      status: "completed",
    });
    await agent.update(id, {
      sessionUpdate: "agent_message_chunk",
      content: { type: "text", text: `to ${words}` },
      messageId: `m-${words}`,
    });
    if (words === "t1")
      await agent.update(id, {
        sessionUpdate: "available_commands_update",
        availableCommands: [{ name: "x", description: "y" }],
      });
    return { stopReason: "end_turn" };
  },
};

it("a part of a session is loaded with what is still so, and the rest is asked for backwards [REQ load-window, messages-method]", async () => {
  const relay = await rig({ script });
  const id = await relay.newSession();
  for (let i = 1; i <= 6; i += 1) await relay.prompt(id, `t${i}`);
  const load = async (replay: unknown) => {
    const before = relay.updates.length;
    const params = { sessionId: id, cwd: "/work", mcpServers: [], _meta: { "acp-sidecar": { replay } } };
    const result = await relay.client.request("session/load", params);
    const updates = relay.updates.slice(before).map(({ update }) => update);
    return { result, kinds: updates.map(({ sessionUpdate }) => sessionUpdate), texts: textsOf(updates) };
  };
  const state = ["available_commands_update", "session_info_update"];
  const turn = ["user_message_chunk", "tool_call", "agent_message_chunk"];
  const answer = (replay: object) => ({ _meta: { "acp-sidecar": { replay } } });

  expect(await load({ last: 2 })).toEqual({
    result: answer({ fromSeq: 18, throughSeq: 25, leftOut: 17, beforeSeq: 18 }),
    kinds: [...turn, ...turn, ...state],
    texts: ["t5", "to t5", "t6", "to t6"],
  });
  expect(await load("none")).toMatchObject({ result: answer({ leftOut: 25 }), kinds: state });
  expect(await load({ afterSeq: 23 })).toMatchObject({
    result: answer({ fromSeq: 24, leftOut: 23 }),
    kinds: ["agent_message_chunk", ...state],
  });
  for (const bad of [{ afterSeq: 9999 }, { last: 0 }, "some"])
    await expect(load(bad)).rejects.toMatchObject({ data: { code: "INVALID_PARAMS" } });

  const { headSeq } = await relay.registry.get(id as SessionId);
  await relay.client.request("_acp-sidecar/rewind", { sessionId: id, at: "m-t2" });
  // What the client has is told from where on it does not count.
  expect(await load({ afterSeq: headSeq })).toMatchObject({
    result: answer({ fromSeq: 9, supersededFrom: 9 }),
    kinds: state,
  });

  const pageBefore = async (beforeSeq?: number) => {
    const page = await relay.client.request("_acp-sidecar/messages", { sessionId: id, limit: 1, beforeSeq });
    const { updates, ...rest } = page as { updates: { update: object }[]; beforeSeq?: number };
    return { beforeSeq: rest.beforeSeq, texts: textsOf(updates.map(({ update }) => update)) };
  };
  expect(await pageBefore()).toEqual({ beforeSeq: 6, texts: ["t2", "to t2"] });
  expect(await pageBefore(6)).toEqual({ beforeSeq: undefined, texts: ["t1", "to t1"] });
  await relay.close();
});

it("what is said in a window of a call that began before it comes behind the call", async () => {
  const saying: Script = {
    "session/prompt": async (params, agent) => {
      const id = params["sessionId"] as string;
      const first = (params["prompt"] as { text: string }[]).at(-1)?.text === "first";
      const call = { toolCallId: "c", ...(first && { title: "Look around", kind: "read" }) };
      const status = first ? "in_progress" : "completed";
      await agent.update(id, { sessionUpdate: first ? "tool_call" : "tool_call_update", ...call, status });
      const never = { sessionUpdate: "tool_call_update", toolCallId: "never begun", status };
      if (!first) await agent.update(id, never);
      return { stopReason: "end_turn" };
    },
  };
  const relay = await rig({ script: saying });
  const id = await relay.newSession();
  for (const words of ["first", "second", "third"]) await relay.prompt(id, words);
  const before = relay.updates.length;
  await relay.client.request("session/load", {
    sessionId: id,
    cwd: "/work",
    mcpServers: [],
    _meta: { "acp-sidecar": { replay: { last: 2 } } },
  });
  const calls = (updates: readonly { update: object }[]) =>
    updates
      .map(({ update }) => update as { sessionUpdate: string; toolCallId?: string; title?: string })
      .filter(({ toolCallId }) => toolCallId !== undefined)
      .map(({ sessionUpdate, toolCallId, title }) => [sessionUpdate, toolCallId, title]);
  const announced = [
    ["tool_call", "c", "Look around"],
    ["tool_call_update", "c", undefined],
    ["tool_call", "never begun", "never begun"],
    ["tool_call_update", "never begun", undefined],
  ];
  const again = [
    ["tool_call_update", "c", undefined],
    ["tool_call_update", "never begun", undefined],
  ];
  expect(calls(relay.updates.slice(before))).toEqual([...announced, ...again]);
  const page = await relay.client.request("_acp-sidecar/messages", { sessionId: id, limit: 1 });
  const { updates } = page as { updates: { sessionId: string; update: object }[] };
  expect(calls(updates)).toEqual(announced);
  expect(updates.every(({ sessionId }) => sessionId === id)).toBe(true);
  await relay.close();
});

function textsOf(updates: readonly object[]): string[] {
  return updates.flatMap((update) => (update as { content?: { text?: string } }).content?.text ?? []);
}
