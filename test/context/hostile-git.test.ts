/** A folder that somebody else made: of what its own git settings name nothing is started, whatever is asked about it. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, expect, it } from "vitest";
import { renamedInCommits } from "../../src/context/git-since.ts";
import { gitStateOf } from "../../src/context/git-state.ts";

const scratch = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-hostile-")));
afterAll(() => fs.rmSync(scratch, { recursive: true }));
const sprung = path.join(scratch, "sprung");
const trap = path.join(scratch, "trap.sh");
fs.writeFileSync(trap, `#!/bin/sh\ntouch ${sprung}\nexit 1\n`, { mode: 0o755 });

function git(folder: string, ...args: string[]): string {
  const who = ["-c", "user.name=A", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"];
  return execFileSync("git", [...who, "-C", folder, ...args], { encoding: "utf8", stdio: "pipe" }).trim();
}

function aRepository(name: string): string {
  const folder = path.join(scratch, name);
  fs.mkdirSync(folder);
  git(folder, "init");
  return folder;
}

for (const filter of ["x", "x.y", "a=b"])
  it(`a filter, ${filter}`, async () => {
    const folder = aRepository(`filter ${filter}`);
    fs.writeFileSync(path.join(folder, ".gitattributes"), `* filter=${filter}\n`);
    fs.writeFileSync(path.join(folder, "a.txt"), "one");
    git(folder, "add", ".");
    git(folder, "commit", "-m", "one");
    for (const key of ["clean", "process"]) git(folder, "config", `filter.${filter}.${key}`, trap);
    git(folder, "config", `filter.${filter}.required`, "true");
    // To tell whether it is another one, git reads it.
    fs.writeFileSync(path.join(folder, "a.txt"), "two");
    expect(await gitStateOf(folder, 5_000)).toMatchObject({
      branch: "main",
      dirty: filter === "a=b" ? {} : { "a.txt": ".M" },
    });
    expect(fs.existsSync(sprung)).toBe(false);
  });

it("what a partial clone lacks is fetched from nowhere", async () => {
  const origin = aRepository("origin");
  const text = Array.from({ length: 50 }, (_, at) => `line ${at}\n`).join("");
  fs.writeFileSync(path.join(origin, "a.txt"), text);
  git(origin, "add", ".");
  git(origin, "commit", "-m", "one");
  git(origin, "mv", "a.txt", "b.txt");
  fs.writeFileSync(path.join(origin, "b.txt"), `${text}more`);
  git(origin, "commit", "-am", "two");
  git(origin, "config", "uploadpack.allowFilter", "true");
  git(scratch, "clone", "--filter=blob:none", "--no-checkout", `file://${origin}`, "partial");
  const folder = path.join(scratch, "partial");
  git(folder, "config", "remote.origin.url", `ext::${trap}`);
  git(folder, "config", "protocol.ext.allow", "always");
  const [from, to] = ["HEAD~1", "HEAD"].map((head) => ({
    root: folder,
    head: git(folder, "rev-parse", head),
  }));
  if (from === undefined || to === undefined) throw new Error("no commits");
  expect(await renamedInCommits({ from, to, isSwitched: false }, 5_000)).toEqual(new Map());
  expect(fs.existsSync(sprung)).toBe(false);
});
