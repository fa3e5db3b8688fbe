/** Histories that an agent has made without the sidecar: before it, between two loads, by compacting and rewinding. */
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { useHarness } from "./harness/harness.ts";
import { RawClient } from "./harness/raw-client.ts";
import type { Message, Update } from "./harness/wire.ts";

const harness = useHarness();

const said = (text: string) => ({ sessionUpdate: "agent_message_chunk", content: { type: "text", text } });
const call = { sessionUpdate: "tool_call", toolCallId: "t", title: "Look", status: "completed" };

/** How the odd agent behaves: see test/differential/agent.ts. */
interface Bent {
  readonly replays?: "before" | "behind";
  readonly resume?: boolean;
  readonly load?: boolean;
}

class Bench {
  readonly store = harness.storeUrl();
  readonly cwd = harness.project();
  readonly state = harness.path("odd-state");
  readonly agent: readonly string[];

  constructor({ replays = "before", resume = false, load = true }: Bent = {}) {
    const can = { load, resume, fork: false, embeddedContext: false };
    const odd = { can, replays, replaysForks: "never", echoes: false, remembers: true, failingLoads: 0 };
    this.agent = ["odd.mjs", JSON.stringify({ ...odd, state: this.state })];
  }

  through(): Promise<RawClient> {
    return harness.connectRaw({ agent: this.agent, store: this.store });
  }

  /** In the agent's own program. */
  async alone(act: (client: RawClient) => Promise<void>): Promise<void> {
    const client = new RawClient(harness.direct(this.agent));
    await client.initialize();
    await act(client);
    await harness.stop(client.program);
  }

  /** What the agent calls the session. */
  async agentsId(client: RawClient, sessionId: string): Promise<string> {
    return (await client.request("_odd/knows", { sessionId }))["calls"] as string;
  }

  open(client: RawClient, how: "load" | "resume", sessionId: string): Promise<unknown> {
    return client.request(`session/${how}`, { sessionId, cwd: this.cwd, mcpServers: [] });
  }

  /** Loads, and returns what came until all that the agent replays behind its answer has come, too. */
  async load(client: RawClient, sessionId: string): Promise<Message[]> {
    const from = client.program.out.length;
    await this.open(client, "load", sessionId);
    await client.request("_odd/knows", { sessionId });
    return client.program.out.messages(from).filter(({ method }) => method === "session/update");
  }
}

const say = (client: RawClient, sessionId: string, mark: string, updates: object[] = [said(`to ${mark}`)]) =>
  client.prompt(sessionId, JSON.stringify({ mark, updates }));

const updateOf = ({ params }: Message) => params?.["update"] as Update;
/** What is shown, in words: marks of prompts, and what the agent said. */
const shown = (messages: readonly Message[]) =>
  messages.flatMap((message) => {
    const { sessionUpdate, content } = updateOf(message);
    const text = (content as { text?: string } | undefined)?.text ?? String(sessionUpdate);
    const [mark] = /(?<="mark":")[^"]+/.exec(text) ?? [text];
    return isNote(message) ? ["(differs)"] : [mark];
  });
const metaOf = ({ params }: Message) =>
  (params?.["_meta"] as { "acp-sidecar"?: Record<string, unknown> } | undefined)?.["acp-sidecar"];
const isNote = (message: Message) => metaOf(message)?.["agentHistory"] === "differs";
const isMarked = (message: Message) => metaOf(message)?.["origin"] === "agent";

describe("a session that was made in the agent's own program", () => {
  for (const [at, replays] of (["before", "behind"] as const).entries()) {
    const tags = at === 0 ? [] : ["long"];
    it(
      `and is resumed first has all of its history at a later load (replay ${replays} the answer) [REQ list-agent]`,
      { tags },
      async () => {
        const bench = new Bench({ replays, resume: true });
        let theirs = "";
        await bench.alone(async (client) => {
          theirs = await client.newSession(bench.cwd);
          await say(client, theirs, "one");
          await say(client, theirs, "two", [said("to two"), call]);
        });
        const first = await bench.through();
        await bench.open(first, "resume", theirs);
        await say(first, theirs, "three");
        // Resumed, it is not shown again; and it is whole already.
        expect(
          shown(first.program.out.messages().filter(({ method }) => method === "session/update")),
        ).toEqual(["to three"]);
        const whole = ["one", "to one", "two", "to two", "tool_call", "three", "to three"];
        expect(shown(await bench.load(first, theirs))).toEqual(whole);
        await harness.stop(first.program);
        const second = await bench.through();
        expect(shown(await bench.load(second, theirs))).toEqual(whole);
      },
    );
  }

  it("is resumed all the same when the agent fails to load it", async () => {
    const bench = new Bench({ resume: true });
    const refusing = JSON.parse(String(bench.agent[1])) as object;
    let theirs = "";
    await bench.alone(async (client) => {
      theirs = await client.newSession(bench.cwd);
      await say(client, theirs, "one");
    });
    const agent = ["odd.mjs", JSON.stringify({ ...refusing, failingLoads: 100 })];
    const client = await harness.connectRaw({ agent, store: bench.store });
    await bench.open(client, "resume", theirs);
    await say(client, theirs, "two");
    expect(shown(await bench.load(client, theirs))).toEqual(["two", "to two"]);
  });
});

describe("turns that were made in the agent's own program between two loads", () => {
  for (const [at, replays] of (["before", "behind"] as const).entries()) {
    const tags = at === 0 ? [] : ["long"];
    it(
      `are taken in once, in their order, and marked (replay ${replays} the answer) [REQ attach-own-program]`,
      { tags },
      async () => {
        const bench = new Bench({ replays });
        const first = await bench.through();
        const sessionId = await first.newSession(bench.cwd);
        await say(first, sessionId, "one");
        const theirs = await bench.agentsId(first, sessionId);
        await harness.stop(first.program);
        await bench.alone(async (client) => {
          await bench.open(client, "load", theirs);
          await say(client, theirs, "two", [said("to two"), call]);
          await say(client, theirs, "three");
        });
        for (let round = 0; round < 2; round += 1) {
          const client = await bench.through();
          const loaded = await bench.load(client, sessionId);
          expect(shown(loaded)).toEqual(["one", "to one", "two", "to two", "tool_call", "three", "to three"]);
          expect(loaded.map(isMarked)).toEqual([false, false, true, true, true, true, true]);
          if (round > 0) await say(client, sessionId, "four");
          await harness.stop(client.program);
        }
        const last = await bench.through();
        const loaded = await bench.load(last, sessionId);
        expect(shown(loaded).slice(-4)).toEqual(["three", "to three", "four", "to four"]);
        expect(loaded.slice(-2).map(isMarked)).toEqual([false, false]);
      },
    );
  }

  it("are taken in by a prompt without a load, too", async () => {
    const bench = new Bench();
    const first = await bench.through();
    const sessionId = await first.newSession(bench.cwd);
    await say(first, sessionId, "one");
    const theirs = await bench.agentsId(first, sessionId);
    await harness.stop(first.program);
    await bench.alone(async (client) => {
      await bench.open(client, "load", theirs);
      await say(client, theirs, "two");
    });
    const second = await bench.through();
    await say(second, sessionId, "three");
    const loaded = shown(await bench.load(second, sessionId));
    expect(loaded.toSorted()).toEqual(["one", "three", "to one", "to three", "to two", "two"]);
    expect(loaded.slice(-1)).toEqual(["to three"]);
    await harness.stop(second.program);
    // The agent has them in another order than the journal, and nothing twice.
    const third = await bench.through();
    expect(shown(await bench.load(third, sessionId))).toEqual(loaded);
  });

  for (const [at, replays] of (["before", "behind"] as const).entries()) {
    const tags = at === 0 ? [] : ["long"];
    it(
      `with words that were said before are new, where they were answered anew (replay ${replays} the answer) [REQ attach-own-program]`,
      { tags },
      async () => {
        const bench = new Bench({ replays });
        const first = await bench.through();
        const sessionId = await first.newSession(bench.cwd);
        for (const mark of ["one", "go on", "two"]) await say(first, sessionId, mark);
        await harness.stop(first.program);
        changed(bench, (facts) => {
          const again = (at: number, answer: string) => [facts[at] ?? {}, { update: said(answer) }];
          // The same words with the same answer may be a second replay, and nothing is shown twice for that.
          return [...facts, ...again(2, "and on"), ...again(0, "another answer"), ...again(2, "and on")];
        });
        for (let round = 0; round < 2; round += 1) {
          const client = await bench.through();
          const loaded = await bench.load(client, sessionId);
          expect(shown(loaded).slice(6)).toEqual(["go on", "and on", "one", "another answer"]);
          expect(loaded.map(isMarked).slice(5)).toEqual([false, true, true, true, true]);
          await harness.stop(client.program);
        }
      },
    );
  }
});

/** Changes the agent's memory as its own program would: a line of the state is a fact of a session. */
function changed(bench: Bench, change: (facts: object[]) => object[]): void {
  const lines = readFileSync(bench.state, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { id: string; fact?: object });
  const opened = lines.filter(({ fact }) => fact === undefined);
  const facts = change(lines.flatMap(({ fact }) => fact ?? []));
  const id = opened[0]?.id;
  const now = [...opened, ...facts.map((fact) => ({ id, fact }))];
  writeFileSync(bench.state, now.map((line) => `${JSON.stringify(line)}\n`).join(""));
}

describe("a session that the agent has changed by itself", () => {
  const summary = { prompt: [{ type: "text", text: "Summary of what was said" }] };
  const changes = {
    compacted: (facts: object[]) => [summary, ...facts.slice(4)],
    rewound: (facts: object[]) => facts.slice(0, 4),
    cleared: () => [summary],
  };
  for (const [what, change] of Object.entries(changes))
    it(
      `(${what}) is shown as it was, and that it differs is told, and logged`,
      { tags: what === "rewound" ? [] : ["long"] },
      async () => {
        const bench = new Bench();
        const first = await bench.through();
        const sessionId = await first.newSession(bench.cwd);
        for (const mark of ["one", "two", "three"]) await say(first, sessionId, mark);
        await harness.stop(first.program);
        changed(bench, change);
        const second = await bench.through();
        const whole = ["one", "to one", "two", "to two", "three", "to three"];
        expect(shown(await bench.load(second, sessionId))).toEqual([...whole, "(differs)"]);
        expect(second.program.stderr).toContain("differs from the journal");
        // Told, and no part of the history.
        expect(shown(await bench.load(second, sessionId))).toEqual(whole);
      },
    );

  it("and went on with has the new turns behind what was shown", async () => {
    const bench = new Bench();
    const first = await bench.through();
    const sessionId = await first.newSession(bench.cwd);
    for (const mark of ["one", "two"]) await say(first, sessionId, mark);
    const theirs = await bench.agentsId(first, sessionId);
    await harness.stop(first.program);
    changed(bench, (facts) => facts.slice(0, 2));
    await bench.alone(async (client) => {
      await bench.open(client, "load", theirs);
      await say(client, theirs, "instead");
    });
    const second = await bench.through();
    const loaded = await bench.load(second, sessionId);
    expect(shown(loaded)).toEqual(["one", "to one", "two", "to two", "instead", "to instead", "(differs)"]);
  });
});
