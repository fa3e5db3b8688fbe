/** From an export to an import, and nothing from what is no bundle as it was written. */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportSession } from "../../../src/history/export/export.ts";
import { bundlesFor } from "../../../src/history/import/bundle.ts";
import { importHistory, type ImportResult, type Told } from "../../../src/history/import/run.ts";
import { replay } from "../../../src/session/replay.ts";
import { SessionRegistry } from "../../../src/session/registry.ts";
import type { Entry, NewEntry, SessionRecord, Store } from "../../../src/store/contract.ts";
import { openStore } from "../../../src/store/open.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { cli, scratchFolder } from "../../cli/harness.ts";
import { onEveryStore } from "../../session/every-store.ts";
import { entry, prompt, say, talk, written } from "../talk.ts";

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
  const isHere = async () => false;
  const result = await importHistory({
    registry,
    reader: bundlesFor(isHere),
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
    ["without a record", (text: string) => text.replace('"record"', '"x"'), "whose it is"],
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
      "with an entry that is no object",
      (text: string) => resealed(text.replace(/"data":".*"/, '"data":"[]"')),
      "entry 1 should be",
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

  it("in a folder with a spoilt one comes in, and that one is named; its own session is not doubled", async () => {
    const several = path.join(folder, "several");
    fs.mkdirSync(several);
    fs.writeFileSync(path.join(several, "a.acpbundle"), bundle);
    fs.writeFileSync(path.join(several, "b.acpbundle"), bundle.slice(0, 500));
    const store = `sqlite:${path.join(folder, "several.db")}`;
    const { status, out, err } = await cli(["import", several, "--store", store]);
    expect([status, out]).toEqual([5, expect.stringContaining("1 session imported")]);
    expect(err).toContain("b.acpbundle");
    const back = await cli(["export", record.id.slice(-6), "--store", store]);
    expect(back.status).toBe(4);
    const [line = ""] = (await cli(["sessions", "ls", "--jsonl", "--store", store])).out.split("\n");
    const listed = [JSON.parse(line) as { readonly id: string }];
    const own = path.join(folder, "own.acpbundle");
    expect((await cli(["export", listed[0]?.id ?? "", "--store", store, "--out", own])).status).toBe(0);
    const again = await cli(["import", own, "--store", store]);
    expect([again.status, again.err]).toEqual([0, expect.stringContaining("is a session here already")]);
  });
});
