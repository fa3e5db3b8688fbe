/** Files that others put elsewhere: told as renamed where that is sure, wherever they went, and as deleted where it is not. */
import fs from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { aRig, readItself, readThrough, type Rig } from "./rig.ts";

const rigs: Rig[] = [];
afterEach(async () => {
  await Promise.all(rigs.splice(0).map((each) => each.close()));
});

/** A session whose agent knows all of these files; each holds its own name unless told. */
async function knowing(
  files: readonly string[],
  unknown: readonly string[] = [],
  holds = (name: string) => `contents of ${name}`,
): Promise<Rig> {
  const r = await aRig();
  rigs.push(r);
  for (const name of [...files, ...unknown]) r.write(name, holds(name));
  await r.work(...files.map((name) => readThrough(r.at(name))));
  return r;
}

const move = (r: Rig, from: string, to: string) => {
  fs.mkdirSync(path.dirname(r.at(to)), { recursive: true });
  fs.renameSync(r.at(from), r.at(to));
};

describe("files of folders that were moved [issue 13.3]", () => {
  it.each([
    ["a folder up", "src/a/b", "lib"],
    ["a folder down", "lib", "src/a/b"],
    ["to another branch of the tree", "packages/x/src", "lib/x/src"],
    ["over many levels", "a/b/c/d/e", "one/two/three/four"],
    ["into what is else left out", "src", "vendor/src"],
  ])("%s", async (_, from, to) => {
    const below = ["one.ts", "deep/two.ts", "deep/er/three.ts"];
    const r = await knowing(
      below.map((name) => `${from}/${name}`),
      ["README.md", "other/one.ts", `${from}/unknown.ts`],
    );
    move(r, from, to);
    expect(await r.changes()).toEqual(
      Object.fromEntries(below.map((name) => [`${from}/${name}`, `renamed ${to}/${name}`])),
    );
  });

  it("with all that there was, a level down and up again", async () => {
    const names = ["src/a.ts", "src/deep/b.ts", "docs/c.md", "d.txt"];
    const r = await knowing(names);
    for (const name of ["src", "docs", "d.txt"]) move(r, name, `app/${name}`);
    expect(await r.changes()).toEqual(Object.fromEntries(names.map((name) => [name, `renamed app/${name}`])));
    for (const name of ["src", "docs", "d.txt"]) move(r, `app/${name}`, name);
    expect(Object.values(await r.changes())).toEqual(names.map(() => "same"));
  });

  it("file by file, some under another name", async () => {
    const r = await knowing(["src/a.ts", "src/b.ts", "src/c.ts"]);
    move(r, "src/a.ts", "lib/deep/a.ts");
    move(r, "src/b.ts", "lib/other.js");
    fs.rmSync(r.at("src/c.ts"));
    r.write("lib/c.ts", "another one");
    expect(await r.changes()).toEqual({
      "src/a.ts": "renamed lib/deep/a.ts",
      "src/b.ts": "renamed lib/other.js",
      "src/c.ts": "deleted",
    });
  });

  it("and what looks secret in them, or is huge, which nobody reads", async () => {
    const r = await knowing(["src/a.ts"], ["src/.env", "src/x.bin"]);
    fs.truncateSync(r.at("src/x.bin"), (8 << 20) + 1);
    await r.work(readItself(r.at("src/.env"), 60_000), readItself(r.at("src/x.bin"), 60_000));
    move(r, "src", "lib/deep");
    expect(await r.changes()).toEqual({
      "src/a.ts": "renamed lib/deep/a.ts",
      "src/.env": "renamed lib/deep/.env",
      "src/x.bin": "renamed lib/deep/x.bin",
    });
  });
});

describe("files that may be at several places", () => {
  it("are told as deleted when two hold what they held", async () => {
    const r = await knowing(["src/a/one.ts"]);
    fs.cpSync(r.at("src/a"), r.at("lib"), { recursive: true });
    fs.cpSync(r.at("src/a"), r.at("old/a"), { recursive: true });
    fs.rmSync(r.at("src/a"), { recursive: true });
    expect(await r.changes()).toEqual({ "src/a/one.ts": "deleted" });
  });

  it("are where their inode is, whoever else holds the same", async () => {
    const r = await knowing(["src/a/one.ts"]);
    fs.cpSync(r.at("src/a"), r.at("aa"), { recursive: true });
    move(r, "src/a", "lib");
    expect(await r.changes()).toEqual({ "src/a/one.ts": "renamed lib/one.ts" });
  });

  it("are told as deleted when one is there for two of them, or two links lead to one", async () => {
    const r = await knowing(["a.ts", "b.ts", "c.ts"], [], (name) => (name === "c.ts" ? "c" : "same"));
    fs.copyFileSync(r.at("a.ts"), r.at("new.ts"));
    fs.rmSync(r.at("a.ts"));
    fs.rmSync(r.at("b.ts"));
    fs.linkSync(r.at("c.ts"), r.at("c1.ts"));
    fs.linkSync(r.at("c.ts"), r.at("c2.ts"));
    fs.rmSync(r.at("c.ts"));
    expect(await r.changes()).toEqual({ "a.ts": "deleted", "b.ts": "deleted", "c.ts": "deleted" });
  });

  it("are where their folder has gone, if that is sure: empty ones, and those that are all alike", async () => {
    const names = ["src/__init__.py", "src/x/__init__.py", "src/x/y/__init__.py", "src/x/main.py"];
    const r = await knowing(names, [], (name) => (name.endsWith("main.py") ? "main" : ""));
    fs.cpSync(r.at("src"), r.at("lib/python"), { recursive: true });
    fs.rmSync(r.at("src"), { recursive: true });
    expect(await r.changes()).toEqual({
      "src/__init__.py": "deleted",
      "src/x/__init__.py": "renamed lib/python/x/__init__.py",
      "src/x/y/__init__.py": "renamed lib/python/x/y/__init__.py",
      "src/x/main.py": "renamed lib/python/x/main.py",
    });
  });

  it("are not those that were there before, nor an empty one that is new", async () => {
    const r = await knowing(["src/a.ts", "src/empty.ts", "same.ts"], [], (name) =>
      name === "src/empty.ts" ? "" : "same",
    );
    fs.rmSync(r.at("src"), { recursive: true });
    r.write("lib/new.ts", "");
    expect(await r.changes()).toEqual({
      "src/a.ts": "deleted",
      "src/empty.ts": "deleted",
      "same.ts": "same",
    });
  });
});
