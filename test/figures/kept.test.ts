/** Real files; processes that are dead are those whose numbers nobody has. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { processSpace } from "../../src/base/process.ts";
import { KeptFigures, newFiguresId } from "../../src/figures/kept.ts";
import type { Snapshot } from "../../src/figures/snapshot.ts";

let folder: string;
beforeEach(() => {
  folder = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-figures-")), "figures");
});
afterEach(() => fs.rmSync(path.dirname(folder), { recursive: true, force: true }));

function turns(count: number): Snapshot {
  return { counters: { turns: { end_turn: count } }, times: {}, gauges: { liveSessions: 1 } };
}

const turnsIn = ({ counters }: Snapshot) => counters["turns"]?.["end_turn"] ?? 0;

/** As a process that is gone has left it. */
function leave(id: string, count: number, more: object = {}): void {
  fs.mkdirSync(folder, { recursive: true });
  const { pid } = spawnSync(process.execPath, ["--version"]);
  const kept = { pid, startedAt: "1", space: processSpace(), snapshot: turns(count), ...more };
  fs.writeFileSync(path.join(folder, `${id}.json`), JSON.stringify(kept));
}

const files = () => fs.readdirSync(folder).filter((name) => name.endsWith(".json"));
const nobody = new Map<string, Snapshot>();

describe("figures that are kept", () => {
  it("are added up when their process is dead, once, and without what was so only while it lived", async () => {
    leave("a", 3);
    leave("b", 4);
    const kept = new KeptFigures(folder);
    expect(await kept.sumWith(nobody)).toMatchObject({ counters: { turns: { end_turn: 7 } }, gauges: {} });
    expect(files()).toEqual(["ended.json"]);
    expect(turnsIn(await kept.sumWith(nobody))).toBe(7);
  });

  it("of one whose file could not be removed are not added again", async () => {
    leave("a", 3);
    const before = fs.readFileSync(path.join(folder, "a.json"));
    await new KeptFigures(folder).addUp();
    fs.writeFileSync(path.join(folder, "a.json"), before);
    expect(turnsIn(await new KeptFigures(folder).sumWith(nobody))).toBe(3);
    expect(files()).toEqual(["ended.json"]);
  });

  it("are those that were written last, in a file that does not grow", async () => {
    const kept = new KeptFigures(folder);
    const id = newFiguresId();
    let mostBytes = 0;
    for (let count = 1; count <= 4000; count += 1) {
      kept.write(id, turns(count));
      if (count % 100 === 0) {
        mostBytes = Math.max(mostBytes, fs.statSync(path.join(folder, `${id}.json`)).size);
        expect(turnsIn(await kept.sumWith(nobody))).toBe(count);
      }
    }
    expect(mostBytes).toBeLessThan(300_000);
    expect(files()).toEqual([`${id}.json`]);
  });

  it("that could not be written to the end are those before, and nothing is lost of later ones", async () => {
    const kept = new KeptFigures(folder);
    const id = newFiguresId();
    kept.write(id, turns(1));
    kept.write(id, turns(2));
    const file = path.join(folder, `${id}.json`);
    const before = fs.readFileSync(file, "utf8");
    fs.writeFileSync(file, `${before}\n{"pid":1,"snap`);
    expect(turnsIn(await kept.sumWith(nobody))).toBe(2);
    kept.write(id, turns(3));
    expect(turnsIn(await kept.sumWith(nobody))).toBe(3);
  });

  it("count what a process that lives and does not answer wrote last, and what one that answers says", async () => {
    const kept = new KeptFigures(folder);
    const [silent, answering] = [newFiguresId(), newFiguresId()];
    kept.write(silent, turns(5));
    kept.write(answering, turns(6));
    const sum = await kept.sumWith(new Map([[answering, turns(8)]]));
    expect(turnsIn(sum)).toBe(13);
    expect(sum.gauges).toEqual({ liveSessions: 1 });
    expect(files()).toHaveLength(2);
  });

  it("of one that ends after it has answered count once", async () => {
    leave("gone", 9);
    expect(turnsIn(await new KeptFigures(folder).sumWith(new Map([["gone", turns(8)]])))).toBe(9);
  });

  it("of before the machine was started again are of the dead; of another machine's nothing is known for a week", async () => {
    const [host, boot = "", space] = processSpace().split("/");
    if (process.platform === "linux") {
      leave("before", 1, { pid: process.pid, space: `${host}/${boot.replace(/^./, "-")}/${space}` });
      await new KeptFigures(folder).addUp();
      expect(files()).toEqual(["ended.json"]);
    }
    leave("elsewhere", 1, { space: "elsewhere/x/y" });
    await new KeptFigures(folder).addUp();
    expect(files()).toContain("elsewhere.json");
    const longAgo = Date.now() / 1000 - 8 * 86_400;
    fs.utimesSync(path.join(folder, "elsewhere.json"), longAgo, longAgo);
    await new KeptFigures(folder).addUp();
    expect(files()).toEqual(["ended.json"]);
  });

  it("begin anew where the file is none, and go on", async () => {
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(path.join(folder, "ended.json"), '{"added":[],"snap');
    fs.writeFileSync(path.join(folder, "torn.json"), "");
    leave("a", 3);
    expect(turnsIn(await new KeptFigures(folder).sumWith(nobody))).toBe(3);
  });

  it("are nobody else's to read", () => {
    const id = newFiguresId();
    new KeptFigures(folder).write(id, turns(1));
    expect(fs.statSync(path.join(folder, `${id}.json`)).mode & 0o077).toBe(0);
    expect(fs.statSync(folder).mode & 0o077).toBe(0);
  });

  it("are added up by several at once, each once", async () => {
    for (let at = 0; at < 20; at += 1) leave(`p${at}`, 1);
    const sums = await Promise.all([1, 2, 3].map(() => new KeptFigures(folder).sumWith(nobody)));
    expect(sums.map(turnsIn)).toEqual([20, 20, 20]);
  });
});
