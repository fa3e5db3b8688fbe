import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { backupFileStore } from "../../src/care/file/backup.ts";
import { backupSqliteStore } from "../../src/care/sqlite/backup.ts";
import { unfinishedName } from "../../src/care/unfinished.ts";
import { openStore } from "../../src/store/open.ts";

const root = mkdtempSync(path.join(tmpdir(), "acp-sidecar-unfinished-"));
afterAll(() => rmSync(root, { recursive: true }));

/** A name of a process that was killed. */
async function nameOfTheDead(goal: string, kind: "copy.tmp" | "rebuilt.tmp" | "partial"): Promise<string> {
  const child = spawn(process.execPath, ["-e", ""], { stdio: "ignore" });
  await once(child, "exit");
  return unfinishedName(goal, kind).replace(/\.\d+-/, `.${child.pid}-`);
}

describe("what a killed process has left of a copy", () => {
  it("is removed by whoever makes the next one beside it; what others are at work on stays", async () => {
    const goal = path.join(root, "sessions.db");
    const mine = unfinishedName(goal, "copy.tmp");
    const dead = await nameOfTheDead(goal, "rebuilt.tmp");
    // The number is ours by now, and was another's.
    const sameNumber = unfinishedName(goal, "copy.tmp").replace(/(\.\d+)-\w+-/, "$1-1-");
    const others = [`${goal}.bak`, `${goal}2.1-1-${"0".repeat(36)}.partial`, `${goal}.1-1-x.partial`];
    for (const file of [mine, dead, `${dead}-journal`, sameNumber, ...others]) writeFileSync(file, "");
    unfinishedName(goal, "partial");
    const there = readdirSync(root).map((name) => path.join(root, name));
    expect(there.toSorted()).toEqual([mine, ...others].toSorted());
    expect(() => unfinishedName(path.join(root, "not", "there"), "partial")).not.toThrow();
  });

  it("goes with the next backup, of either kind", async () => {
    const database = path.join(root, "a.db");
    const folder = path.join(root, "files");
    for (const url of [`sqlite:${database}`, `file:${folder}`]) await (await openStore(url)).close();
    const goals = [path.join(root, "b.db"), path.join(root, "b")] as const;
    const left = [
      await nameOfTheDead(goals[0], "partial"),
      await nameOfTheDead(goals[1], "partial"),
    ] as const;
    writeFileSync(left[0], "");
    mkdirSync(path.join(left[1], "sessions"), { recursive: true });
    await backupSqliteStore(database, goals[0]);
    await backupFileStore(folder, goals[1]);
    expect(left.map((name) => existsSync(name))).toEqual([false, false]);
    expect(goals.map((name) => existsSync(name))).toEqual([true, true]);
  });
});
