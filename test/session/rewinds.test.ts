/** What counts after rewinds: by a simple model, in every store. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SessionId } from "../../src/base/ids.ts";
import { supersededOf } from "../../src/session/rewinds.ts";
import { countingIn, isSuperseded } from "../../src/session/stretches.ts";
import type { NewEntry, Rewind, Store } from "../../src/store/contract.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { aSession, anEntry, leaseOf, mustGet } from "../conformance/samples.ts";
import { onEveryStore } from "./every-store.ts";
import { all, registryOf } from "./registry-rig.ts";

const rewindEntry = (toSeq: number): NewEntry =>
  anEntry("", { kind: "rewind", data: JSON.stringify({ toSeq }) });
const said = (text: string): NewEntry =>
  anEntry("", { kind: "message", data: JSON.stringify({ role: "user", content: [{ type: "text", text }] }) });

/** A session with these entries, sealed: numbers are rewinds. Its record tells of all of them. */
async function told(store: Store, entries: readonly (string | number)[], more: readonly Rewind[] = []) {
  const rewinds = entries.flatMap((each, i) =>
    typeof each === "number" ? [{ at: i + 1, toSeq: each }] : [],
  );
  const { id } = await store.create(aSession({ settings: { rewinds: [...more, ...rewinds] } }));
  const lease = await leaseOf(store, id);
  const journal = entries.map((each) => (typeof each === "number" ? rewindEntry(each) : said(each)));
  await store.seal(id, { from: 1, head: 0 }, journal, lease);
  await store.release(lease);
  return id;
}

/** The slow way: the seqs that count when `head` is the last entry. */
function countingAt(entries: readonly (string | number)[], head: number): number[] {
  const views: number[][] = [[]];
  for (const [at, each] of entries.slice(0, head).entries())
    views.push(typeof each === "number" ? (views[each] ?? []) : [...(views[at] ?? []), at + 1]);
  return views.at(-1) ?? [];
}

async function foundAt(store: Store, id: SessionId, head: number): Promise<number[]> {
  const superseded = await supersededOf(store, await mustGet(store, id), head);
  const counting = [...countingIn(superseded, { through: head })].flatMap(({ from, through }) =>
    Array.from({ length: through - from + 1 }, (_, i) => from + i),
  );
  const each = Array.from({ length: head }, (_, i) => i + 1);
  expect(each.filter((seq) => !isSuperseded(superseded, seq))).toEqual(counting);
  return counting;
}

describe("what counts", () => {
  it("is what counted at the place that was gone back to, whatever is rewound, undone and rewound again", async () => {
    const acts = fc.array(fc.option(fc.nat(100), { nil: undefined, freq: 2 }), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(acts, async (places) => {
        const entries = places.map((place, at) =>
          place === undefined ? `entry ${at + 1}` : place % (at + 1),
        );
        const store = openMemoryStore();
        const id = await told(store, entries);
        for (let head = 0; head <= entries.length; head += 1)
          expect(await foundAt(store, id, head)).toEqual(countingAt(entries, head));
      }),
      { numRuns: 200 },
    );
  });

  it("is asked of a part of the session, too", () => {
    const superseded = [
      { from: 3, through: 5 },
      { from: 6, through: 6 },
      { from: 9, through: 10 },
    ];
    const of = (from: number, through: number) => [...countingIn(superseded, { from, through })];
    expect(of(1, 12)).toEqual([
      { from: 1, through: 2 },
      { from: 7, through: 8 },
      { from: 11, through: 12 },
    ]);
    expect(of(4, 7)).toEqual([{ from: 7, through: 7 }]);
    expect(of(3, 6)).toEqual([]);
    expect(of(9, 10)).toEqual([]);
  });

  it("is not bent by a record that tells of rewinds which were never made", async () => {
    const store = openMemoryStore();
    const lies: Rewind[] = [
      { at: 2, toSeq: 0 },
      { at: 4, toSeq: 0 },
      { at: 9, toSeq: 1 },
      { at: 3, toSeq: 7 },
      { at: 3, toSeq: -1 },
    ];
    const id = await told(store, ["one", "two", "three", 1, "five"], lies);
    expect(await foundAt(store, id, 5)).toEqual([1, 5]);
  });
});

onEveryStore((open) => {
  it("messages leave out what does not count; a fork has of its parent's rewinds those before it", async () => {
    const store = await open();
    const { registry } = registryOf({ store });
    const id = await told(store, ["one", "two", "three", 1, "four", 3, "five"]);
    const texts = async (of: SessionId) =>
      (await all(registry.messages(of))).map(({ content }) => (content[0] as { text: string }).text);
    expect(await texts(id)).toEqual(["one", "two", "three", "five"]);
    expect(await registry.superseded(id)).toEqual([{ from: 4, through: 6 }]);
    for (const [atSeq, counts] of [
      [3, ["one", "two", "three"]],
      [4, ["one"]],
      [5, ["one", "four"]],
      [6, ["one", "two", "three"]],
    ] as const) {
      const fork = await registry.fork(id, atSeq);
      await registry.addMessage(fork.id, { role: "user", content: "mine" });
      expect(await texts(fork.id)).toEqual([...counts, "mine"]);
      const forkOfFork = await registry.fork(fork.id);
      expect(await texts(forkOfFork.id)).toEqual([...counts, "mine"]);
    }
    expect((await registry.fork(id, 3)).settings).toEqual({});
  });
});
