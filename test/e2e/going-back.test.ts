/** Going back in a session by real programs: killed at any moment, and taken over by another one. */
import { describe, expect, it } from "vitest";
import { useHarness } from "./harness/harness.ts";
import type { RawClient } from "./harness/raw-client.ts";
import type { Fields, Message, Update } from "./harness/wire.ts";

const harness = useHarness();
const cwd = harness.project();

interface Place {
  readonly store: string;
  readonly agent: readonly string[];
}

/** The agent remembers its sessions and can load them, so that only we keep it from what does not count. */
const place = (): Place => ({
  store: harness.storeUrl(),
  agent: ["agent.mjs", "--load", "--state", harness.path("state")],
});

/** Two turns, and the entry at which the first one ends. */
async function twoTurns(where: Place) {
  const client = await harness.connectRaw(where);
  const sessionId = await client.newSession(cwd);
  await client.prompt(sessionId, "alpha");
  await client.prompt(sessionId, "beta");
  const { beforeSeq } = await client.request("_acp-sidecar/messages", { sessionId, limit: 1 });
  return { client, sessionId, at: Number(beforeSeq) - 1 };
}

const updateOf = ({ params }: Message) => params?.["update"] as Update;

/** What is said in what a client was sent from a place on. */
function textsFrom(client: RawClient, from: number): string[] {
  const updates = client.program.out.messages(from).filter(({ method }) => method === "session/update");
  return updates.flatMap((each) => (updateOf(each)["content"] as { text?: string } | undefined)?.text ?? []);
}

async function load(client: RawClient, sessionId: string): Promise<string[]> {
  const from = client.program.out.length;
  await client.request("session/load", { sessionId, cwd, mcpServers: [] });
  return textsFrom(client, from);
}

/** Everything that the agent is sent with a prompt, as text. */
async function heardByAgent(client: RawClient, sessionId: string): Promise<string> {
  await client.prompt(sessionId, "echo-prompt");
  const prompts = client.program.agents().flatMap(({ messages }) => messages);
  return JSON.stringify(prompts.findLast(({ method }) => method === "session/prompt")?.params);
}

/** Of the agent's sessions, those that it was asked for by a method. */
const agentIdsIn = (client: RawClient, wanted: string): unknown[] =>
  client.program
    .agents()
    .flatMap(({ messages }) => messages)
    .filter(({ method }) => method === wanted)
    .map(({ params }) => params?.["sessionId"]);

const alpha = ["alpha", "echo: alpha"];
const beta = ["beta", "echo: beta"];

const isTold = ({ params }: Message) =>
  (params?.["_meta"] as { "acp-sidecar"?: Fields } | undefined)?.["acp-sidecar"]?.["rewind"] !== undefined;

type Moment = (client: RawClient, sessionId: string, at: number) => Promise<unknown>;

const moments: [string, Moment][] = [
  [
    "when every client has been told of it",
    async (client, sessionId, at) => {
      const from = client.program.out.length;
      void client.ask("_acp-sidecar/rewind", { sessionId, at }).catch(() => undefined);
      await client.program.out.waitFor("the news of it", isTold, { from });
    },
  ],
  [
    "when it is answered",
    (client, sessionId, at) => client.request("_acp-sidecar/rewind", { sessionId, at }),
  ],
  [
    "in the turn after it",
    async (client, sessionId, at) => {
      await client.request("_acp-sidecar/rewind", { sessionId, at });
      const from = client.program.out.length;
      void client.prompt(sessionId, "until-cancel").catch(() => undefined);
      await client.program.out.waitFor("an update", ({ method }) => method === "session/update", { from });
    },
  ],
];

describe("a sidecar that is killed", () => {
  for (const [nth, [when, until]] of moments.entries())
    it(
      `${when} leaves nothing superseded to be shown or handed over [REQ rewind-method]`,
      { tags: nth === 0 ? [] : ["long"] },
      async () => {
        const where = place();
        const { client, sessionId, at } = await twoTurns(where);
        const [knowing] = agentIdsIn(client, "session/prompt");
        await until(client, sessionId, at);
        await harness.crash(client.program);
        const next = await harness.connectRaw(where);
        const shown = await load(next, sessionId);
        expect(shown.slice(0, 2)).toEqual(alpha);
        expect(shown.join()).not.toContain("beta");
        const heard = await heardByAgent(next, sessionId);
        expect(heard).toContain("alpha");
        expect(heard).not.toContain("beta");
        expect(knowing).toEqual(expect.any(String));
        expect(agentIdsIn(next, "session/load")).not.toContain(knowing);
      },
    );

  it("while it goes back leaves the whole conversation or what counts, and the agent knows just that", async () => {
    const where = place();
    const { client, sessionId, at } = await twoTurns(where);
    void client.ask("_acp-sidecar/rewind", { sessionId, at }).catch(() => undefined);
    await harness.crash(client.program);
    const next = await harness.connectRaw(where);
    const shown = await load(next, sessionId);
    expect([alpha, [...alpha, ...beta]]).toContainEqual(shown);
    if (shown.length === 2) expect(await heardByAgent(next, sessionId)).not.toContain("beta");
    await next.request("_acp-sidecar/rewind", { sessionId, at });
    expect(await load(next, sessionId)).toEqual(alpha);
  });
});

describe("two sidecars", () => {
  it("one goes back, the other takes over and goes on, the first loads again and takes it back", async () => {
    const where = place();
    const { client: first, sessionId, at } = await twoTurns(where);
    const second = await harness.connectRaw(where);
    await first.request("_acp-sidecar/rewind", { sessionId, at });
    expect(await load(second, sessionId)).toEqual(alpha);
    await second.prompt(sessionId, "gamma");
    expect(await heardByAgent(second, sessionId)).not.toContain("beta");
    const lost = await first.ask("_acp-sidecar/rewind", { sessionId, at: 0 });
    expect(lost.error?.data).toMatchObject({ code: "LEASE_LOST" });
    expect((await load(first, sessionId)).slice(0, 4)).toEqual([...alpha, "gamma", "echo: gamma"]);
    await first.request("_acp-sidecar/rewind", { sessionId, undo: true });
    expect(await load(first, sessionId)).toEqual([...alpha, ...beta]);
    const heard = await heardByAgent(first, sessionId);
    expect(heard).toContain("beta");
    expect(heard).not.toContain("gamma");
  });
});
