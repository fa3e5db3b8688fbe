import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isOwnKind, linkIn, withLink, withoutLink } from "../../src/acp/chain-link.ts";
import { compactedFrom } from "../../src/acp/compacted.ts";
import { collect } from "../../src/session/pages.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import type { Entry, NewEntry } from "../../src/store/contract.ts";
import { chunk, newEntry, prompt } from "./entries.ts";
import { open, other, session, stored } from "./journal-rig.ts";
import { checked, checkedForward, doSteps, renumbered, type Step } from "./chain-rig.ts";

const parts = fc.nat(3);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: parts.map((n): Step => ({ do: "turn", parts: n })) },
  { weight: 1, arbitrary: parts.map((n): Step => ({ do: "old", parts: n })) },
  {
    weight: 5,
    arbitrary: fc
      .constantFrom("message", "rename", "archive", "compact", "undo", "fork", "rewind", "summary", "part")
      .map((what) => ({ do: what })),
  },
);
const steps = fc.array(step, { minLength: 1, maxLength: 14 });

type Change = (entries: readonly NewEntry[], at: number, other: number) => NewEntry[];

const changes: Readonly<Record<string, Change>> = {
  text: (entries, at) => entries.with(at, { ...entries[at]!, data: edited(entries[at]!.data) }),
  time: (entries, at) => entries.with(at, { ...entries[at]!, atMs: entries[at]!.atMs + 1 }),
  kind: (entries, at) =>
    entries.with(at, { ...entries[at]!, kind: entries[at]!.kind === "prompt" ? "message" : "prompt" }),
  removed: (entries, at) => entries.toSpliced(at, 1),
  cut: (entries, at, other) => entries.toSpliced(Math.min(at, other), Math.abs(at - other)),
  moved: (entries, at, other) => entries.toSpliced(at, 1).toSpliced(other, 0, entries[at]!),
  insert: (entries, at) => entries.toSpliced(at, 0, { kind: "update", atMs: 5, data: '{"update":{}}' }),
  double: (entries, at, other) => entries.toSpliced(at, 0, entries[other]!),
  /** A link of another one, or none any more. */
  linked: (entries, at, other) => {
    const link = linkIn(entries[other]!);
    const entry = entries[at]!;
    if (!isOwnKind(entry.kind)) return [...entries];
    return entries.with(
      at,
      link === undefined ? { ...entry, data: withoutLink(entry) } : withLink(entry, link),
    );
  },
  swap: (entries, at, other) => entries.with(at, entries[other]!).with(other, entries[at]!),
};

/** One letter of what was said, and never of a note or a link: these are told apart by themselves. */
const edited = (data: string) => data.replace(/[a-z](?=["\\ ])/, (letter) => (letter === "q" ? "z" : "q"));

const entriesOf = async (done: readonly Step[]): Promise<Entry[]> => {
  const store = openMemoryStore();
  const id = await doSteps(store, done);
  return collect(store.read(id));
};

/** An entry that no link is in is given the link that comes after it, which is about more than stands before. */
const twoUnlinked: Step[] = ["turn", "old", "turn", "old"].map((what) => ({ do: what, parts: 0 }) as Step);

/** A few of them with every change, and many with the long tests. */
describe.each([
  { name: "any session", tags: [], factor: 1 },
  { name: "many sessions", tags: ["long"], factor: 10 },
])("the chain of $name [issue 11.2]", ({ tags, factor }) => {
  it("holds, whatever was done to it", { tags, timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (done) => {
        const entries = await entriesOf(done);
        const { damage, linked } = checked(entries);
        expect(damage).toBeUndefined();
        const lastLink = entries.findLast((entry) => linkIn(entry) !== undefined);
        expect(linked?.through).toBe(lastLink?.seq);
        expect(checkedForward(entries)).toEqual(
          expect.objectContaining(linked === undefined ? {} : { linked }),
        );
        expect(checkedForward(entries).damage).toBeUndefined();
      }),
      { numRuns: 20 * factor },
    );
  });

  it("names the first entry that is not what it was", { tags, timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        steps,
        fc.constantFrom(...Object.keys(changes)),
        fc.nat(),
        fc.nat(),
        async (done, name, one, two) => {
          const before = await entriesOf(done);
          const { linked } = checked(before);
          fc.pre(linked !== undefined);
          const { from, through } = linked;
          const length = through - from + 1;
          const place = (n: number) => from - 1 + (n % length);
          const [at, other] = [place(one), place(two)];
          fc.pre(!(name === "text" && compactedFrom(before[at]!) !== undefined));
          const after = renumbered((changes[name] as Change)(before, at, other));
          const first = after.findIndex(
            ({ kind, atMs, data }, n) =>
              kind !== before[n]?.kind || atMs !== before[n].atMs || data !== before[n].data,
          );
          // Nothing tells of a newest link that is gone: only somebody who has kept it can.
          fc.pre(first >= 0 && first < through - 1);
          const { damage } = checked(after);
          expect(checkedForward(after).damage).toEqual(damage);
          expect(damage).toBeDefined();
          expect(damage!.from).toBeLessThanOrEqual(first + 1);
          expect(damage!.through).toBeGreaterThanOrEqual(first + 1);
          // Where no link is gone it is that entry and no other.
          const links = (of: readonly NewEntry[]) => of.filter((each) => linkIn(each) !== undefined).length;
          if (links(after) === links(before) && !["swap", "moved", "cut", "linked"].includes(name))
            expect(damage!.from).toBe(damage!.through);
        },
      ),
      { numRuns: 60 * factor, examples: [[twoUnlinked, "linked", 3, 5]] },
    );
  });
});

describe("the chain of a session whose long first turn was cut off", () => {
  it("is about all of it, whatever was set meanwhile", async () => {
    const store = openMemoryStore();
    const id = await session(store);
    const { journal } = await open(store, id);
    journal.setTurnRunning(true);
    const modes = Array.from({ length: 70 }, () => newEntry({ kind: "setting", data: { method: "m" } }));
    const long = newEntry(chunk("x".repeat(5 << 20)));
    await journal.append([newEntry(prompt()), ...modes]);
    // So long that what is there becomes final, without an end that a link could stand in.
    await journal.append([long]);
    expect(journal.sealedSeq).toBe(modes.length + 2);
    const { journal: next } = await open(store, id, { holder: other });
    const { damage, linked } = checked(await stored(store, id));
    expect([damage, linked]).toEqual([undefined, { from: 1, through: modes.length + 3 }]);
    await next.release();
  });
});
