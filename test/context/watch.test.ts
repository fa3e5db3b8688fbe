/** A watch says that nothing has happened, or nothing at all: then files are looked at. */
import fs from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { Knowing } from "../../src/context/knowing.ts";
import { FolderWatch } from "../../src/context/watch.ts";
import { aRig, readThrough, type Rig } from "./rig.ts";

const closing: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function watched(): Promise<{ rig: Rig; watch: FolderWatch; note: () => Promise<string | undefined> }> {
  const rig = await aRig();
  closing.push(() => rig.close());
  const watch = new FolderWatch();
  const knowing = new Knowing(rig.registry, { watch });
  closing.push(() => knowing.close());
  for (const name of ["a", "src/b"]) {
    rig.write(name, "one");
    // Old enough that their times tell.
    fs.utimesSync(rig.at(name), 1, 1);
  }
  await rig.work(readThrough(rig.at("a")), readThrough(rig.at("src/b")));
  const note = async () => {
    const record = await rig.registry.get(rig.id);
    return (await knowing.note(record, record.headSeq))?.text;
  };
  return { rig, watch, note };
}

const near = { has: () => true };
const files = (rig: Rig) => new Map(["a", "src/b"].map((name) => [rig.at(name), undefined]));

describe("a watch of folders [issue 13.6]", () => {
  it("is quiet until something happens in one of them", async () => {
    const { rig, watch } = await watched();
    watch.begin(files(rig), near);
    expect(watch.isQuiet(files(rig))).toBe(true);
    expect(watch.isQuiet(new Map([[rig.at("a"), undefined]]))).toBe(false);
    rig.write("src/b", "two");
    while (watch.isQuiet(files(rig))) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  it("is of folders by their names: one that has come in the place of another, or of one above it, is heard", async () => {
    const { rig, watch } = await watched();
    const file = rig.at("top/mid/a");
    const known = new Map([[file, undefined]]);
    const isQuiet = () => watch.isQuiet(known);
    const others: (() => void)[] = [
      () => fs.rmSync(rig.at("top/mid"), { recursive: true }),
      () => fs.renameSync(rig.at("top/mid"), rig.at("was")),
      () => fs.renameSync(rig.at("top"), rig.at("above")),
    ];
    rig.write("top/mid/a", "one");
    for (const act of others) {
      watch.begin(known, near);
      expect(isQuiet()).toBe(true);
      act();
      rig.write("top/mid/a", "two");
      while (isQuiet()) await new Promise((resolve) => setTimeout(resolve, 5));
      watch.begin(known, near);
      expect(isQuiet()).toBe(true);
      rig.write("top/mid/a", "three");
      while (isQuiet()) await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });

  it("covers not what may not answer", async () => {
    const { rig, watch } = await watched();
    watch.begin(files(rig), { has: (folder) => folder !== rig.at("src") });
    expect(watch.isQuiet(files(rig))).toBe(false);
  });

  it("covers not more folders than it may, and none that is not there", async () => {
    const { rig, watch } = await watched();
    watch.begin(new Map([[rig.at("none/a"), undefined]]), near);
    expect(watch.isQuiet(new Map([[rig.at("none/a"), undefined]]))).toBe(false);
    const many = new Map(
      Array.from({ length: 201 }, (_, at) => [path.join(rig.folder, `d${at}`, "a"), undefined]),
    );
    for (const file of many.keys()) fs.mkdirSync(path.dirname(file));
    watch.begin(many, near);
    expect(watch.isQuiet(many)).toBe(false);
    watch.close();
    expect(watch.isQuiet(many)).toBe(false);
  });

  it("misses no change that a look would find", async () => {
    const { rig, note } = await watched();
    expect(await note()).toBeUndefined();
    expect(await note()).toBeUndefined();
    rig.write("src/b", "two");
    let told = await note();
    while (told === undefined) told = await note();
    expect(told).toBe("- changed: src/b");
    // Not told yet, as far as the journal says.
    expect(await note()).toBe("- changed: src/b");
  });
});
