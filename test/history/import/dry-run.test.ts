/** A dry run says what a run does, to the entry: also of a fork whose parent would come in, or go on, in the same run. */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { exportSession } from "../../../src/history/export/export.ts";
import { bundles } from "../../../src/history/import/bundle/reader.ts";
import { claude } from "../../../src/history/import/claude/reader.ts";
import { codex } from "../../../src/history/import/codex/reader.ts";
import type { HistoryReader } from "../../../src/history/import/native.ts";
import { SessionRegistry } from "../../../src/session/registry.ts";
import type { SessionRecord, Store } from "../../../src/store/contract.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { end, prompt, say, talk, written } from "../talk.ts";
import { asLines, assistant, claudeFolder, claudeId, plainTurns, text, user } from "./claude-files.ts";
import { importFrom, registryOf, scratchHome } from "./rig.ts";

const scratch = scratchHome();
let homes = 0;
const newHome = () => {
  const home = path.join(scratch, `home-${(homes += 1)}`);
  fs.mkdirSync(home);
  return home;
};

/** What is said of each session; where it would be, and where it is. */
async function bothOf(store: Store, reader: HistoryReader, home: string, places?: readonly string[]) {
  const registry = registryOf(store);
  const options = places === undefined ? {} : { places };
  const before = await registry.count();
  const dry = await importFrom(registry, reader, home, { ...options, isDryRun: true });
  expect(await registry.count()).toBe(before);
  const run = await importFrom(registry, reader, home, options);
  const shown = ({ told }: typeof run) =>
    told.map(({ nativeId, what, entries }) => ({ nativeId, what, entries }));
  expect(shown(dry)).toEqual(shown(run));
  expect(dry.problems).toEqual(run.problems);
  return run.told.map(({ what, entries }) => `${what} ${entries}`);
}

const forkId = "0f8b2f6e-1111-4222-8333-444455556667";
const deepId = "0f8b2f6e-1111-4222-8333-444455556668";

/** As Claude Code repeats what it left. */
function branch(home: string, id: string, of: string, records: readonly object[], more: readonly object[]) {
  const copies = records.map((each) => ({
    ...each,
    sessionId: id,
    forkedFrom: { sessionId: of, messageUuid: "x" },
  }));
  const file = claudeFolder(home, [], id);
  fs.writeFileSync(file, asLines([...copies, ...more.map((each) => ({ ...each, sessionId: id }))]));
}

describe("a dry run says what the run does", () => {
  it("of a history with a fork, and a fork of that, whose parents come in with them", async () => {
    const home = newHome();
    claudeFolder(home, plainTurns);
    const more = [user("f1", "a6", "on a branch"), assistant("f2", "f1", "m8", [text("Yes.")])];
    branch(home, forkId, claudeId, plainTurns, more);
    branch(home, deepId, forkId, [...plainTurns, ...more], [user("g1", "f2", "deeper")]);
    const told = await bothOf(openMemoryStore(), claude, home);
    // The last turn of each is told whole where it was not at its end.
    expect(told).toEqual(["imported 12", expect.stringContaining("imported"), "imported 2"]);
    expect(Number(told[1]?.split(" ")[1])).toBeLessThan(10);
  });

  it("of one whose parent goes on, or is made anew, in the same run", async () => {
    for (const change of [[], [user("u1", null, "plant a pear tree")]]) {
      const [home, store] = [newHome(), openMemoryStore()];
      claudeFolder(home, plainTurns);
      await importFrom(registryOf(store), claude, home);
      const grown = [
        ...[...change, ...plainTurns.slice(change.length)],
        user("u3", "a6", "go on"),
        assistant("a7", "u3", "m7", [text("I do.")]),
      ];
      claudeFolder(home, [...grown, user("u4", "a7", "and on")]);
      branch(home, forkId, claudeId, [...grown, user("u4", "a7", "and on")], [user("f1", "u4", "elsewhere")]);
      const told = await bothOf(store, claude, home);
      expect(told).toEqual([change.length === 0 ? "continued 5" : "replaced 17", "imported 2"]);
    }
  });

  it("of a history of Codex with a fork", async () => {
    const home = newHome();
    const folder = path.join(home, ".codex", "sessions", "2026");
    fs.mkdirSync(folder, { recursive: true });
    const ids = [1, 2].map((digit) => `019a0000-1111-7222-8333-44445555666${digit}`);
    const line = (type: string, payload: object) => ({ timestamp: "2026-03-01T10:00:00Z", type, payload });
    const turn = (message: string) => [
      line("event_msg", { type: "user_message", message }),
      line("event_msg", { type: "task_complete" }),
    ];
    const meta = (id: string | undefined, more = {}) => line("session_meta", { id, cwd: "/a", ...more });
    const all = [turn("one"), turn("two"), turn("three")].flat();
    for (const [at, lines] of [
      [meta(ids[0]), ...all],
      [meta(ids[1], { forked_from_id: ids[0] }), meta(ids[0]), ...all.slice(0, 4), ...turn("other")],
    ].entries())
      fs.writeFileSync(path.join(folder, `rollout-2026-03-01T10-00-00-${ids[at]}.jsonl`), asLines(lines));
    expect(await bothOf(openMemoryStore(), codex, home)).toEqual(["imported 6", "imported 2"]);
  });

  it("of bundles of a family, new and gone on", async () => {
    const [home, there, here] = [newHome(), openMemoryStore(), openMemoryStore()];
    const registry = new SessionRegistry({ store: there });
    const { id } = await written(there, talk());
    const bundled = async (name: string, of: SessionRecord["id"]) => {
      let all = "";
      for await (const piece of await exportSession(registry, of, { format: "bundle" })) all += piece;
      fs.writeFileSync(path.join(home, `${name}.acpbundle`), all);
    };
    const goesOn = async (of: SessionRecord["id"]) => {
      const { journal } = await registry.open(of);
      await journal.seal([prompt("more"), say("and more"), end()]);
      await journal.release();
      return journal.headSeq;
    };
    const early = await registry.fork(id, 16);
    await goesOn(early.id);
    await bundled("b", id);
    await bundled("a", early.id);
    expect(await bothOf(here, bundles, home, [home])).toEqual(["imported 18", "imported 3"]);
    const late = await registry.fork(id, await goesOn(id));
    await goesOn(late.id);
    await bundled("b", id);
    await bundled("c", late.id);
    expect((await bothOf(here, bundles, home, [home])).sort()).toEqual([
      "continued 3",
      "imported 3",
      "present 0",
    ]);
  });
});
