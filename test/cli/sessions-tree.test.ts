import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { branchesOf } from "../../src/history/lineage.ts";
import type { SessionId } from "../../src/base/ids.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import type { SessionRecord, Store } from "../../src/store/contract.ts";
import { openStore } from "../../src/store/open.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { talk, written } from "../history/talk.ts";
import { cli, scratchFolder, type Ran } from "./harness.ts";

const url = `sqlite:${path.join(scratchFolder(), "sessions.db")}`;
let store: Store;
let registry: SessionRegistry;
let root: SessionRecord;
let forks: SessionRecord[];

const run = (...argv: string[]): Promise<Ran> => cli([...argv, "--store", url]);

beforeAll(async () => {
  store = await openStore(url);
  registry = new SessionRegistry({ store });
  root = await written(store, talk(), { title: "Root\u001b[31m" });
  const first = await registry.fork(root.id, 4);
  forks = [first, await registry.fork(first.id, 2), await registry.fork(root.id, 16)];
  await written(store, talk(), { title: "Alone" });
  await store.flush();
});
afterAll(async () => {
  await registry.close();
  await store.close();
});

describe("sessions tree [issue 10.3]", () => {
  it("draws who was forked from whom, and nobody else", async () => {
    const { status, out } = await run("sessions", "tree");
    expect(status).toBe(0);
    const [a, b, c] = forks as [SessionRecord, SessionRecord, SessionRecord];
    const lines = out.trimEnd().split("\n");
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatch(new RegExp(`^${root.id}  .*Root\\\\u001b\\[31m$`));
    expect(lines[1]).toMatch(new RegExp(`^├─ ${a.id}  .* from #4`));
    expect(lines[2]).toMatch(new RegExp(`^│  └─ ${b.id}  .* from #2`));
    expect(lines[3]).toMatch(new RegExp(`^└─ ${c.id}  .* from #16`));
    expect((await run("sessions", "tree", b.id)).out).toBe(out);
    const json = JSON.parse((await run("sessions", "tree", "--json")).out) as object[];
    expect(json[2]).toMatchObject({ id: b.id, depth: 2, parentId: a.id, atSeq: 2, isDeleted: false });
  });

  it("has archived sessions in their place, marked", async () => {
    const [, b] = forks as [SessionRecord, SessionRecord];
    await registry.archive(b.id);
    await store.flush();
    const { out } = await run("sessions", "tree", root.id);
    expect(out.match(/\(archived\)/g)).toHaveLength(1);
    expect(out.split("\n")[2]).toMatch(new RegExp(`${b.id} .*\\(archived\\)`));
    const json = JSON.parse((await run("sessions", "tree", "--json")).out) as { isArchived: boolean }[];
    expect(json.map((each) => each.isArchived)).toEqual([false, false, true, false]);
    await registry.unarchive(b.id);
    await store.flush();
  });

  it("keeps the place of a parent that is deleted, and takes any depth", async () => {
    const memory = openMemoryStore();
    const deep = new SessionRegistry({ store: memory });
    const { id } = await written(memory, talk());
    let last: SessionId = id;
    for (let n = 0; n < 300; n += 1) last = (await deep.fork(last, 1)).id;
    await deep.delete(id);
    const all = [];
    for await (const branch of branchesOf(deep)) all.push(branch);
    expect(all).toHaveLength(301);
    expect([all[0]?.record, all.at(-1)?.id, all.at(-1)?.depth]).toEqual([undefined, last, 300]);
  });

  it("has each tree where its root was last active, also before and after its forks", async () => {
    const memory = openMemoryStore();
    const several = new SessionRegistry({ store: memory });
    const [early, late, gone] = [
      await written(memory, talk()),
      await written(memory, talk()),
      await written(memory, talk()),
    ];
    const forks = await Promise.all([early, late, gone].map(({ id }) => several.fork(id, 4)));
    const alone = await written(memory, talk());
    const places: [SessionId, number][] = [
      [late.id, 7000],
      [alone.id, 6000],
      [forks[2]!.id, 5000],
      [forks[0]!.id, 4000],
      [forks[1]!.id, 3000],
      [early.id, 2000],
    ];
    for (const [id, updatedAtMs] of places) await memory.update(id, { updatedAtMs });
    await several.delete(gone.id);
    const told = [];
    for await (const { id, depth, record } of branchesOf(several))
      told.push([id, depth, record?.updatedAtMs]);
    expect(told).toEqual([
      [late.id, 0, 7000],
      [forks[1]!.id, 1, 3000],
      [gone.id, 0, undefined],
      [forks[2]!.id, 1, 5000],
      [early.id, 0, 2000],
      [forks[0]!.id, 1, 4000],
    ]);
    const one = [];
    for await (const branch of branchesOf(several, alone)) one.push([branch.id, branch.record?.id]);
    expect(one).toEqual([[alone.id, alone.id]]);
  });
});

describe("sessions tools [issue 10.3]", () => {
  it("has each call once: when, how it went, how it was allowed, its files", async () => {
    const { status, out } = await run("sessions", "tools", root.id);
    expect(status).toBe(0);
    const lines = out.trimEnd().split("\n");
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(/^2026-\S+ \S+ {2}#5 {2}✓ think {2}Delegate said$/);
    expect(lines[1]).toMatch(/ {2}#9 {4}▸ ✓ search {2}Search said$/);
    expect(lines[2]).toMatch(/#13 {2}✓ edit {2}Edit said {2}allowed: Yes said; \/src\/said$/);
    const [, , edit] = JSON.parse((await run("tools", root.id, "--json")).out) as object[];
    expect(edit).toMatchObject({
      callId: "w",
      changed: ["/src/said"],
      permission: { outcome: "allowed" },
      turn: 1,
    });
    expect((await run("tools", root.id, "--jsonl")).out.trimEnd().split("\n")).toHaveLength(3);
    expect((await run("tools", root.id, "--json", "--jsonl")).status).toBe(2);
  });

  it("says so where there is none, and to a program with nothing", async () => {
    const { id } = forks[1] as SessionRecord;
    expect(await run("tools", id)).toEqual({ status: 0, out: "No tool was called.\n", err: "" });
    expect((await run("tools", id, "--jsonl")).out).toBe("");
    expect(JSON.parse((await run("tools", id, "--json")).out)).toEqual([]);
  });
});

describe("sessions show, as a tree [issue 10.3]", () => {
  it("puts a subagent's part together, and shows as much of calls as is wanted", async () => {
    const { out } = await run("show", root.id);
    expect(out).toMatch(
      / {2}✓ Delegate said\n[^]*Meanwhile said\n[^]* {2}▸ Helper said {2}#7–#9\n {4}assistant [^]* {6}helping said\n\n {6}✓ Search said\n/,
    );
    expect(out).toContain("  Permission allowed: Yes said");
    expect((await run("show", root.id, "--tools", "none")).out).not.toContain("✓ Edit");
    expect((await run("show", root.id, "--tools", "full")).out).toMatch(
      /✓ Edit said\n[^]*\n {6}-b\n {6}\+said\n[^]* {6}output said\n/,
    );
    expect((await run("show", root.id, "--tools", "some")).err).toContain("allowed: none, brief, full");
  });

  it("shows the turn of an entry, or from one on", async () => {
    const turn = (await run("show", root.id, "--at", "18")).out;
    expect([turn.includes("Please said"), turn.includes("Again said")]).toEqual([false, true]);
    const first = (await run("show", root.id, "--at", "9")).out;
    expect([
      first.includes("Please said"),
      first.includes("Done said"),
      first.includes("Again said"),
    ]).toEqual([true, true, false]);
    const rest = (await run("show", root.id, "--from", "15")).out;
    expect([rest.includes("Please said"), rest.includes("Done said"), rest.includes("Again said")]).toEqual([
      false,
      true,
      true,
    ]);
    expect((await run("show", root.id, "--from", "99")).err).toContain("its entries are 1 to 18");
    expect((await run("show", root.id, "--from", "2", "--last", "1")).status).toBe(2);
  });

  it("leaves out what was superseded, unless it is asked for", async () => {
    await registry.update(root.id, (record) => record);
    const { journal } = await registry.open(root.id);
    await journal.seal([{ kind: "rewind", atMs: 1, data: '{"toSeq":16}' }]);
    await journal.update({ settings: { ...root.settings, rewinds: [{ at: 19, toSeq: 16 }] } });
    await journal.release();
    expect((await run("show", root.id)).out).not.toContain("Again said");
    expect((await run("show", root.id, "--superseded")).out).toMatch(
      /── superseded from here to #19[^]*Again said[^]*Went back to #16/,
    );
    expect((await run("show", `${root.id}:17`)).out).toContain("Again said");
  });
});
