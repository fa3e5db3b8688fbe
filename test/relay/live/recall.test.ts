import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withChild } from "../../../src/acp/child-mark.ts";
import { updateIn, updateOfParams, type ArrivedUpdate } from "../../../src/acp/updates.ts";
import { handoverPreamble } from "../../../src/relay/live/handed-over.ts";
import { KnownTurns } from "../../../src/relay/live/known-turns.ts";
import { Recall, type RecallMode } from "../../../src/relay/live/recall.ts";
import { keyOf } from "../../../src/relay/live/words.ts";
import { betweenTags } from "../../../src/session/history-text.ts";
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

const entriesOf = (updates: readonly Update[]): Entry[] =>
  updates.map((update, at) => ({ seq: at + 1, atMs: 0, kind: "update", data: JSON.stringify({ update }) }));

async function* pages(entries: readonly Entry[]) {
  yield entries;
}

const recallOf = (mode: RecallMode, ...updates: readonly Update[]) =>
  new Recall(() => KnownTurns.in(pages(entriesOf(updates))), mode);

const arrived = (said: readonly Update[]) => said.map((update) => updateOfParams({ sessionId: "a", update }));

const plain = (news: readonly ArrivedUpdate[]) =>
  news.map((each) => {
    if (each.type === "chunks") throw new Error("a run of chunks");
    return updateIn(each);
  });

function recalling(...updates: readonly Update[]): (said: readonly Update[]) => Promise<unknown[]> {
  const recall = recallOf("compare", ...updates);
  return async (said) => plain(await recall.news(arrived(said)));
}

describe("what an agent replays", () => {
  it("is no news of a kind that nobody knows, nor of a subagent whatever it is called", async () => {
    const odd = { sessionUpdate: "_odd/sparkle", n: 1 };
    const known = [
      chunk("user", "go"),
      odd,
      { sessionUpdate: "subagent_update", sessionId: "A", title: "Reader" },
      chunk("agent", "I wait"),
    ];
    const entries: Entry[] = entriesOf(known);
    const child = withChild(JSON.stringify({ update: chunk("agent", "I read") }), "A");
    entries.push({ seq: 5, atMs: 0, kind: "update", data: child });
    const recall = new Recall(() => KnownTurns.in(pages(entries)), "compare");
    const [user, unknown, announced, agent] = arrived(known) as [ArrivedUpdate, ...ArrivedUpdate[]];
    const renamed = arrived([{ sessionUpdate: "subagent_update", sessionId: "B", title: "Reader" }]);
    const pieces = arrived(["I r", "ead"].map((text) => chunk("agent", text)));
    const [first, second] = pieces.map((each) => ({ ...each, child: "B" }));
    const all = [user, unknown, announced, ...renamed, first, agent, second];
    expect(await recall.news(all.flatMap((each) => each ?? []))).toEqual([]);
    const fresh = arrived([{ ...odd, n: 2 }, chunk("agent", "I read")]).map((each) => ({
      ...each,
      child: "B",
    }));
    expect(plain(await recall.news(fresh))).toEqual([]);
  });

  it("is no news of turns that went on side by side, in whichever order they are replayed", async () => {
    const sayings = fc.array(fc.tuple(fc.boolean(), fc.string({ minLength: 1, maxLength: 6 })), {
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(
        sayings,
        fc.nat(12),
        fc.boolean(),
        fc.boolean(),
        async (said, second, isLate, isSwapped) => {
          const prompt = (text: string) => ({
            kind: "prompt" as const,
            data: JSON.stringify({ prompt: [{ type: "text", text }] }),
          });
          const end = { kind: "end" as const, data: JSON.stringify({ result: { stopReason: "end_turn" } }) };
          const spoken = said.map(([, text]) => ({
            kind: "update" as const,
            data: JSON.stringify({ update: chunk("agent", text) }),
          }));
          const at = Math.min(second, said.length);
          const journal = [prompt("p"), ...spoken.slice(0, at), prompt("q"), ...spoken.slice(at), end, end];
          const entries = journal.map((entry, i): Entry => ({ ...entry, seq: i + 1, atMs: 0 }));
          const recall = new Recall(() => KnownTurns.in(pages(entries)), isLate ? "compare" : "swallow");
          // Before the second prompt only the first one is answered.
          const of = (isSecond: boolean) =>
            said
              .filter(([which], i) => (i >= at && which) === isSecond)
              .map(([, text]) => chunk("agent", text));
          const turns = [
            [chunk("user", "p"), ...of(false)],
            [chunk("user", "q"), ...of(true)],
          ];
          const replayed = (isSwapped ? turns.toReversed() : turns).flat();
          expect(plain(await recall.news(arrived(replayed)))).toEqual([]);
          const { news } = recall.conclude({ lacksHistory: false, beganEmpty: false });
          expect([...plain(news), ...plain(recall.rest())]).toEqual([]);
        },
      ),
    );
  });

  it("is news once, also where the agent replays all of it once more", async () => {
    const news = recalling(chunk("user", "go"), chunk("agent", "I went"));
    const elsewhere = [chunk("user", "and back"), chunk("agent", "I came back")];
    const replay = [chunk("user", "go"), chunk("agent", "I went"), ...elsewhere];
    expect(await news(replay)).toHaveLength(2);
    expect(await news(replay)).toEqual([]);
    expect(await news([chunk("user", "and rest"), chunk("agent", "I rest")])).toHaveLength(2);
  });

  it("is no news where the journal has put a message together that was said in two pieces", async () => {
    // By its id the message is one in the journal, where it began.
    const news = recalling(chunk("user", "go"), chunk("agent", "one two three"), chunk("agent", "between"));
    const said = ["one two", "between", " three"].map((text) => chunk("agent", text));
    expect(await news([chunk("user", "go"), ...said])).toEqual([]);
  });

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

const remembering = { lacksHistory: false, beganEmpty: false };

describe("what an agent says before the next prompt that is the beginning of something known", () => {
  it("is news when it ends there", async () => {
    const recall = recallOf("pass", chunk("user", "one"), chunk("agent", "hello, world"));
    expect(await recall.news(arrived([chunk("agent", "hello")]))).toEqual([]);
    expect(plain(recall.rest())).toEqual([chunk("agent", "hello")]);
    expect(await recall.news(arrived([chunk("agent", "hello"), call("t", "pending")]))).toHaveLength(2);
  });
});

describe("a replay with turns that the journal does not have", () => {
  const words = fc.string({ minLength: 1, maxLength: 8 }).filter((text) => text.trim() !== "");
  const turns = fc.array(fc.tuple(words, words), { minLength: 1, maxLength: 6 });
  const cutAt = (text: string, at: number) => [text.slice(0, at % text.length), text.slice(at % text.length)];
  const said = (all: readonly (readonly [string, string])[], cuts: readonly number[]): Update[] =>
    all.flatMap(([asked, answer], turn) =>
      [["user", asked] as const, ["agent", answer] as const].flatMap(([role, text]) =>
        cutAt(text, cuts[turn] ?? 0)
          .filter(Boolean)
          .map((part) => chunk(role, part)),
      ),
    );
  const textOf = (updates: readonly Update[]) =>
    updates.map(({ content }) => (content as { text: string }).text).join("");

  it("brings those, marked, and nothing else, wherever its messages are cut", async () => {
    await fc.assert(
      fc.asyncProperty(
        turns,
        fc.array(turns, { maxLength: 1 }),
        fc.array(fc.nat(9)),
        async (ours, more, cuts) => {
          const theirs = more.flat().map(([asked, answer], at) => [`new ${at} ${asked}`, answer] as const);
          const recall = recallOf("swallow", ...said(ours, []));
          const replay = said([...ours, ...theirs], cuts);
          const news = [...(await recall.news(arrived(replay)))];
          const { news: late, differs } = recall.conclude(remembering);
          const all = [...news, ...late];
          expect(textOf(plain(all))).toBe(textOf(said(theirs, [])));
          for (const each of all) expect(JSON.stringify(each)).toContain('{\\"origin\\":\\"agent\\"}');
          expect(differs).toBe(false);
        },
      ),
    );
  });

  it("brings nothing when all of it is put otherwise than it was said", async () => {
    const ours = said(
      [
        ["one", "first"],
        ["two", "second"],
      ],
      [],
    );
    const recall = recallOf("swallow", ...ours);
    const theirs = said(
      [
        ["<q>one</q>", "1st"],
        ["<q>two</q>", "2nd"],
        ["<q>three</q>", "3rd"],
      ],
      [],
    );
    expect(await recall.news(arrived(theirs))).toEqual([]);
    expect(recall.conclude(remembering)).toEqual({ news: [], differs: true });
  });

  it.each([
    ["one after the other", ["", "one", "two"]],
    ["that ends within a piece", ["one", "two"]],
  ])(
    "brings those behind a handover, also where nothing was answered: %s",
    async (_what, [first = "", ...more]) => {
      const handover = betweenTags(`${handoverPreamble}\n\nzero`);
      const recall = recallOf("swallow", ...said([["zero", "none"]], []), chunk("user", "one"));
      const replay = [`${handover}${first}`, ...more].map((text) => chunk("user", text));
      const early = await recall.news(arrived(replay));
      const { news, differs } = recall.conclude({ lacksHistory: true, beganEmpty: false });
      expect([plain([...early, ...news]), differs]).toEqual([[chunk("user", "two")], false]);
    },
  );

  it("brings those of a session that the agent never had the conversation of", async () => {
    const recall = recallOf("swallow", ...said([["one", "first"]], []));
    await recall.news(arrived(said([["two", "second"]], [])));
    const { news, differs } = recall.conclude({ lacksHistory: true, beganEmpty: true });
    expect([textOf(plain(news)), differs]).toEqual(["twosecond", false]);
  });

  it("is compared without a memory that grows with the history", async () => {
    const count = 6000;
    const many = Array.from({ length: count }, (_, at) => [`asked ${at}`, `answer ${at}`] as const);
    const known = await KnownTurns.in(pages(entriesOf(said(many, []))));
    const placeOf = (text: string) => known.placeOf(keyOf([{ text }]), 0);
    expect([placeOf("asked 0"), placeOf("asked 1000")]).toEqual([undefined, undefined]);
    expect([placeOf("asked 2000"), placeOf("asked 5999")]).toEqual([2000, 5999]);
    expect(known.isCut).toBe(true);
    // Not to be held: more than a few megabytes, in a session that has nothing in common with the journal.
    const recall = new Recall(async () => known, "swallow");
    const big = "x".repeat(1 << 20);
    for (let at = 0; at < 8; at += 1)
      expect(await recall.news(arrived([chunk("user", `strange ${at}`), chunk("agent", big)]))).toEqual([]);
    expect(recall.conclude(remembering)).toEqual({ news: [], differs: true });
  });
});

describe("a replay of words that are said again and again", () => {
  interface SaidTurn {
    readonly asked: string;
    readonly answer: string;
  }
  const turn: fc.Arbitrary<SaidTurn> = fc.record({
    asked: fc.constantFrom("yes", "go on", "why?"),
    answer: fc.constantFrom("Done.", "It is done now.", "It is"),
  });
  const turns = fc.array(turn, { minLength: 1, maxLength: 6 });
  const replayOf = (all: readonly SaidTurn[]): Update[] =>
    all.flatMap(({ asked, answer }) => [chunk("user", asked), chunk("agent", answer)]);
  const journalOf = (all: readonly SaidTurn[], isLastCut: boolean): Entry[] =>
    all
      .flatMap(({ asked, answer }, at) => {
        const isCut = isLastCut && at === all.length - 1;
        const heard = isCut ? answer.slice(0, 3) : answer;
        const result = { result: { stopReason: isCut ? "cancelled" : "end_turn" } };
        return [
          ["prompt", { prompt: [{ type: "text", text: asked }] }],
          ["update", { update: chunk("agent", heard) }],
          ["end", result],
        ] as const;
      })
      .map(([kind, data], at) => ({ seq: at + 1, atMs: 0, kind, data: JSON.stringify(data) }));
  const newsOf = async (entries: readonly Entry[], replay: readonly Update[], isLate: boolean) => {
    const recall = new Recall(() => KnownTurns.in(pages(entries)), "swallow");
    recall.isLate = isLate;
    const early = await recall.news(arrived(replay));
    const { news } = recall.conclude(remembering);
    return plain([...early, ...news, ...recall.rest()]);
  };

  it("brings nothing, however often, from where and in which order they are replayed, cut off or not", async () => {
    const bend = fc.record({
      front: fc.nat(3),
      times: fc.constantFrom(1, 2),
      swapAt: fc.option(fc.nat(5), { nil: undefined }),
      sayTwice: fc.option(fc.nat(5), { nil: undefined }),
      endAt: fc.nat(30),
      isLastCut: fc.boolean(),
      isLate: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        turns,
        bend,
        async (said, { front, times, swapAt, sayTwice, endAt, isLastCut, isLate }) => {
          const kept = said.slice(front % said.length);
          const [one, other] = [kept[swapAt ?? 9], kept[(swapAt ?? 9) + 1]];
          if (one && other) kept.splice(swapAt ?? 0, 2, other, one);
          const twice = kept[sayTwice ?? 9];
          if (twice) kept.splice(sayTwice ?? 0, 0, twice);
          const replay = replayOf(Array.from({ length: times }, () => kept).flat());
          const cut =
            times === 2 && endAt < kept.length * 2 ? replay.slice(0, kept.length * 2 + endAt) : replay;
          expect(await newsOf(journalOf(said, isLastCut), cut, isLate)).toEqual([]);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("brings nothing where it ends within an answer that was told to the same words", async () => {
    const said = ["x", "more x", "x"].map((answer) => ({ asked: "one", answer }));
    const again = [chunk("user", "one"), chunk("agent", "more")];
    expect(await newsOf(journalOf(said, false), [...replayOf(said), ...again], false)).toEqual([]);
  });

  describe("where prompts overlapped, and what was said to one stands under another in the journal", () => {
    /** @param order at each moment: 0 the next prompt comes, 1 the first of those that run goes on, 2 the last one */
    const overlapped = (all: readonly SaidTurn[], order: readonly number[]): Entry[] => {
      const journal: (readonly [Entry["kind"], object])[] = [];
      const running: { readonly words: string[] }[] = [];
      const coming = [...all];
      for (let at = 0; coming.length + running.length > 0; at += 1) {
        const now = order[at] ?? 1;
        const next = running.length === 0 || now === 0 ? coming.shift() : undefined;
        const one = running[now === 2 ? running.length - 1 : 0];
        const word = next === undefined ? one?.words.shift() : undefined;
        if (next !== undefined) {
          journal.push(["prompt", { prompt: [{ type: "text", text: next.asked }] }]);
          running.push({ words: next.answer.split(" ") });
        } else if (word !== undefined) journal.push(["update", { update: chunk("agent", word) }]);
        else if (one !== undefined) {
          journal.push(["end", { result: { stopReason: "end_turn" } }]);
          running.splice(running.indexOf(one), 1);
        }
      }
      return journal.map(([kind, data], at) => ({ seq: at + 1, atMs: 1, kind, data: JSON.stringify(data) }));
    };

    it("brings nothing of another replay behind the first", async () => {
      const said = ["x", "more x", "x", "x"].map((answer) => ({ asked: "one", answer }));
      const again = [chunk("user", "one"), chunk("agent", "more")];
      for (const isLate of [false, true])
        expect(await newsOf(overlapped(said, [0, 0]), [...replayOf(said), ...again], isLate)).toEqual([]);
    });

    it("brings nothing, from where, how often and in whichever order it was said", async () => {
      const answer = fc
        .array(fc.constantFrom("x", "y", "more"), { minLength: 1, maxLength: 2 })
        .map((words) => words.join(" "));
      const words = fc.record({ asked: fc.constantFrom("one", "two"), answer });
      const replay = fc.record({ front: fc.nat(4), again: fc.nat(4), end: fc.nat(20), isLate: fc.boolean() });
      await fc.assert(
        fc.asyncProperty(
          fc.array(words, { minLength: 2, maxLength: 5 }),
          fc.array(fc.nat(2), { maxLength: 20 }),
          replay,
          async (said, order, { front, again, end, isLate }) => {
            const first = replayOf(said.slice(front % said.length));
            const second = replayOf(said.slice(again % said.length)).slice(0, end);
            expect(await newsOf(overlapped(said, order), [...first, ...second], isLate)).toEqual([]);
          },
        ),
        { numRuns: 1000 },
      );
    });
  });

  it("brings what was answered anew behind the journal's end, and nothing else", async () => {
    const answer = fc.string({ minLength: 1, maxLength: 9 }).map((text) => `new ${text}`);
    const theirs = fc.uniqueArray(answer, {
      minLength: 1,
      maxLength: 4,
      selector: (text) => text.replace(/\s+/g, ""),
    });
    await fc.assert(
      fc.asyncProperty(
        turns,
        theirs,
        fc.array(fc.nat(5)),
        fc.boolean(),
        async (said, answers, asked, isLate) => {
          const more = answers.map((text, at) => ({
            asked: said[(asked[at] ?? 0) % said.length]?.asked ?? "",
            answer: text,
          }));
          const news = await newsOf(journalOf(said, false), replayOf([...said, ...more]), isLate);
          expect(news).toEqual(replayOf(more));
          const again = await newsOf(
            journalOf([...said, ...more], false),
            replayOf([...said, ...more]),
            isLate,
          );
          expect(again).toEqual([]);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("brings no prompt that is on its way: an agent that died may have kept it, and answered it unheard", async () => {
    const entries = journalOf([{ asked: "yes", answer: "Done." }], false);
    const onItsWay = {
      seq: 4,
      atMs: 0,
      kind: "prompt",
      data: '{"prompt":[{"type":"text","text":"no"}]}',
    } as const;
    const recall = new Recall(() => KnownTurns.in(pages([...entries, onItsWay]), 3), "swallow");
    const replay = replayOf([
      { asked: "yes", answer: "Done." },
      { asked: "no", answer: "Undone." },
    ]);
    expect(await recall.news(arrived(replay))).toEqual([]);
    expect(recall.conclude(remembering)).toEqual({ news: [], differs: false });
  });

  it("brings no summary twice that stands in the place of turns, where it is replayed twice", async () => {
    const said = ["one", "two", "three"].map((asked) => ({ asked, answer: `to ${asked}` }));
    const kept = replayOf([{ asked: "a summary", answer: "I see" }, ...said.slice(1)]);
    expect(await newsOf(journalOf(said, false), [...kept, ...kept], false)).toEqual([]);
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
