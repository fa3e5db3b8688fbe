import fc from "fast-check";
import { afterEach, expect, it } from "vitest";
import { EntryReader } from "../../../src/history/search/entry-text.ts";
import { matchesIn } from "../../../src/history/search/matching.ts";
import { parseQuery } from "../../../src/history/search/query.ts";
import { chunk, compaction, end, plan, thought, tool } from "../../session/entries.ts";
import { onStores } from "../../session/every-store.ts";
import { asks, rigOn, says, scratch } from "./rig.ts";

onStores({ long: ["file", "layered"] }, (open) => {
  const cacheFolder = scratch();
  const rigs: { close: () => Promise<void> }[] = [];
  afterEach(async () => {
    for (const each of rigs.splice(0)) await each.close();
  });
  const rig = async () => {
    const made = rigOn(await open(), cacheFolder);
    rigs.push(made);
    return made;
  };

  it("finds what was said, thought, done and planned, each by its role", async () => {
    const { session, found } = await rig();
    const id = await session([
      asks("please find the lantern"),
      thought("a lantern might glow"),
      tool({ title: "Read lantern.ts", locations: [{ path: "/home/ada/src/lantern.ts" }] }, "tool_call"),
      plan("light the lantern"),
      says("The Lantern is lit."),
      compaction({ summary: [{ type: "text", text: "lantern work" }], status: "completed" }),
      end,
    ]);
    expect(await found("lantern", { in: id })).toEqual([6, 5, 4, 3, 2, 1].map((seq) => `${id}:${seq}`));
    const roles = ["user", "thought", "tool", "plan", "assistant", "summary"] as const;
    for (const [i, role] of roles.entries())
      expect(await found("lantern", { role })).toEqual([`${id}:${i + 1}`]);
    expect(await found("src/lantern.ts")).toEqual([`${id}:3`]);
    expect(await found("absent")).toEqual([]);
  });

  it("gives sessions with the newest activity first, a few hits of each, and says that there are more", async () => {
    const { session, add, searcher } = await rig();
    const first = await session([asks("apple one"), says("apple two")], {}, 1_000_000);
    const second = await session(
      Array.from({ length: 5 }, (_, n) => asks(`apple ${n}`)),
      {},
      2_000_000,
    );
    const shown = async (limit: number) => {
      const { sessions, isMore } = await searcher.search("apple", { limit });
      return [sessions.map(({ id, hits, isMore: more }) => [id, hits.map(({ seq }) => seq), more]), isMore];
    };
    expect(await shown(20)).toEqual([
      [
        [second, [5, 4, 3], true],
        [first, [2, 1], false],
      ],
      true,
    ]);
    expect(await shown(2)).toEqual([[[second, [5, 4], true]], true]);
    await add(first, [says("pear")]);
    expect((await shown(20))[0]).toEqual([
      [first, [2, 1], false],
      [second, [5, 4, 3], true],
    ]);
  });

  it("keeps up with what is sealed, and does not find what is not final", async () => {
    const { session, add, found, searcher } = await rig();
    const id = await session([asks("first melon")]);
    expect(await found("melon")).toEqual([`${id}:1`]);
    await add(id, [says("second melon"), end]);
    expect(await found("melon")).toEqual([`${id}:2`, `${id}:1`]);
    expect((await searcher.search("melon")).indexed).toBe(0);
  });

  it("does not find what is deleted or in the trash, and finds again what is restored", async () => {
    const { session, found, registry } = await rig();
    const [kept, trashed, deleted] = [
      await session([asks("plum")], {}, 1000),
      await session([asks("plum")], {}, 2000),
      await session([asks("plum")], {}, 3000),
    ];
    expect(await found("plum")).toEqual([`${deleted}:1`, `${trashed}:1`, `${kept}:1`]);
    await registry.remove(trashed);
    await registry.delete(deleted);
    expect(await found("plum")).toEqual([`${kept}:1`]);
    await registry.trash.restore(trashed);
    expect([...(await found("plum"))].sort()).toEqual([`${kept}:1`, `${trashed}:1`].sort());
  });

  it("finds what a fork inherits once: in its parent, and in the fork when the parent is gone", async () => {
    const { session, add, found, registry, store } = await rig();
    const parent = await session([asks("old cherry"), says("older cherry")]);
    const fork = (await registry.fork(parent)).id;
    await add(fork, [asks("new cherry")]);
    const later = (await registry.fork(parent, 1)).id;
    await add(later, [asks("other cherry")]);
    const all = (heir: string) => [`${heir}:1`, `${heir}:2`, `${fork}:3`, `${later}:2`].sort();
    expect([...(await found("cherry", { perSession: 9 }))].sort()).toEqual(all(parent));
    await registry.delete(parent);
    expect([...(await found("cherry", { perSession: 9 }))].sort()).toEqual(all(fork));
    // The same for an index that has never seen the parent.
    const anew = rigOn(store);
    rigs.push(anew);
    const sorted = [...(await anew.found("cherry", { perSession: 9 }))].sort();
    expect(sorted).toHaveLength(4);
    expect(new Set(sorted.map((address) => address.split(":")[1]))).toEqual(new Set(["1", "2", "3"]));
  });

  it("filters by folder, agent and time", async () => {
    const { session, found } = await rig();
    const day = (text: string) => Date.parse(text);
    const agent = { info: { name: "gemini-cli", title: "Gemini CLI" } };
    const a = await session([asks("fig")], { cwd: "/home/ada/a", agent }, day("2026-01-31T23:59:59Z"));
    const b = await session([asks("fig")], { cwd: "/home/ada/b" }, day("2026-02-01T00:00:00Z"));
    const c = await session([asks("fig"), says("fig")], { cwd: "/home/ada/b" }, day("2026-03-05T10:00:00Z"));
    expect(await found("fig", { cwd: "/home/ada/a/" })).toEqual([`${a}:1`]);
    expect(await found("fig", { agent: "GEMINI" })).toEqual([`${a}:1`]);
    expect(await found("fig", { sinceMs: day("2026-02-01T00:00:00Z") })).toEqual([
      `${c}:2`,
      `${c}:1`,
      `${b}:1`,
    ]);
    expect(await found("fig", { untilMs: day("2026-02-01T00:00:00Z") })).toEqual([`${a}:1`]);
    const february = { sinceMs: day("2026-01-15T12:00:00Z"), untilMs: day("2026-03-05T10:00:00Z") };
    expect(await found("fig", february)).toEqual([`${b}:1`, `${a}:1`]);
    expect(await found("fig", { cwd: "/home/ada/b", role: "assistant" })).toEqual([`${c}:2`]);
  });

  it("leaves out what a rewind has superseded, unless it is asked for", async () => {
    const { session, add, found, store } = await rig();
    const id = await session([asks("grape one"), says("grape two")]);
    const { settings } = (await store.get(id))!;
    await store.update(id, { settings: { ...settings, rewinds: [{ at: 3, toSeq: 1 }] } });
    await add(id, [{ kind: "rewind", data: { toSeq: 1 } }, says("grape three")]);
    expect(await found("grape")).toEqual([`${id}:4`, `${id}:1`]);
    expect(await found("grape", { superseded: true })).toEqual([`${id}:4`, `${id}:2`, `${id}:1`]);
  });

  it("leaves out what is archived, unless it is asked for", async () => {
    const { session, found, registry } = await rig();
    const id = await session([asks("a quince")]);
    await registry.archive(id);
    expect(await found("quince")).toEqual([]);
    expect(await found("quince", { archived: true })).toEqual([`${id}:1`]);
    expect(await found("quince", { in: id })).toEqual([`${id}:1`]);
    expect(await found("quince", { in: id, archived: false })).toEqual([]);
    await registry.unarchive(id);
    expect(await found("quince")).toEqual([`${id}:1`]);
  });

  it("finds a subagent's words in the session that it works for, and an echo of the prompt not at all", async () => {
    const { session, found } = await rig();
    const ofChild = {
      "acp-sidecar.child": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
      update: says("a kiwi, says the child"),
    };
    const id = await session([
      asks("kiwi?"),
      chunk("kiwi?", undefined, "user_message_chunk"),
      { ...says("nothing") },
      { kind: "update", data: ofChild } as never,
    ]);
    expect(await found("kiwi")).toEqual([`${id}:4`, `${id}:1`]);
  });

  it("finds nothing that was compacted, and all of it when that is undone", async () => {
    const { session, registry, searcher, found } = await rig();
    const output = (word: string) => [
      { type: "content", content: { type: "text", text: `${word} ${"x ".repeat(400)}` } },
    ];
    const id = await session([
      asks("look for treasure"),
      thought(`treasure may be buried ${"deep ".repeat(80)}`),
      tool({ title: "Dig", status: "completed", content: output("treasure") }, "tool_call"),
      end,
      asks("and now"),
      end,
    ]);
    const all = [`${id}:3`, `${id}:2`, `${id}:1`];
    expect(await found("treasure")).toEqual(all);
    await registry.compact(id, { beforeSeq: 5 });
    // It is known by what stands there now, not by an index that was brought up to date before.
    expect(await found("treasure")).toEqual([`${id}:1`]);
    expect((await searcher.search("treasure")).indexed).toBe(0);
    await searcher.forget(id);
    expect(await found("treasure")).toEqual([`${id}:1`]);
    expect(await found("compacted")).toEqual([]);
    expect(await found("dig")).toEqual([`${id}:3`]);
    await registry.compaction.undo(id);
    await searcher.forget(id);
    expect(await found("treasure")).toEqual(all);
    await registry.compact(id, { beforeSeq: 5 });
    const other = await session([asks("elsewhere")]);
    await registry.delete(other);
    // Whoever goes through all sessions sees that its words are others.
    expect((await searcher.search("elsewhere")).indexed).toBe(3);
    expect(await found("buried")).toEqual([]);
  });

  it("finds what a plain scan finds, whatever is looked for", { timeout: 60_000 }, async () => {
    const { session, searcher, store } = await rig();
    const ids = [];
    for (const texts of corpus)
      ids.push(await session(texts.map((text, n) => (n % 2 === 0 ? asks(text) : says(text)))));
    const entries = new Map<string, string>();
    for (const id of ids)
      for await (const page of store.read(id))
        for (const entry of page)
          entries.set(`${id}:${entry.seq}`, new EntryReader().read(entry)?.text ?? "");
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...queries), { minLength: 1, maxLength: 3 }),
        async (parts) => {
          const query = parts.join(" ");
          if (parts.every((part) => part.startsWith("-"))) return;
          const { sessions } = await searcher.search(query, { limit: 1000, perSession: 1000 });
          const found = sessions.flatMap(({ hits }) => hits.map(({ address }) => address));
          const scanned = [...entries].filter(([, text]) => matchesIn(text, parseQuery(query)) !== undefined);
          expect([query, found.sort()]).toEqual([query, scanned.map(([address]) => address).sort()]);
        },
      ),
      { numRuns: 60 },
    );
  });
});

const corpus = [
  ["fix parseHTTPHeader in src/net/http.ts", "The header parser is in HTTP2Server; see parse_header."],
  ["東京タワーへ行く", "今日は東京で日本語を話す"],
  ["naïve café, Straße", "a naive cafe in the STRASSE", "userId equals user_id"],
  ["hello big wide world", "world hello", "say hello to the world"],
  ["put it in to the box", "in the box, not to be", "inTo THE — tó bé", "to be in"],
];
const queries =
  'parse header parseHTTPHeader parseht* http hello world "hello big" -big -"world hello" 東京 東 日本語 タワー cafe STRASSE user userid userId src/net naive* wor* "in to" "to be" "to the" -"in to" in_to in/t*'
    .match(/-?"[^"]*"|\S+/g)!
    .slice();
