import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { updateIn, updateOfParams, type ArrivedUpdate } from "../../../src/acp/updates.ts";
import { Recall } from "../../../src/relay/live/recall.ts";
import type { Entry } from "../../../src/store/contract.ts";
import { initialized, rig } from "../rig.ts";

type Update = Parameters<typeof updateOfParams>[0]["update"];

const chunk = (role: string, text: string): Update => ({
  sessionUpdate: `${role}_message_chunk`,
  content: { type: "text", text },
});
const call = (toolCallId: string, status: string): Update => ({
  sessionUpdate: "tool_call_update",
  toolCallId,
  status,
});

function recalling(...updates: readonly Update[]): (said: readonly Update[]) => Promise<unknown[]> {
  const entries = updates.map((update, at): Entry => {
    return { seq: at + 1, atMs: 0, kind: "update", data: JSON.stringify({ update }) };
  });
  const recall = new Recall(async function* () {
    yield entries;
  });
  return async (said) => {
    const arrived = said.map((update) => updateOfParams({ sessionId: "a", update }));
    return (await recall.news(arrived)).map((each: ArrivedUpdate) => {
      if (each.type === "chunks") throw new Error("a run of chunks");
      return updateIn(each);
    });
  };
}

describe("what an agent replays", () => {
  it("is no news, however it cuts its messages", async () => {
    const texts = fc.array(fc.string({ minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(texts, fc.array(fc.nat(11)), async (messages, cuts) => {
        const roles = messages.map((text, at) => [at % 2 === 0 ? "user" : "agent", text] as const);
        const news = recalling(...roles.map(([role, text]) => chunk(role, text)));
        const said = roles.flatMap(([role, text], at) => {
          const cut = (cuts[at] ?? 0) % text.length;
          return [text.slice(0, cut), text.slice(cut)].filter(Boolean).map((part) => chunk(role, part));
        });
        expect(await news(said)).toEqual([]);
      }),
    );
  });

  it("of tool calls is no news, but for an end that the journal does not have", async () => {
    const news = recalling(call("known", "completed"), call("cut off", "in_progress"));
    const said = [call("known", "pending"), call("known", "completed"), call("cut off", "failed")];
    expect(await news(said)).toEqual([call("cut off", "failed")]);
  });
});

describe("what an agent says that is not in the journal", () => {
  it("is news to the letter, also where it begins like something that is", async () => {
    const news = recalling(chunk("user", "hello"), chunk("agent", "hello, world"));
    const said = [chunk("agent", "hello, "), chunk("agent", "moon"), chunk("agent", " and stars")];
    expect(await news(said)).toEqual(said);
    expect(await news([call("another", "pending")])).toEqual([call("another", "pending")]);
  });

  it("is news behind what is replayed", async () => {
    const news = recalling(chunk("user", "one"), chunk("agent", "two"));
    const said = [
      chunk("user", "one"),
      chunk("agent", "two"),
      chunk("user", "three"),
      chunk("agent", "four"),
    ];
    expect(await news(said)).toEqual(said.slice(2));
  });
});

describe("a replay that comes behind the agent's answer", () => {
  type Speaker = { update(id: string, update: object): Promise<void> };
  const conversation = [chunk("user", "go"), chunk("agent", "went"), chunk("agent", " home")];
  const say = async (sessionId: unknown, agent: Speaker, updates: readonly Update[] = conversation) => {
    await Promise.all(updates.map((update) => agent.update(String(sessionId), update)));
  };
  const answer = conversation.slice(1);

  it("to a load becomes no new history, however often the session is loaded", async () => {
    const script = {
      initialize: initialized({}, { loadSession: true }),
      "session/prompt": async (params: { readonly sessionId?: unknown }, agent: Speaker) => {
        await say(params.sessionId, agent, answer);
        return { stopReason: "end_turn" };
      },
      "session/load": (params: { readonly sessionId?: unknown }, agent: Speaker) => {
        void say(params.sessionId, agent);
        setTimeout(() => void say(params.sessionId, agent), 5);
        return {};
      },
    };
    const first = await rig({ script });
    const sessionId = await first.newSession();
    await first.prompt(sessionId);
    await first.close();
    for (let round = 0; round < 3; round += 1) {
      const relay = await rig({ store: first.store, script });
      await relay.load(sessionId);
      // Behind the second replay, which is on its way.
      await new Promise((resolve) => setTimeout(resolve, 20));
      await relay.agentNow().connection.request("session/request_permission", { sessionId: "agent-1" });
      expect(relay.shown()).toBe("went home");
      await relay.close();
    }
  });

  it("or before it, to a fork, is not in the fork twice", async () => {
    const relay = await rig({
      script: {
        initialize: initialized({ fork: {} }),
        "session/prompt": async ({ sessionId }, agent) => {
          await say(sessionId, agent, answer);
          return { stopReason: "end_turn" };
        },
        "session/fork": (_params, agent) => {
          void say("fork-1", agent);
          setTimeout(() => void say("fork-1", agent), 5);
          return { sessionId: "fork-1" };
        },
      },
    });
    const parent = await relay.newSession();
    await relay.prompt(parent);
    const params = { sessionId: parent, cwd: "/work", mcpServers: [] };
    const { sessionId } = (await relay.client.request("session/fork", params)) as { sessionId: string };
    await new Promise((resolve) => setTimeout(resolve, 20));
    await relay.agentNow().connection.request("session/request_permission", { sessionId: "fork-1" });
    const from = relay.updates.length;
    expect(relay.shown()).toBe("went home");
    await relay.load(sessionId);
    expect(relay.updates.slice(from).map(({ update }) => update)).toMatchObject([
      chunk("user", "go"),
      chunk("agent", "went home"),
    ]);
    await relay.close();
  });
});
