/** How what is known stands in a journal: by steps, and whole again after many; and what is odd changes nothing. */
import { describe, expect, it } from "vitest";
import { knownAt } from "../../src/context/known-at.ts";
import { after, contextData, nothingKnown, stepIn, type Snapshot } from "../../src/context/snapshot.ts";
import type { SessionId } from "../../src/base/ids.ts";
import type { Entry } from "../../src/store/contract.ts";

const id = "01JGH00000000000000000A001" as SessionId;

function journalOf(entries: readonly Entry[]) {
  let reads = 0;
  return {
    get reads() {
      return reads;
    },
    superseded: async () => [],
    async *read(_: SessionId, { from = 1, through = Infinity } = {}) {
      reads += 1;
      yield entries.filter(({ seq }) => seq >= from && seq <= through);
    },
  };
}

/** So many values, one more a step. */
function steps(count: number): Entry[] {
  let now: Snapshot = nothingKnown;
  return Array.from({ length: count }, (_, at) => {
    const values = new Map([...now.values, [`k${at}`, at]]);
    const data = contextData(now, { ...now, values }) ?? "";
    const entry: Entry = { seq: at + 1, kind: "context", atMs: 1, data };
    now = after(now, entry);
    return entry;
  });
}

describe("entries of a context [issue 13.2]", () => {
  it("are whole again after so many steps that few have to be read", async () => {
    const entries = steps(200);
    expect(entries.filter((entry) => stepIn(entry)?.base === 0).map(({ seq }) => seq)).toEqual([
      1, 65, 129, 193,
    ]);
    const journal = journalOf(entries);
    const { snapshot } = await knownAt(journal, { id, cwd: "/p" }, 192);
    expect([snapshot.version, snapshot.values.size, snapshot.values.get("k0")]).toEqual([192, 192, 0]);
    expect(journal.reads).toBeLessThan(70);
  });

  it("say nothing where nothing differs, and take out what is gone", () => {
    const [first, second] = steps(2);
    if (first === undefined || second === undefined) throw new Error("two");
    const known = after(after(nothingKnown, first), second);
    expect(contextData(known, known)).toBeUndefined();
    expect(contextData(known, { ...known, throughSeq: 99 })).toBeUndefined();
    const less = contextData(known, { ...known, values: new Map([["k1", 1]]) }) ?? "";
    expect(JSON.parse(less)).toEqual({ form: 1, base: 2, steps: 2, through: 0, values: { k0: null } });
    expect([...after(known, { seq: 3, data: less }).values]).toEqual([["k1", 1]]);
  });

  it("that nobody understands change nothing", () => {
    const [first] = steps(1);
    const known = after(nothingKnown, first ?? { seq: 1, data: "" });
    for (const data of ["", "[]", "{}", '{"form":2,"values":{"a":1}}', '{"form":"1"}'])
      expect(after(known, { seq: 2, data })).toBe(known);
    const odd = {
      form: 1,
      base: 1,
      through: -1,
      git: { root: 7 },
      files: { a: 7, b: { how: "read", disk: { size: "1" }, unread: "because", sha256: 7 }, __proto__: null },
      dirty: { x: 1 },
      values: [],
    };
    const { files, dirty, git, throughSeq } = after(known, { seq: 2, data: JSON.stringify(odd) });
    expect([[...files], [...dirty], git, throughSeq]).toEqual([[["b", { how: "read" }]], [], undefined, 0]);
  });

  it("that come from elsewhere bring nothing that cannot be told on", () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const data = `{"form":1,"values":{"deep":${deep},"a":1},"git":${deep},"files":{"b":${deep}}}`;
    const { values, git, files } = after(nothingKnown, { seq: 1, data });
    expect([[...values], git, files.size]).toEqual([[["a", 1]], undefined, 0]);
  });

  it("that come from elsewhere are known up to a bound, the last of what they name", () => {
    const many = (of: (at: number) => unknown) =>
      Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [`/p/${at}`, of(at)]));
    const disk = { size: 1, mtimeNs: "1", ctimeNs: "1", inode: "1", atMs: 1 };
    const files = many((at) => (at === 7 ? null : { how: "read", disk }));
    const data = JSON.stringify({ form: 1, files, dirty: many(() => "??"), values: many((at) => at) });
    const known = after(nothingKnown, { seq: 1, data });
    for (const part of [known.files, known.dirty, known.values]) {
      expect(part.size).toBe(2_000);
      expect([part.keys().next().value, [...part.keys()].at(-1)]).toEqual(["/p/48000", "/p/49999"]);
    }
    expect(known.files.get("/p/49999")).toEqual({ how: "read", disk });
    // Longer than ours can be: it is not even parsed.
    expect(after(known, { seq: 2, data: data.padEnd((16 << 20) + 1) })).toBe(known);
  });

  it("that come from elsewhere are read back so far as ours may reach, and no further", async () => {
    const chain = Array.from({ length: 10_000 }, (_, at): Entry => {
      const data = { form: 1, ...(at > 0 && { base: at }), values: { [`k${at}`]: at } };
      return { seq: at + 1, kind: "context", atMs: 1, data: JSON.stringify(data) };
    });
    const journal = journalOf(chain);
    const { snapshot } = await knownAt(journal, { id, cwd: "/p" }, 10_000);
    expect([snapshot.version, snapshot.values.size, snapshot.values.get("k9999")]).toEqual([
      10_000, 64, 9_999,
    ]);
    expect(journal.reads).toBeLessThan(70);
    // The next one is whole: nothing depends on them any more.
    const data = contextData(snapshot, { ...snapshot, values: new Map([["a", 1]]) }) ?? "";
    expect(stepIn({ seq: 10_001, data })?.base).toBe(0);
  });

  it("lead in no circle", async () => {
    const data = (base: number) => JSON.stringify({ form: 1, base, steps: 1, through: 1 });
    const entries: Entry[] = [1, 2, 3].map((seq) => ({
      seq,
      kind: "context",
      atMs: 1,
      data: data(seq === 1 ? 3 : seq),
    }));
    expect((await knownAt(journalOf(entries), { id, cwd: "/p" }, 3)).snapshot.version).toBe(3);
  });
});
