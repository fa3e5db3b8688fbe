/** Going back over ACP: the agent does not know what does not count, whatever it can. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Deferred } from "../../../src/base/deferred.ts";
import type { SessionId } from "../../../src/base/ids.ts";
import { initialized, rig, type Params, type Rig, type Script } from "../rig.ts";

const textIn = (params: Params) =>
  (params["prompt"] as { text?: string; resource?: { text: string } }[])
    .map(({ text, resource }) => text ?? resource?.text ?? "")
    .join("|");

/** Answers every prompt by "to PROMPT", in messages that have ids. */
const answering: Script = {
  "session/prompt": async (params, agent) => {
    const words = textIn(params).split("\n").at(-1)?.split("|").at(-1) ?? "";
    await agent.update(params["sessionId"] as string, {
      sessionUpdate: "agent_message_chunk",
      content: { type: "text", text: `to ${words}` },
      messageId: `m-${words}`,
    });
    return { stopReason: "end_turn" };
  },
};

const rewind = (relay: Rig, sessionId: string, to: object) =>
  relay.client.request("_acp-sidecar/rewind", { sessionId, ...to });

const promptsHeard = (relay: Rig) =>
  relay.agents.flatMap((agent) =>
    agent.heardOf("session/prompt").map((params) => ({ id: params["sessionId"], text: textIn(params) })),
  );

async function shownByLoad(relay: Rig, sessionId: string, meta?: object) {
  const before = relay.updates.length;
  const result = await relay.client.request("session/load", {
    sessionId,
    cwd: "/work",
    mcpServers: [],
    ...(meta && { _meta: { "acp-sidecar": meta } }),
  });
  const updates = relay.updates.slice(before).map(({ update }) => update);
  const texts = updates.flatMap(({ content }) => (content as { text?: string } | undefined)?.text ?? []);
  return { result, updates, texts };
}

async function threeTurns(script: Script = {}) {
  const relay = await rig({ script: { ...answering, ...script } });
  const id = await relay.newSession();
  for (const words of ["one", "two", "three"]) await relay.prompt(id, words);
  return { relay, id };
}

describe("a rewind", () => {
  it("of a live session: its agent gets a new session and what counts, and no word of what does not", async () => {
    const { relay, id } = await threeTurns();
    const answer = await rewind(relay, id, { at: "m-two" });
    expect(answer).toMatchObject({ turns: 1, turnsBack: 0 });
    expect(relay.updates.at(-1)).toMatchObject({
      update: { sessionUpdate: "session_info_update" },
      _meta: { "acp-sidecar": { rewind: { turns: 1 } } },
    });
    await relay.prompt(id, "four");
    const last = promptsHeard(relay).at(-1);
    expect(last?.id).toBe("agent-2");
    expect(last?.text).toContain("to two");
    expect(last?.text).not.toContain("three");
    expect((await shownByLoad(relay, id)).texts).toEqual([
      "one",
      "to one",
      "two",
      "to two",
      "four",
      "to four",
    ]);
    await rewind(relay, id, { undo: true });
    expect((await shownByLoad(relay, id)).texts).toEqual([
      "one",
      "to one",
      "two",
      "to two",
      "three",
      "to three",
    ]);
    await relay.close();
  });

  it("asks an agent that can fork there itself to do that", async () => {
    let forks = 0;
    const { relay, id } = await threeTurns({
      initialize: initialized({ fork: { _meta: { "acp-sidecar": { at: true } } } }),
      "session/fork": () => ({ sessionId: `fork-${(forks += 1)}` }),
    });
    await rewind(relay, id, { at: "m-one" });
    expect(relay.agentNow().heardOf("session/fork")).toMatchObject([
      { sessionId: "agent-1", cwd: "/work", _meta: { "acp-sidecar": { at: "m-one" } } },
    ]);
    await relay.prompt(id, "four");
    expect(promptsHeard(relay).at(-1)).toEqual({ id: "fork-1", text: "four" });
    await relay.close();
  });

  it("hands over what counts where an agent cannot fork there after all", async () => {
    const { relay, id } = await threeTurns({
      initialize: initialized({ fork: { _meta: { "acp-sidecar": { at: true } } } }),
      "session/fork": () => {
        throw new Error("no");
      },
    });
    await rewind(relay, id, { at: "m-one" });
    await relay.prompt(id, "four");
    expect(promptsHeard(relay).at(-1)).toMatchObject({
      id: "agent-2",
      text: expect.stringContaining("to one") as unknown,
    });
    await relay.close();
  });

  it("is for good for an agent that would replay what it was told: its old session is asked for no more", async () => {
    const { relay: before, id } = await threeTurns();
    await before.client.request("session/close", { sessionId: id });
    const { store } = before;
    const replaying: Script = {
      ...answering,
      initialize: initialized({}, { loadSession: true }),
      "session/load": async ({ sessionId }, agent) => {
        for (const words of ["one", "two", "three", "elsewhere"]) {
          const content = { type: "text", text: words };
          await agent.update(sessionId as string, { sessionUpdate: "user_message_chunk", content });
          await agent.say(sessionId as string, `to ${words}`);
        }
        return {};
      },
    };
    const first = await rig({ store, script: replaying });
    const { headSeq } = await first.registry.get(id as SessionId);
    await first.registry.rewind(id as SessionId, headSeq - 3);
    const { texts } = await shownByLoad(first, id);
    expect(texts).toEqual(["one", "to one", "two", "to two"]);
    await first.prompt(id, "four");
    expect(first.agents.flatMap((agent) => agent.heardOf("session/load"))).toEqual([]);
    expect(promptsHeard(first).at(-1)?.text).not.toContain("three");
    await first.close();
  });

  it("is refused while a turn runs, for what is not there, and for two places at once", async () => {
    let release: () => void = () => undefined;
    const running = new Promise<void>((resolve) => (release = resolve));
    const relay = await rig({
      script: { "session/prompt": async () => (await running, { stopReason: "end_turn" }) },
    });
    const id = await relay.newSession();
    const turn = relay.prompt(id);
    const codeOf = (to: object) =>
      rewind(relay, id, to).then(
        () => "done",
        (error: { data?: { code?: string } }) => error.data?.code,
      );
    expect(await codeOf({ at: 0 })).toBe("SESSION_BUSY");
    release();
    await turn;
    expect(await codeOf({ at: 99 })).toBe("INVALID_PARAMS");
    expect(await codeOf({ at: "nobody's" })).toBe("INVALID_PARAMS");
    expect(await codeOf({ undo: true })).toBe("INVALID_PARAMS");
    expect(await codeOf({ at: 0, undo: true })).toBe("INVALID_PARAMS");
    expect(await codeOf({})).toBe("INVALID_PARAMS");
    expect(promptsHeard(relay)).toHaveLength(1);
    await relay.close();
  });

  it("by somebody else, while the session is live here: it is lost until it is loaded again", async () => {
    const { relay, id } = await threeTurns();
    const { registry: other } = await rig({ store: relay.store });
    // As another process would: this one holds it, so it is let go first.
    await relay.client.request("session/close", { sessionId: id });
    await other.rewind(id as SessionId, 0);
    expect((await shownByLoad(relay, id)).texts).toEqual([]);
    await relay.prompt(id, "anew");
    expect(promptsHeard(relay).at(-1)).toEqual({ id: "agent-2", text: "anew" });
    expect((await relay.registry.get(id as SessionId)).title).toBe("anew");
    await relay.close();
  });
});

describe("a prompt that says another anew", () => {
  it("stands in its place, and what came after that is gone for the agent [REQ edit-prompt]", async () => {
    const { relay, id } = await threeTurns();
    await relay.client.request("session/prompt", {
      sessionId: id,
      prompt: [{ type: "text", text: "2" }],
      _meta: { "acp-sidecar": { edits: "acp-sidecar:prompt:4" }, vendor: 1 },
    });
    const heard = relay.agentNow().heardOf("session/prompt").at(-1);
    expect(heard).toMatchObject({ sessionId: "agent-2", _meta: { vendor: 1 } });
    expect(heard?.["_meta"]).not.toHaveProperty("acp-sidecar");
    expect(textIn(heard ?? {})).not.toMatch(/two|three/);
    expect((await shownByLoad(relay, id)).texts).toEqual(["one", "to one", "2", "to 2"]);
    await expect(
      relay.client.request("session/prompt", {
        sessionId: id,
        prompt: [{ type: "text", text: "x" }],
        _meta: { "acp-sidecar": { edits: 2 } },
      }),
    ).rejects.toMatchObject({ data: { code: "INVALID_PARAMS" } });
    await relay.close();
  });
});

describe("a cancellation while an edited prompt goes back", () => {
  /** An agent that is at its fork until it is let go. */
  async function goingBack() {
    const [begun, goOn] = [new Deferred(), new Deferred()];
    const { relay, id } = await threeTurns({
      initialize: initialized({ fork: { _meta: { "acp-sidecar": { at: true } } } }),
      "session/fork": async () => {
        begun.settle();
        await goOn.promise;
        return { sessionId: "fork-1" };
      },
    });
    const edit = (edits: number | string) =>
      relay.client.request("session/prompt", {
        sessionId: id,
        prompt: [{ type: "text", text: "2" }],
        _meta: { "acp-sidecar": { edits } },
      });
    return { relay, id, edit, begun: begun.promise, goOn };
  }

  it("ends the turn before the agent hears of it; the session goes on", async () => {
    const { relay, id, edit, begun, goOn } = await goingBack();
    const turn = edit("acp-sidecar:prompt:4");
    await begun;
    await expect(rewind(relay, id, { at: 0 })).rejects.toMatchObject({ data: { code: "SESSION_BUSY" } });
    await relay.client.notify("session/cancel", { sessionId: id });
    await relay.client.request("_acp-sidecar/info", {});
    goOn.settle();
    expect(await turn).toMatchObject({ stopReason: "cancelled" });
    expect(promptsHeard(relay).map(({ text }) => text)).toEqual(["one", "two", "three"]);
    await relay.prompt(id, "four");
    expect((await shownByLoad(relay, id)).texts).toEqual(["one", "to one", "2", "four", "to four"]);
    await relay.close();
  });

  it("has nothing to end when the place is refused: no turn is left behind", async () => {
    const { relay, id, edit } = await goingBack();
    await expect(edit(2)).rejects.toMatchObject({ data: { code: "INVALID_PARAMS" } });
    await relay.client.notify("session/cancel", { sessionId: id });
    await rewind(relay, id, { at: 0 });
    expect((await shownByLoad(relay, id)).texts).toEqual([]);
    await relay.close();
  });
});

describe("a fork", () => {
  it("starts at a message by its id", async () => {
    const { relay, id } = await threeTurns();
    const { sessionId } = (await relay.client.request("session/fork", {
      sessionId: id,
      cwd: "/work",
      mcpServers: [],
      _meta: { "acp-sidecar": { at: "m-two" } },
    })) as { sessionId: string };
    expect((await shownByLoad(relay, sessionId)).texts).toEqual(["one", "to one", "two", "to two"]);
    await relay.close();
  });
});

describe("whatever is said, rewound and edited", () => {
  it("a replay shows what a simple model says, and a handover has no superseded word", async () => {
    const act = fc.oneof(
      { weight: 3, arbitrary: fc.constant({ do: "say" } as const) },
      fc.record({ do: fc.constant("rewind" as const), to: fc.nat(20) }),
      fc.record({ do: fc.constant("edit" as const), which: fc.nat(20) }),
      fc.constant({ do: "undo" } as const),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 12 }), async (acts) => {
        const relay = await rig({ script: answering });
        const id = await relay.newSession();
        let view: string[] = [];
        const views: string[][] = [];
        let said = 0;
        for (const each of acts) {
          const words = `w${(said += 1)}x`;
          if (each.do === "say") {
            await relay.prompt(id, words);
            view = [...view, words];
          } else if (each.do === "rewind" && view.length > 0) {
            const keep = 1 + (each.to % view.length);
            if (keep === view.length) continue;
            views.push(view);
            view = view.slice(0, keep);
            await rewind(relay, id, { at: `m-${view.at(-1)}` });
          } else if (each.do === "edit" && view.length > 0) {
            const at = each.which % view.length;
            const before = (await shownByLoad(relay, id)).updates.filter(
              ({ sessionUpdate }) => sessionUpdate === "user_message_chunk",
            );
            views.push(view);
            await relay.client.request("session/prompt", {
              sessionId: id,
              prompt: [{ type: "text", text: words }],
              _meta: { "acp-sidecar": { edits: before[at]?.["messageId"] } },
            });
            view = [...view.slice(0, at), words];
          } else if (each.do === "undo" && views.length > 0) {
            const now = view;
            view = views.pop() ?? [];
            await rewind(relay, id, { undo: true });
            views.push(now);
          }
          const { texts } = await shownByLoad(relay, id);
          expect(texts).toEqual(view.flatMap((word) => [word, `to ${word}`]));
        }
        await relay.prompt(id, "last");
        const heard = promptsHeard(relay).at(-1)?.text ?? "";
        for (const word of heard.match(/w[0-9]+x/g) ?? []) expect(view).toContain(word);
        await relay.close();
      }),
      { numRuns: 25 },
    );
  });
});
