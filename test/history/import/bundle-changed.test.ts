/** A bundle that is written over between the look at it and its reading: nothing of it comes in that was not checked. */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { exportSession } from "../../../src/history/export/export.ts";
import { bundles } from "../../../src/history/import/bundle/reader.ts";
import type { HistoryReader } from "../../../src/history/import/native.ts";
import { SessionRegistry } from "../../../src/session/registry.ts";
import type { Entry, SessionRecord, Store } from "../../../src/store/contract.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { end, prompt, say, talk, written } from "../talk.ts";
import { importFrom, registryOf, scratchHome } from "./rig.ts";

const scratch = scratchHome();

/** Two stretches and more. */
const long = [
  ...talk(),
  prompt("write"),
  say("first ".repeat(180_000)),
  say("second ".repeat(180_000)),
  end(),
];

async function bundleOf(store: Store, id: SessionRecord["id"]): Promise<string> {
  let text = "";
  for await (const piece of await exportSession(new SessionRegistry({ store }), id, { format: "bundle" }))
    text += piece;
  return text;
}

/** Finds them as they are, and reads them as somebody has written them over meanwhile. */
function meanwhile(change: () => void): HistoryReader {
  return {
    ...bundles,
    async *sessions(place, report) {
      yield* bundles.sessions(place, report);
      change();
    },
  };
}

async function contentOf(store: Store, id: SessionRecord["id"]) {
  const { lease: _, ...record } = (await store.get(id)) as SessionRecord;
  const entries: Entry[] = [];
  for await (const page of store.read(id)) entries.push(...page);
  return { ...record, entries: entries.map(({ data, ...each }) => ({ ...each, data: data.slice(0, 200) })) };
}

describe("a bundle that is changed between its check and its reading [issue 10, bad input]", () => {
  const changes: readonly (readonly [string, (text: string) => string])[] = [
    ["edited", (text) => text.replace("Please said", "Please Said")],
    ["edited at its end", (text) => text.replace("second second", "second Second")],
    ["given an entry without data", (text) => text.replace('"data":', '"date":')],
    ["cut off", (text) => text.slice(0, text.length / 2)],
    ["cut off between lines", (text) => text.split("\n").slice(0, 8).join("\n")],
    ["made longer", (text) => `${text}{"seq":1}\n`],
    ["replaced by nothing", () => ""],
    ["given another end", (text) => text.replace(/"sha256":"./, '"sha256":"!')],
  ];

  it.each(changes)("%s, is refused; again, as it should be, it comes in", async (_, change) => {
    const [there, here] = [openMemoryStore(), openMemoryStore()];
    const { id } = await written(there, long);
    const text = await bundleOf(there, id);
    const place = path.join(scratch, "named.acpbundle");
    fs.writeFileSync(place, text);
    const registry = registryOf(here);
    const reader = meanwhile(() => fs.writeFileSync(place, change(text)));
    const refused = importFrom(registry, reader, scratch, { places: [place] });
    await expect(refused).rejects.toMatchObject({ code: "BUNDLE_INVALID" });
    expect((await here.list()).items).toEqual([]);
    fs.writeFileSync(place, text);
    const { told } = await importFrom(registry, bundles, scratch, { places: [place] });
    expect(told).toMatchObject([{ what: "imported", id }]);
  });

  it("costs itself alone among others, and is named", async () => {
    const [there, here] = [openMemoryStore(), openMemoryStore()];
    const ids = [(await written(there, long)).id, (await written(there, talk())).id];
    const folder = path.join(scratch, "several");
    fs.mkdirSync(folder);
    const places = ids.map((id) => path.join(folder, `${id}.acpbundle`));
    for (const [at, id] of ids.entries()) fs.writeFileSync(places[at] as string, await bundleOf(there, id));
    const reader = meanwhile(() => fs.truncateSync(places[0] as string, 1000));
    const { told, problems } = await importFrom(registryOf(here), reader, scratch, { places: [folder] });
    expect(told).toMatchObject([{ what: "imported", id: ids[1] }]);
    expect(problems).toEqual([
      { path: places[0], reason: expect.stringContaining("changed while it was read") as string },
    ]);
  });

  it("leaves of one that goes on here only what was checked, and again goes on with the rest", async () => {
    const [there, here] = [openMemoryStore(), openMemoryStore()];
    const { id } = await written(there, talk());
    const place = path.join(scratch, "goes-on.acpbundle");
    fs.writeFileSync(place, await bundleOf(there, id));
    await importFrom(registryOf(here), bundles, scratch, { places: [place] });
    const registry = registryOf(there);
    const { journal } = await registry.open(id);
    await journal.seal(long.slice(-4));
    await journal.release();
    await registry.rename(id, "Called anew");
    const text = await bundleOf(there, id);
    fs.writeFileSync(place, text);
    const reader = meanwhile(() => fs.writeFileSync(place, text.replace("second second", "second Second")));
    const refused = importFrom(registryOf(here), reader, scratch, { places: [place] });
    await expect(refused).rejects.toMatchObject({ code: "BUNDLE_INVALID" });
    fs.writeFileSync(place, text);
    const { told } = await importFrom(registryOf(here), bundles, scratch, { places: [place] });
    expect(told).toMatchObject([{ what: "continued", id }]);
    expect(await contentOf(here, id)).toMatchObject({
      title: "Called anew",
      entries: (await contentOf(there, id)).entries,
    });
  });
});
