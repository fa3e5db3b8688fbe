/** Files that nobody may read, and that were written to all the same: the agent is told that they may have changed. */
import fs from "node:fs";
import { afterEach, expect, it } from "vitest";
import { changesIn } from "../../src/relay/methods/load-changes.ts";
import { Knowing } from "../../src/context/knowing.ts";
import { movedOn } from "../../src/context/moved-on.ts";
import { aRig, readItself, readThrough, type Rig } from "./rig.ts";

const open: Rig[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

async function rig(): Promise<Rig> {
  const one = await aRig();
  open.push(one);
  return one;
}

/** Notes as a session at work has them: what was told is kept. */
function notesOf(r: Rig) {
  const knowing = new Knowing(r.registry);
  return async () => {
    const record = await r.registry.get(r.id);
    const note = await knowing.note(record, record.headSeq);
    if (note !== undefined) await r.registry.addContext(r.id, async () => note.data);
    return note?.text.split("\n");
  };
}

/** Another content of the same size, with another time. */
function rewrite(file: string, content: string, atS: number): void {
  fs.writeFileSync(file, content);
  fs.utimesSync(file, atS, atS);
}

it("are told of once whenever they were written to, though their size is what it was", async () => {
  const r = await rig();
  r.write(".env", "A=1");
  r.write("big", "");
  fs.truncateSync(r.at("big"), (8 << 20) + 1);
  r.write("same.key", "k");
  await r.work(...[".env", "big", "same.key"].map((name) => readItself(r.at(name))));
  const note = notesOf(r);
  expect(await note()).toBeUndefined();
  rewrite(r.at(".env"), "A=2", 1);
  fs.utimesSync(r.at("big"), 1, 1);
  expect(await note()).toEqual(["- perhaps changed: .env", "- perhaps changed: big"]);
  expect(await note()).toBeUndefined();
  rewrite(r.at(".env"), "A=3", 2);
  expect(await note()).toEqual(["- perhaps changed: .env"]);

  // Those of which the agent was told last stand at the end.
  const diff = await r.context.diff(r.id);
  expect(diff.files.map(({ path, what, why, mayDiffer }) => [path, what, why, mayDiffer])).toEqual([
    [r.at("same.key"), "same", "secret", undefined],
    [r.at("big"), "unknown", "huge", true],
    [r.at(".env"), "unknown", "secret", true],
  ]);
  expect(changesIn(diff)).toEqual({
    changes: { files: ["big", ".env"].map((name) => ({ path: r.at(name), what: "unknown" })) },
  });
  const record = await r.registry.get(r.id);
  expect((await movedOn(r.registry, record)).map(({ path }) => path)).toEqual([r.at("big"), r.at(".env")]);
});

it.skipIf(process.platform === "win32")("are named so that they can be found", async () => {
  const r = await rig();
  const names = ["two\nlines", "a\ttab", "..dots", "trailing "];
  for (const name of names) r.write(name, "one");
  await r.work(...names.map((name) => readThrough(r.at(name))));
  for (const name of names) r.write(name, "other");
  expect(await notesOf(r)()).toEqual([
    "- changed: two\\nlines",
    "- changed: a\\ttab",
    "- changed: ..dots",
    "- changed: trailing ",
  ]);
});
