/** Sessions of subagents: journaled, replayed and deleted with their parent, under ids of ours. */
import { describe, expect, it } from "vitest";
import { useHarness } from "./harness/harness.ts";
import { RawClient } from "./harness/raw-client.ts";
import type { Fields, Message, Update } from "./harness/wire.ts";

const harness = useHarness();
const cwd = harness.project();
const ulid = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

const say = (as: string, text: string, more: Fields = {}) => ({
  as,
  update: { sessionUpdate: "agent_message_chunk", content: { type: "text", text }, ...more },
});
const announce = (child: string, more: Fields = {}, as = "me") => ({
  as,
  update: { sessionUpdate: "subagent_update", sessionId: child, ...more },
});
const message = (as: string, from: string, to: string, text: string) => ({
  as,
  update: {
    sessionUpdate: "session_message",
    messageId: `m-${from}-${to}`,
    senderSessionId: from,
    recipientSessionId: to,
    content: [{ type: "text", text }],
  },
});
const call = (as: string, status: string, more: Fields = {}) => ({
  as,
  update: { sessionUpdate: "tool_call", toolCallId: "t", title: "Read", status, ...more },
});

/** What a client that knows subagents sees, by session: `kid` and `grandkid` are named so by their agent. */
const work = [
  say("me", "I delegate. "),
  announce("kid", { title: "Reader", state: { state: "running" } }),
  message("me", "me", "kid", "Read it."),
  message("kid", "me", "kid", "Read it."),
  say("kid", "I re", { messageId: "k" }),
  say("me", "Meanwhile "),
  say("kid", "ad.", { messageId: "k" }),
  say("me", "I wait."),
  announce("grandkid", { title: "Counter" }, "kid"),
  call("grandkid", "pending"),
  { as: "grandkid", update: { sessionUpdate: "tool_call_update", toolCallId: "t", status: "completed" } },
  call("kid", "completed"),
  message("me", "kid", "me", "Done."),
  announce("kid", { state: { state: "idle" } }),
  say("me", " All is done."),
];

async function connect(options: Parameters<typeof harness.sidecar>[0], knows = true): Promise<RawClient> {
  const client = new RawClient(harness.sidecar(options));
  await client.initialize({
    protocolVersion: 1,
    clientCapabilities: { fs: { readTextFile: true }, ...(knows && { subagents: {} }) },
  });
  return client;
}

const prompt = (client: RawClient, sessionId: string, steps: readonly object[]) =>
  client.request("session/prompt", { sessionId, prompt: [{ type: "text", text: JSON.stringify(steps) }] });

interface Seen {
  readonly sessionId: string;
  readonly update: Update;
}

const seenBy = (client: RawClient, from = 0): Seen[] =>
  client.program.out
    .messages(from)
    .filter(({ method }) => method === "session/update")
    .map(({ params }) => params as unknown as Seen);

/** By session and in its order: what was said, joined, and all else. */
function drawn(seen: readonly Seen[]): Record<string, unknown[]> {
  const drawings: Record<string, unknown[]> = {};
  for (const { sessionId, update } of seen) {
    const { sessionUpdate, content, toolCallId, messageId: _, ...rest } = update;
    if (sessionUpdate === "user_message_chunk") continue;
    const drawing = (drawings[sessionId] ??= []);
    const text = (content as Fields | undefined)?.["text"];
    const last = drawing.at(-1);
    const known = drawing.find((each) => (each as Fields | null)?.["toolCallId"] === toolCallId) as Fields;
    if (sessionUpdate === "agent_message_chunk" && typeof last === "string")
      drawing[drawing.length - 1] = last + String(text);
    else if (sessionUpdate === "agent_message_chunk") drawing.push(text);
    else if (toolCallId !== undefined && known !== undefined)
      Object.assign(known, rest, content === undefined ? {} : { content });
    else drawing.push({ ...update, sessionUpdate: sessionUpdate.replace(/_update$/, "") });
  }
  return drawings;
}

const childOf = (seen: readonly Seen[], title: string) =>
  String(seen.find(({ update }) => update["title"] === title)?.update["sessionId"]);

async function load(client: RawClient, sessionId: string): Promise<Seen[]> {
  const from = client.program.out.length;
  await client.request("session/load", { sessionId, cwd, mcpServers: [] });
  return seenBy(client, from);
}

async function delegated(flags: readonly string[] = []) {
  const agent = ["delegating.mjs", "--state", harness.path("delegating"), ...flags];
  const store = harness.storeUrl();
  const client = await connect({ agent, store });
  const sessionId = await client.newSession(cwd);
  await prompt(client, sessionId, work);
  return { agent, store, client, sessionId };
}

describe("what subagents do", () => {
  it("is told under ids of ours, wherever they stand [REQ subagents-named]", async () => {
    const { client, sessionId } = await delegated();
    const seen = seenBy(client);
    const [kid, grandkid] = [childOf(seen, "Reader"), childOf(seen, "Counter")];
    for (const id of [kid, grandkid]) expect(id).toMatch(ulid);
    expect(drawn(seen)).toEqual({
      [sessionId]: [
        "I delegate. ",
        expect.objectContaining({ sessionUpdate: "subagent", sessionId: kid, title: "Reader" }),
        expect.objectContaining({ senderSessionId: sessionId, recipientSessionId: kid }),
        "Meanwhile I wait.",
        expect.objectContaining({ senderSessionId: kid, recipientSessionId: sessionId }),
        expect.objectContaining({ sessionUpdate: "subagent", sessionId: kid, state: { state: "idle" } }),
        " All is done.",
      ],
      [kid]: [
        expect.objectContaining({ senderSessionId: sessionId, recipientSessionId: kid }),
        "I read.",
        expect.objectContaining({ sessionUpdate: "subagent", sessionId: grandkid }),
        expect.objectContaining({ toolCallId: "t", status: "completed" }),
      ],
      [grandkid]: [expect.objectContaining({ toolCallId: "t", status: "completed" })],
    });
    expect(JSON.stringify(seen)).not.toMatch(/"kid"|"grandkid"|main-/);
  });

  for (const [at, flags] of [[], ["--load", "before"], ["--load", "behind"], ["--resume"]].entries()) {
    const tags = at === 0 ? [] : ["long"];
    it(
      `is drawn after a load as it was live, and once (${flags.join(" ")}) [REQ subagents-kept]`,
      { tags },
      async () => {
        const { agent, store, client, sessionId } = await delegated(flags);
        const live = drawn(seenBy(client));
        await harness.stop(client.program);
        let next = await connect({ agent, store });
        for (let cycle = 0; cycle < 3; cycle += 1) {
          const from = next.program.out.length;
          await load(next, sessionId);
          await next.ask("_delegating/about", { sessionId });
          await prompt(next, sessionId, []);
          const seen = seenBy(next, from);
          expect(drawn(seen), `cycle ${cycle}`).toEqual(live);
          if (cycle > 0) continue;
          await harness.stop(next.program);
          next = await connect({ agent, store });
        }
        expect(seenBy(next).filter(({ update }) => update["title"] === "Reader")).toHaveLength(2);
      },
    );
  }

  it("has the same ids when their agent goes on with them [REQ subagents-kept]", async () => {
    const { agent, store, client, sessionId } = await delegated(["--load", "before"]);
    const kid = childOf(seenBy(client), "Reader");
    await harness.stop(client.program);
    const next = await connect({ agent, store });
    await load(next, sessionId);
    const from = next.program.out.length;
    await prompt(next, sessionId, [announce("kid", { state: { state: "running" } }), say("kid", "Again.")]);
    const seen = seenBy(next, from);
    expect(new Set(seen.map(({ sessionId: id }) => id))).toEqual(new Set([sessionId, kid]));
    // It was at work when the agent ended, so nothing is known of it.
    await harness.stop(next.program);
    const last = await connect({ agent: ["agent.mjs"], store });
    const states = (await load(last, sessionId)).filter(({ update }) => update["sessionId"] === kid);
    expect(states.at(-1)?.update["state"]).toEqual({ state: "unknown" });
  });

  for (const [at, flags] of [["--resume"], ["--load", "never"]].entries()) {
    const tags = at === 0 ? [] : ["long"];
    it(
      `has the same ids when its agent goes on with it in a new process and announces it no more (${flags.join(" ")}) [REQ subagents-kept]`,
      { tags },
      async () => {
        const { agent, store, client, sessionId } = await delegated(flags);
        const [kid, grandkid] = [childOf(seenBy(client), "Reader"), childOf(seenBy(client), "Counter")];
        await harness.stop(client.program);
        const next = await connect({ agent, store });
        await next.request("session/resume", { sessionId, cwd, mcpServers: [] });
        const from = next.program.out.length;
        const steps = [
          say("grandkid", "Again."),
          say("stranger", "Who?"),
          { ask: "kid" },
          say("kid", "Thanks."),
        ];
        const turn = prompt(next, sessionId, steps);
        const isAsked = ({ method }: Message) => method === "session/request_permission";
        const { id, params } = await next.program.out.waitFor("the question", isAsked);
        next.send({ jsonrpc: "2.0", id, result: { outcome: { outcome: "cancelled" } } });
        await turn;
        const seen = seenBy(next, from);
        expect(params?.["sessionId"]).toBe(kid);
        expect(drawn(seen)).toMatchObject({ [grandkid]: ["Again."], [kid]: ["Thanks."], stranger: ["Who?"] });
        await harness.stop(next.program);
        const last = await connect({ agent: ["agent.mjs"], store });
        expect(drawn(await load(last, sessionId))[kid]).toContain("Thanks.");
      },
    );
  }

  it("is theirs when they speak before the answer to `session/new` [REQ subagents-named]", async () => {
    const { client, sessionId } = await delegated(["--early"]);
    const seen = seenBy(client);
    const kid = childOf(seen, "Reader");
    expect(kid).toMatch(ulid);
    expect(drawn(seen)[kid]?.[0]).toBe("I am early.");
    expect(drawn(await load(client, sessionId))[kid]?.[0]).toBe("I am early.");
  });

  it("does not run in a fork, whose parent goes on with it [REQ subagents-kept]", async () => {
    const { client, sessionId } = await delegated();
    await prompt(client, sessionId, [
      announce("kid", { state: { state: "running" } }),
      call("kid", "in_progress", { toolCallId: "u" }),
      call("me", "completed"),
    ]);
    const { sessionId: fork } = await client.request("session/fork", { sessionId, cwd, mcpServers: [] });
    await prompt(client, String(fork), [say("me", "I am the fork.")]);
    for (let round = 0; round < 2; round += 1) {
      const forked = await load(client, String(fork));
      const kid = childOf(forked, "Reader");
      const states = forked.filter(
        ({ update }) => update["sessionId"] === kid && update["state"] !== undefined,
      );
      expect(states.at(-1)?.update["state"]).toEqual({ state: "unknown" });
      expect(drawn(forked)[kid]).toContainEqual(
        expect.objectContaining({ toolCallId: "u", status: "failed" }),
      );
      expect(forked.at(-1)?.update["content"]).toEqual({ type: "text", text: "I am the fork." });
    }
  });

  it("goes with a fork under ids of the fork's own, and with the session when it is deleted [REQ subagents-kept]", async () => {
    const { client, sessionId } = await delegated();
    const seen = seenBy(client);
    const { sessionId: fork } = await client.request("session/fork", { sessionId, cwd, mcpServers: [] });
    const forked = await load(client, String(fork));
    const names = (of: readonly Seen[]) => ["Reader", "Counter"].map((title) => childOf(of, title));
    for (const name of names(forked)) expect([...names(seen), sessionId]).not.toContain(name);
    const anew = [[sessionId, fork], ...names(seen).map((name, at) => [name, names(forked)[at]])];
    let expected = JSON.stringify(drawn(seen));
    for (const [before, now] of anew) expected = expected.replaceAll(String(before), String(now));
    expect(drawn(forked)).toEqual(JSON.parse(expected));
    await client.request("session/delete", { sessionId });
    expect(drawn(await load(client, String(fork)))).toEqual(JSON.parse(expected));
    await client.request("session/delete", { sessionId: fork });
    const { sessions } = await client.request("session/list", {});
    expect(sessions).toEqual([]);
  });

  it("is shown as a tool call to a client that knows no subagents [REQ subagents-kept]", async () => {
    const { agent, store, client, sessionId } = await delegated();
    await harness.stop(client.program);
    const plain = await connect({ agent, store }, false);
    const seen = await load(plain, sessionId);
    expect(new Set(seen.map(({ sessionId: id }) => id))).toEqual(new Set([sessionId]));
    expect(seen.map(({ update }) => update["title"])).toContain("Reader");
    expect(JSON.stringify(seen)).not.toContain("I read.");
  });
});

describe("what a subagent asks, and is asked", () => {
  const isAsked = ({ method }: Message) => method === "session/request_permission";

  it.each([true, false])(
    "reaches the client, under the child's id if it knows that (%s) [REQ subagents-asked]",
    async (knows) => {
      const client = await connect({ agent: ["delegating.mjs"] }, knows);
      const sessionId = await client.newSession(cwd);
      const turn = prompt(client, sessionId, [announce("kid", { title: "Reader" }), { ask: "kid" }]);
      const { id, params } = await client.program.out.waitFor("the question", isAsked);
      const kid = childOf(seenBy(client), "Reader");
      expect(params?.["sessionId"]).toBe(knows ? kid : sessionId);
      const outcome = { outcome: "selected", optionId: "yes" };
      client.send({ jsonrpc: "2.0", id, result: { outcome } });
      await turn;
      expect(seenBy(client).at(-1)?.update["content"]).toEqual({
        type: "text",
        text: JSON.stringify({ outcome }),
      });
    },
  );

  it("is withdrawn with the turn of the parent [REQ subagents-asked]", async () => {
    const client = await connect({ agent: ["delegating.mjs"], args: ["--cancel-grace", "50ms"] });
    const sessionId = await client.newSession(cwd);
    const turn = prompt(client, sessionId, [announce("kid"), { ask: "kid" }]);
    await client.program.out.waitFor("the question", isAsked);
    client.notify("session/cancel", { sessionId });
    expect(await turn).toMatchObject({ stopReason: "cancelled" });
    await client.program.out.waitFor("its withdrawal", ({ method }) => method === "$/cancel_request");
  });

  it("reaches it: a cancellation, a request, and no prompt [REQ subagents-asked]", async () => {
    const client = await connect({ agent: ["delegating.mjs"] });
    const sessionId = await client.newSession(cwd);
    const turn = prompt(client, sessionId, [announce("kid", { title: "Reader" }), { until: "kid" }]);
    await client.program.out.waitFor("the child", ({ method }) => method === "session/update");
    const kid = childOf(seenBy(client), "Reader");
    expect(await client.request("_delegating/about", { sessionId: kid, a: 1 })).toEqual({
      sessionId: kid,
      heard: "kid",
      a: 1,
    });
    const { error } = await client.ask("session/prompt", { sessionId: kid, prompt: [] });
    expect(error).toMatchObject({ code: -32002, data: { code: "SESSION_NOT_FOUND" } });
    client.notify("session/cancel", { sessionId: kid, _meta: { a: 1 } });
    expect(await turn).toEqual({ stopReason: "end_turn" });
    const heard = { method: "session/cancel", params: { sessionId: "kid", _meta: { a: 1 } } };
    const { content } = seenBy(client).at(-1)?.update as unknown as { content: { text: string } };
    expect(JSON.parse(content.text)).toEqual(heard);
  });
});
