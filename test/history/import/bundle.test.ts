/** From an export to an import, and nothing from what is no bundle as it was written. */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportSession } from "../../../src/history/export/export.ts";
import { bundles } from "../../../src/history/import/bundle/reader.ts";
import { importHistory, type ImportResult, type Told } from "../../../src/history/import/run.ts";
import { replay } from "../../../src/session/replay.ts";
import { SessionRegistry } from "../../../src/session/registry.ts";
import type { Entry, NewEntry, SessionRecord, Store } from "../../../src/store/contract.ts";
import { openStore } from "../../../src/store/open.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { cli, scratchFolder } from "../../cli/harness.ts";
import { onEveryStore } from "../../session/every-store.ts";
import { end, entry, prompt, say, talk, written } from "../talk.ts";

const folder = scratchFolder();
let bundle: string;
let record: SessionRecord;
const from = openMemoryStore();

async function bundleOf(
  entries: readonly NewEntry[],
  store = openMemoryStore(),
): Promise<[string, SessionRecord]> {
  const made = await written(store, entries, { title: "To be moved" });
  let text = "";
  for await (const piece of await exportSession(new SessionRegistry({ store }), made.id, {
    format: "bundle",
  }))
    text += piece;
  return [text, made];
}

/** Its hash made right again, as by somebody who means it. */
function resealed(text: string): string {
  const lines = text.trimEnd().split("\n").slice(0, -1);
  const sha256 = createHash("sha256")
    .update(`${lines.join("\n")}\n`)
    .digest("hex");
  return [...lines, JSON.stringify({ end: { entries: lines.length - 2, sha256 } }), ""].join("\n");
}

function fileOf(text: string, name = "a.acpbundle"): string {
  const place = path.join(folder, name);
  fs.writeFileSync(place, text);
  return place;
}

async function brought(store: Store, place: string): Promise<[ImportResult, Told[]]> {
  const registry = new SessionRegistry({ store });
  const told: Told[] = [];
  const result = await importHistory({
    registry,
    reader: bundles,
    places: [place],
    onSession: (each) => void told.push(each),
  });
  return [result, told];
}

async function allOf(store: Store, { id, headSeq, sealedSeq }: SessionRecord) {
  const entries: Entry[] = [];
  for await (const page of store.read(id)) entries.push(...page);
  const shown: string[] = [];
  for await (const texts of replay(store, id, { headSeq, sealedSeq }, new Map())) shown.push(...texts);
  const messages = [];
  for await (const message of new SessionRegistry({ store }).messages(id)) messages.push(message);
  return { entries, shown, messages };
}

beforeAll(async () => {
  const rewound = [...talk(), entry("rewind", { toSeq: 16 }), prompt("anew"), say("done anew")];
  [bundle, record] = await bundleOf(rewound, from);
});
afterAll(() => from.close());

describe("a bundle [issue 10.2]", () => {
  onEveryStore((open) => {
    it("comes in as the same session: entries, messages and replay; again is a no-op", async () => {
      const store = await open();
      const place = fileOf(bundle);
      const [result, [told]] = await brought(store, place);
      expect(result.sessions).toMatchObject({ imported: 1 });
      const made = await store.get(told?.id as SessionRecord["id"]);
      expect(made).toMatchObject({
        title: "To be moved",
        cwd: "/project",
        headSeq: 21,
        settings: { rewinds: [{ at: 19, toSeq: 16 }] },
      });
      const [here, there] = [
        await allOf(store, made as SessionRecord),
        await allOf(from, { ...record, settings: {} }),
      ];
      expect(here.entries).toEqual(there.entries);
      expect(here.shown.length).toBeGreaterThan(5);
      expect((await brought(store, place))[0].sessions).toMatchObject({ imported: 0, present: 1 });
    });
  });

  it("has carriage returns where an agent wrote them for spaces", async () => {
    const update = { ...say("yes"), data: '{"update":\r{"sessionUpdate":"vendor_news"}}' };
    const [text] = await bundleOf([prompt("go on"), update, end()]);
    await using store = openMemoryStore();
    const [, [told]] = await brought(store, fileOf(text, "carriage.acpbundle"));
    const [, second] = (await allOf(store, (await store.get(told?.id as SessionRecord["id"]))!)).entries;
    expect(second?.data).toBe(update.data);
  });

  it("of any entries has the same messages and replay", async () => {
    const words = fc.string({ unit: "binary", maxLength: 20 }).map((text) => say(text));
    const entries = fc.array(fc.oneof(words, fc.constantFrom(...talk(), prompt("x"))), {
      minLength: 1,
      maxLength: 30,
    });
    await fc.assert(
      fc.asyncProperty(entries, async (all) => {
        const [origin, store] = [openMemoryStore(), openMemoryStore()];
        const [text, made] = await bundleOf(all, origin);
        const [, [told]] = await brought(store, fileOf(text, "any.acpbundle"));
        const copy = (await store.get(told?.id as SessionRecord["id"])) as SessionRecord;
        expect(await allOf(store, copy)).toEqual(await allOf(origin, made));
      }),
      { numRuns: 20 },
    );
  });

  it.each([
    ["cut off", (text: string) => text.slice(0, text.length / 2), "cut off"],
    ["cut off between lines", (text: string) => text.split("\n").slice(0, 6).join("\n"), "no end"],
    ["edited", (text: string) => text.replace("Please said", "Please Said"), "its hash"],
    ["of another version", (text: string) => text.replace('bundle":1', 'bundle":2'), "version 2"],
    [
      "with an entry less",
      (text: string) => text.split("\n").toSpliced(5, 1).join("\n"),
      "entry 4 should be",
    ],
    ["that goes on", (text: string) => `${text}{"seq":1}\n`, "behind its end"],
    ["without a record", (text: string) => resealed(text.replace('"record"', '"x"')), "has a time"],
    [
      "of a record in another form",
      (text: string) => resealed(text.replace('"agentSessionIds":[]', '"agentSessionIds":[1]')),
      "whose it is",
    ],
    [
      "of a record that is nested too deep",
      (text: string) =>
        resealed(text.replace('"info":{', `"info":{"x":${"[".repeat(5000)}${"]".repeat(5000)},`)),
      "whose it is",
    ],
    [
      "that goes back too often",
      (text: string) => {
        const lines = text.trimEnd().split("\n");
        const last = lines.length - 3;
        const back = (at: number) =>
          JSON.stringify({ seq: last + at, kind: "rewind", atMs: 1, data: `{"toSeq":${last + at - 2}}` });
        const all = Array.from({ length: 10_001 }, (_none, at) => back(at + 1));
        return resealed([...lines.slice(0, -1), ...all, "end"].join("\n"));
      },
      "goes back more than",
    ],
    [
      "of a time that there is not",
      (text: string) => resealed(text.replace(/"updatedAtMs":\d+/, '"updatedAtMs":9000000000000000')),
      "has a time",
    ],
    [
      "with an entry of no time",
      (text: string) => resealed(text.replace(/"atMs":\d+/, '"atMs":9000000000000000')),
      "entry 1 should be",
    ],
    [
      "of a folder that there cannot be",
      (text: string) => resealed(text.replace('"cwd":"/', '"cwd":"/\\u0000')),
      "has a folder",
    ],
    [
      "with the id of the store's keys",
      (text: string) => resealed(text.replace(/"id":"\w{26}"/, `"id":"${"0".padStart(26, "0")}"`)),
      "no session can have",
    ],
    [
      "with the id of the store's keys, once more",
      (text: string) => resealed(text.replace(/"id":"\w{26}"/, `"id":"${"1".padStart(26, "0")}"`)),
      "no session can have",
    ],
    [
      "with the id of the store's upkeep",
      (text: string) => resealed(text.replace(/"id":"\w{26}"/, `"id":"${"2".padStart(26, "0")}"`)),
      "no session can have",
    ],
    [
      "with an entry that is no object",
      (text: string) => resealed(text.replace(/"data":".*"/, '"data":"[]"')),
      "entry 1 should be",
    ],
    [
      "with an update that says whose it is",
      (text: string) =>
        resealed(text.replace('"data":"{\\"update', '"data":"{\\"sessi\\\\u006fnId\\":\\"x\\",\\"update')),
      "should be",
    ],
    [
      "with an update that has more than a line",
      (text: string) => resealed(text.replace('"data":"{', '"data":"{\\n')),
      "should be",
    ],
    ["that is none", () => "# Notes\n", "no bundle"],
    ["that is empty", () => "", "no end"],
  ])("%s is refused in one line, and nothing comes of it", async (_, spoil, said) => {
    const store = `sqlite:${path.join(folder, "refused.db")}`;
    const place = fileOf(spoil(bundle), "spoilt.acpbundle");
    const { status, err } = await cli(["import", place, "--store", store]);
    expect([status, err.trimEnd().split("\n").length]).toEqual([2, 1]);
    expect(err).toContain(said);
    const opened = await openStore(store);
    expect(await opened.count()).toBe(0);
    await opened.close();
  });

  it("in a folder with a spoilt one comes in, and that one is named", async () => {
    const several = path.join(folder, "several");
    fs.mkdirSync(several);
    fs.writeFileSync(path.join(several, "a.acpbundle"), bundle);
    fs.writeFileSync(path.join(several, "b.acpbundle"), bundle.slice(0, 500));
    const store = `sqlite:${path.join(folder, "several.db")}`;
    const { status, out, err } = await cli(["import", several, "--store", store]);
    expect([status, out]).toEqual([5, expect.stringContaining("1 session imported")]);
    expect(err).toContain("b.acpbundle");
    // It is the same session here, under its id.
    const own = path.join(folder, "own.acpbundle");
    expect((await cli(["export", record.id, "--store", store, "--out", own])).status).toBe(0);
    const again = await cli(["import", own, "--store", store]);
    expect([again.status, again.out]).toEqual([0, expect.stringContaining("1 there already")]);
  });
});

const textOf = async (store: Store, id: SessionRecord["id"]) => {
  let text = "";
  for await (const piece of await exportSession(new SessionRegistry({ store }), id, { format: "bundle" }))
    text += piece;
  return text;
};

/** Adds a turn as a client would. */
async function goesOn(store: Store, id: SessionRecord["id"], words: string): Promise<void> {
  const registry = new SessionRegistry({ store });
  const { journal } = await registry.open(id);
  await journal.seal([prompt(words), say(`${words}, too`), end()]);
  await journal.release();
  await registry.close();
}

describe("a bundle that goes in circles [issue 10.2]", () => {
  onEveryStore((open) => {
    it("is the same session: nothing is there twice, and what was said elsewhere comes back", async () => {
      const here = await open();
      const there = openMemoryStore();
      const { id } = await written(here, [...talk(), entry("rewind", { toSeq: 16 }), prompt("anew"), end()]);
      const first = await textOf(here, id);
      expect((await brought(there, fileOf(first)))[1]).toMatchObject([{ what: "imported", id }]);
      expect(await textOf(there, id)).toContain(first.split("\n")[3]);
      const back = fileOf(await textOf(there, id), "back.acpbundle");
      expect((await brought(here, back))[1]).toMatchObject([{ what: "present", id, entries: 0 }]);
      await goesOn(there, id, "elsewhere");
      await new SessionRegistry({ store: there }).rename(id, "Called anew");
      fileOf(await textOf(there, id), "back.acpbundle");
      expect((await brought(here, back))[1]).toMatchObject([{ what: "continued", id, entries: 4 }]);
      const record = (await here.get(id)) as SessionRecord;
      expect(record).toMatchObject({
        title: "Called anew",
        settings: { ownAgentIds: 0, rewinds: [{ toSeq: 16 }] },
      });
      expect(await allOf(here, record)).toEqual(await allOf(there, (await there.get(id)) as SessionRecord));
      expect((await brought(here, back))[1]).toMatchObject([{ what: "present" }]);
      // An older one is in it already; where both have gone on, neither is touched.
      expect((await brought(here, fileOf(first)))[1]).toMatchObject([{ what: "present" }]);
      await goesOn(here, id, "here");
      await goesOn(there, id, "there");
      fileOf(await textOf(there, id), "back.acpbundle");
      expect((await brought(here, back))[1]).toMatchObject([{ what: "skipped", entries: 0 }]);
      expect((await here.list()).items).toHaveLength(1);
    });

    it("is the same session where it was compacted, here or there, and stays as it is here", async () => {
      const [here, there] = [await open(), openMemoryStore()];
      const long = "deep thoughts ".repeat(80);
      const old = [prompt("think"), say(long, "agent_thought_chunk"), end(), prompt("more"), end()];
      const { id } = await written(here, old);
      const first = fileOf(await textOf(here, id));
      await brought(there, first);
      const registry = new SessionRegistry({ store: here });
      await registry.compact(id, { beforeSeq: 4 });
      expect((await brought(here, first))[1]).toMatchObject([{ what: "present", id }]);
      const back = fileOf(await textOf(here, id), "back.acpbundle");
      expect((await brought(there, back))[1]).toMatchObject([{ what: "present", id }]);
      await goesOn(there, id, "elsewhere");
      fileOf(await textOf(there, id), "back.acpbundle");
      expect((await brought(here, back))[1]).toMatchObject([{ what: "continued", id, entries: 3 }]);
      expect(await textOf(here, id)).not.toContain("deep thoughts");
      const other = openMemoryStore();
      await brought(other, fileOf(await textOf(here, id)));
      expect(await allOf(other, (await other.get(id)) as SessionRecord)).toEqual(
        await allOf(here, (await here.get(id)) as SessionRecord),
      );
      expect(await new SessionRegistry({ store: other }).get(id)).toMatchObject({ metadata: {} });
      expect(await registry.compaction.undo(id)).toMatchObject({ entries: 1, left: 0 });
      await registry.compact(id, { beforeSeq: 4 });
      await registry.delete(id);
      expect(await here.count()).toBe(0);
    });

    it("has all that its record had: title, folders, choices, metadata, times, agent, archived", async () => {
      const [here, there] = [await open(), openMemoryStore()];
      const registry = new SessionRegistry({ store: there });
      const { id } = await written(there, talk());
      await registry.update(id, () => ({
        additionalDirectories: ["/other"],
        mcpServerNames: ["files"],
        client: { info: { name: "editor" } },
        agentSessionIds: ["a-1", "a-2"],
        settings: { modeId: "plan", configOptions: { x: true }, systemPromptSeq: 1, owesHandoverTo: "a-2" },
        metadata: { team: "trees", "acp-sidecar.import": "claude:a-1" },
      }));
      await registry.addSummary(id, { throughSeq: 5, content: [{ type: "text", text: "sum" }], by: "me" });
      await registry.archive(id);
      const before = await registry.get(id);
      await brought(here, fileOf(await textOf(there, id)));
      const { lease: _, ...after } = (await here.get(id)) as SessionRecord;
      const { lease: _before, settings, ...same } = before;
      const { owesHandoverTo: _owes, ...chosen } = settings;
      // An agent's session that was gone on with there is not gone on with here.
      const whose = { info: { name: "agent" } };
      expect(after).toEqual({
        ...same,
        settings: { ...chosen, ownAgentIds: 0, formerIds: { "a-2": whose } },
      });
      expect((await new SessionRegistry({ store: here }).list()).items).toEqual([]);
      expect(await allOf(here, after)).toEqual(await allOf(there, before));
    });

    it("is a fork again where its parent is, and says where it is from where that is not", async () => {
      const [here, there] = [await open(), openMemoryStore()];
      const registry = new SessionRegistry({ store: there });
      const parent = await written(there, talk());
      const fork = await registry.fork(parent.id, 16);
      await goesOn(there, fork.id, "forked");
      const place = path.join(folder, `family-${parent.id}`);
      fs.mkdirSync(place);
      fs.writeFileSync(path.join(place, "a.acpbundle"), await textOf(there, fork.id));
      fs.writeFileSync(path.join(place, "b.acpbundle"), await textOf(there, parent.id));
      expect((await brought(here, place))[1].map(({ id, entries }) => [id, entries])).toEqual([
        [parent.id, 18],
        [fork.id, 3],
      ]);
      const made = (await here.get(fork.id)) as SessionRecord;
      expect(made.lineage).toEqual({ parentId: parent.id, atSeq: 16 });
      expect(await allOf(here, made)).toEqual(await allOf(there, await registry.get(fork.id)));
      const alone = openMemoryStore();
      const lone = fileOf(await textOf(there, fork.id), "lone.acpbundle");
      expect((await brought(alone, lone))[1]).toMatchObject([{ what: "imported", entries: 19 }]);
      expect((await alone.get(fork.id))?.lineage).toBeUndefined();
      expect(await textOf(alone, fork.id)).toContain(`"lineage":{"parentId":"${parent.id}","atSeq":16}`);
      expect((await brought(here, fileOf(await textOf(alone, fork.id))))[1]).toMatchObject([
        { what: "present" },
      ]);
    });
  });

  it("does not come back from the trash by itself, nor over what an agent's session is here already", async () => {
    const [here, there] = [openMemoryStore(), openMemoryStore()];
    const registry = new SessionRegistry({ store: here });
    const { id } = await written(there, talk());
    await new SessionRegistry({ store: there }).update(id, () => ({ agentSessionIds: ["a-1"] }));
    const place = fileOf(await textOf(there, id));
    const other = await registry.create({ cwd: "/b", agentSessionIds: ["a-1"] });
    await brought(here, place);
    expect((await registry.find("a-1"))?.id).toBe(other.id);
    await registry.remove(id);
    expect((await brought(here, place))[1]).toMatchObject([{ what: "skipped", id }]);
    expect(await registry.exists(id)).toBe(false);
  });
});
