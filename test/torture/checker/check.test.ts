/** The checker, judged by hand-made histories: a sound one, and one for every way in which a rule can be broken. */
import { describe, expect, it } from "vitest";
import type { Update } from "../../e2e/harness/wire.ts";
import { check } from "./check.ts";
import { explain } from "./explain.ts";
import {
  answered,
  asked,
  asks,
  born,
  chunk,
  entry,
  exchange,
  find,
  id,
  lastId,
  mark,
  plan,
  prompted,
  refused,
  replayed,
  rulesOf,
  said,
  stored,
  title,
  told,
  tool,
  turn,
  updated,
  whole,
} from "./hand-made.ts";
import type { FoundSession, HistoryEvent } from "./history.ts";

describe("a history that keeps the promise", () => {
  it.each([
    ["folded", stored(...whole)],
    [
      "not folded yet",
      stored(
        prompted("c1"),
        updated(chunk("c1.m2.1")),
        updated(tool("c1.t1.1")),
        updated(chunk("c1.m2.2")),
        updated(tool("c1.t1.2")),
      ),
    ],
    ["with more than the client was sent", stored(...whole, updated(chunk("c1.m4.1")))],
    ["replayed", replayed(said("c1"), chunk("c1.m2.1", "c1.m2.2"), tool("c1.t1.3"))],
  ])("is accepted: %s", (_, session) => {
    expect(check(turn, find(session))).toEqual([]);
  });

  it("may end with a session that nobody was told of, or with one whose deletion was not answered", () => {
    const deleting = [...turn, ...asked("session/delete", { sessionId: id })];
    expect(check(asked("session/new", { cwd: "/" }), { sessions: new Map() })).toEqual([]);
    expect(check(deleting, find({}))).toEqual([]);
    expect(check(deleting, find(stored(...whole)))).toEqual([]);
  });

  it("may end without a session that nobody promised any more, but not with a broken one", () => {
    const unsure: HistoryEvent[] = [...turn, { kind: "unsure", sessionId: id }];
    expect(check(unsure, { sessions: new Map([[id, {}]]), listed: new Set() })).toEqual([]);
    expect(rulesOf(unsure, find(stored(...whole.slice(1))))).toEqual([1]);
  });
});

describe("rule 1: what was acknowledged is there", () => {
  it.each([
    ["the last chunk", stored(prompted("c1"), updated(chunk("c1.m2.1")), updated(tool("c1.t1.2")))],
    ["the prompt", stored(...whole.slice(1))],
    ["a whole message", stored(prompted("c1"), updated(tool("c1.t1.2")))],
    ["the last state of a tool call", stored(...whole.slice(0, 2), updated(tool("c1.t1.1")))],
    ["everything in the replay", replayed()],
    ["the session", {}],
    ["the session, by name", { failure: { code: "SESSION_NOT_FOUND", message: "no" } }],
    ["the way to read it", { failure: { code: "STORE_FAILED", message: "no" } }],
  ])("loses %s", (_, session) => {
    expect(rulesOf(turn, find(session))).toEqual([1]);
  });

  it("loses the place in the list", () => {
    expect(rulesOf(turn, { sessions: new Map(), listed: new Set() })).toEqual([1]);
  });

  it("loses the end of a turn that was answered", () => {
    const end = (name: string) => ({ stopReason: "end_turn", _meta: { stamp: mark(name) } });
    const prompt = [...born, ...asks("c9"), answered(lastId(), end("c9.e1.1"))];
    expect(check(prompt, find(stored(prompted("c9"), entry("end", { result: end("c9.e1.1") }))))).toEqual([]);
    expect(rulesOf(prompt, find(stored(prompted("c9"))))).toEqual([1]);
  });

  it("answers that a session is not there which nobody has deleted", () => {
    const history = [...turn, ...asked("session/load", { sessionId: id }), refused(lastId(), -32002)];
    expect(rulesOf(history, find(stored(...whole)))).toEqual([1]);
  });

  it("loses what a fork has inherited", () => {
    const forked = [...turn, ...exchange("session/fork", { sessionId: id }, { sessionId: "02FORK" })];
    const both = (fork: FoundSession) => ({ sessions: new Map([["02FORK", fork]]) });
    expect(check(forked, both(stored(...whole)))).toEqual([]);
    expect(rulesOf(forked, both(stored(...whole.slice(0, 2))))).toEqual([1]);
  });
});

describe("rule 2: nothing twice, in order, without a gap", () => {
  it.each([
    [
      "a chunk twice",
      [prompted("c1"), updated(chunk("c1.m2.1", "c1.m2.1", "c1.m2.2")), updated(tool("c1.t1.2"))],
    ],
    ["a whole message twice", [...whole, updated(chunk("c1.m2.1", "c1.m2.2"))]],
    ["a prompt twice", [prompted("c1"), ...whole]],
    ["chunks exchanged", [prompted("c1"), updated(chunk("c1.m2.2", "c1.m2.1")), updated(tool("c1.t1.2"))]],
    ["messages exchanged", [whole[0], whole[2], whole[1]].flatMap((each) => each ?? [])],
    ["the prompt behind its answer", [...whole.slice(1), prompted("c1")]],
    ["an older state of a tool call behind a newer one", [...whole, updated(tool("c1.t1.1"))]],
    ["what belongs to another session", [...whole, updated(chunk("c5.m1.1"))]],
  ])("has %s", (_, entries) => {
    expect(rulesOf(turn, find(stored(...entries)))).toEqual([2]);
  });

  it("has a hole in the numbers, and another head than entries", () => {
    const { stored: sound } = stored(...whole);
    if (sound === undefined) throw new Error("no session");
    const entries = sound.entries.map((each, at) => (at === 2 ? { ...each, seq: 4 } : each));
    expect(rulesOf(turn, find({ stored: { ...sound, entries } }))).toEqual([2]);
    expect(rulesOf(turn, find({ stored: { ...sound, headSeq: 4 } }))).toEqual([2]);
  });

  it("sends a chunk twice, or leaves one out, while it streams", () => {
    const first = [...born, ...asks("c1"), told(chunk("c1.m2.1"))];
    expect(rulesOf([...first, told(chunk("c1.m2.1"))], { sessions: new Map() })).toEqual([2]);
    expect(rulesOf([...first, told(chunk("c1.m2.3"))], { sessions: new Map() })).toEqual([2]);
  });

  it("keeps or repeats that an agent's memory differs, which is told and no history", () => {
    const notice: Update = {
      sessionUpdate: "agent_thought_chunk",
      content: { type: "text", text: "The agent's own memory differs." },
      messageId: "acp-sidecar:agent-history",
    };
    const shown = [said("c1"), chunk("c1.m2.1", "c1.m2.2"), tool("c1.t1.3")];
    expect(check(turn, find(replayed(...shown, notice)))).toEqual([]);
    expect(check(turn, find(replayed(...shown, notice, notice)))).not.toEqual([]);
    expect(check(turn, find(stored(...whole, updated(notice))))).not.toEqual([]);
  });

  it("shows a state that is out of date", () => {
    const history = [...born, ...asks("c1"), told(title("c1.s1.1")), told(title("c1.s2.1"))];
    expect(check(history, find(replayed(said("c1"), title("c1.s2.1"))))).toEqual([]);
    expect(rulesOf(history, find(replayed(said("c1"), title("c1.s1.1"))))).toEqual([2]);
  });
});

describe("rule 3: whole or not at all", () => {
  const batch: HistoryEvent = { kind: "batch", sessionId: id, stamps: ["c1.m4.1", "c1.m6.1"] };

  it("has a part of a batch", () => {
    const history = [...turn, batch];
    const [one, two] = [updated(chunk("c1.m4.1")), updated(chunk("c1.m6.1"))];
    expect(check(history, find(stored(...whole)))).toEqual([]);
    expect(check(history, find(stored(...whole, one, two)))).toEqual([]);
    expect(rulesOf(history, find(stored(...whole, one)))).toEqual([3]);
  });

  it("has a part of a text", () => {
    const torn: Update = {
      ...chunk("c1.m4.1"),
      content: { type: "text", text: mark("c1.m4.1", 7).slice(0, -1) },
    };
    expect(rulesOf(turn, find(stored(...whole, updated(torn))))).toEqual([3]);
  });

  it("is sealed beyond its end", () => {
    const { stored: sound } = stored(...whole);
    if (sound === undefined) throw new Error("no session");
    expect(rulesOf(turn, find({ stored: { ...sound, sealedSeq: 9 } }))).toEqual([3]);
  });
});

describe("rule 4: a deleted session never comes back", () => {
  const deleted = [...turn, ...exchange("session/delete", { sessionId: id }, {})];

  it("is there again: stored, replayed, listed, loaded", () => {
    expect(check(deleted, { sessions: new Map([[id, {}]]), listed: new Set() })).toEqual([]);
    expect(rulesOf(deleted, find(stored(...whole)))).toEqual([4]);
    expect(rulesOf(deleted, find(replayed(said("c1"))))).toEqual([4]);
    expect(rulesOf(deleted, { sessions: new Map(), listed: new Set([id]) })).toEqual([4]);
    const loaded = [...deleted, ...exchange("session/load", { sessionId: id }, {})];
    expect(rulesOf(loaded, { sessions: new Map() })).toEqual([4]);
  });

  it("is there again after a deletion that was first seen when the session was asked for", () => {
    const seenGone = [
      ...turn,
      ...asked("session/delete", { sessionId: id }),
      ...asked("session/load", { sessionId: id }),
      refused(lastId(), -32002),
    ];
    expect(rulesOf(seenGone, find(stored(...whole)))).toEqual([4]);
  });
});

describe("rule 5: damage is reported by name", () => {
  const damaged: HistoryEvent[] = [...turn, { kind: "broke", what: "a page was overwritten", damages: true }];

  it("accepts what is whole and what is reported", () => {
    expect(check(damaged, find(stored(...whole)))).toEqual([]);
    expect(check(damaged, find({ failure: { code: "STORE_CORRUPT", message: "entry 2" } }))).toEqual([]);
  });

  it.each([
    ["skips an entry in silence", stored(...whole.slice(0, 2))],
    ["skips a session in silence", { failure: { code: "SESSION_NOT_FOUND", message: "no" } }],
    ["calls damage by another name", { failure: { code: "INTERNAL", message: "oops" } }],
  ])("%s", (_, session) => {
    expect(rulesOf(damaged, find(session))).toEqual([5]);
  });
});

describe("the wire", () => {
  it("answers a request twice", () => {
    const history = [...exchange("session/list", {}, {}), answered(lastId(), {})];
    expect(rulesOf(history, { sessions: new Map() })).toEqual(["wire"]);
  });
});

describe("what looks wrong and is right", () => {
  it("plans of turns that run together, each of which took the other's place (kill-sidecar, seed long-file)", () => {
    const plans = ["c1.l1.1", "c2.l1.1", "c1.l1.2"].map((name) => told(plan(name)));
    const history = [...born, ...asks("c1"), ...asks("c2"), ...plans];
    const replay = replayed(said("c1"), said("c2"), plan("c2.l1.1"), plan("c1.l1.2"));
    expect(check(history, find(replay))).toEqual([]);
    expect(rulesOf(history, find(replayed(said("c1"), said("c2"))))).toEqual([1]);
  });

  it("states of turns that run together, the last of which is of the first turn (power-loss, seed e2)", () => {
    const titles = ["c1.s1.1", "c2.s1.1", "c1.s1.2"].map(title);
    const history = [...born, ...asks("c1"), ...asks("c2"), ...titles.map((each) => told(each))];
    const entries = [prompted("c1"), prompted("c2"), ...titles.map(updated)];
    expect(check(history, find(stored(...entries)))).toEqual([]);
    expect(rulesOf(history, find(stored(...entries.slice(0, -1))))).toEqual([2]);
  });
});

describe("what a fork must have of the state", () => {
  const [older, newer] = [title("c1.s1.1"), title("c2.s1.1")];
  const forked = exchange("session/fork", { sessionId: id }, { sessionId: "02FORK" });
  const fork = { sessions: new Map([["02FORK", stored(prompted("c1"), updated(older))]]) };

  it("is what the one who asks has seen: another holder's running turn is not in it (two-writers, seed ci)", () => {
    const elsewhere: HistoryEvent = { ...told(newer), client: "b2" } as HistoryEvent;
    expect(check([...born, ...asks("c1"), ...asks("c2"), told(older), elsewhere, ...forked], fork)).toEqual(
      [],
    );
  });

  it("is not what that one knows to be out of date", () => {
    expect(
      rulesOf([...born, ...asks("c1"), ...asks("c2"), told(older), told(newer), ...forked], fork),
    ).toContain(2);
  });
});

describe("an explanation", () => {
  it("shows no event that the violation does not need", () => {
    const noise = Array.from({ length: 200 }, (_, n) => [
      ...exchange("session/new", { cwd: "/" }, { sessionId: `03NOISE${n}` }),
      told(chunk(`n${n}.m1.1`), `03NOISE${n}`),
    ]).flat();
    const history = [...noise, ...turn, ...noise];
    const found = find(stored(prompted("c1"), updated(chunk("c1.m2.1")), updated(tool("c1.t1.2"))));
    const [violation] = check(history, found).filter(({ sessionId }) => sessionId === id);
    if (violation === undefined) throw new Error("nothing was found");
    const text = explain(history, found, violation);
    expect(text).toContain("rule 1: the client was sent c1.m2 up to 2, found up to 1");
    expect(text).toContain(`of ${history.length} events`);
    expect(text.split("\n").filter((line) => /[←→]/.test(line))).toHaveLength(3);
    expect(text).not.toContain("03NOISE");
    expect(text).toContain("entry 2 update");
  });
});
