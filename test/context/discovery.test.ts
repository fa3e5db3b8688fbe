/** What a folder is known to be: with git and without, of any size, in any state, and never what it keeps secret. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { discover } from "../../src/context/discovery.ts";
import { statusIn, gitStateOf } from "../../src/context/git-state.ts";
import { isInstruction, isManifest, looksSecret } from "../../src/context/landmarks.ts";

const scratch = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-context-")));
afterAll(() => fs.rmSync(scratch, { recursive: true }));
let made = 0;

function aFolder(files: Readonly<Record<string, string>> = {}): string {
  const folder = path.join(scratch, String((made += 1)));
  fs.mkdirSync(folder);
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), text);
  }
  return folder;
}

function git(folder: string, ...args: string[]): string {
  const who = [
    "-c",
    "user.name=A",
    "-c",
    "user.email=a@b",
    "-c",
    "init.defaultBranch=main",
    "-c",
    "commit.gpgsign=false",
  ];
  return execFileSync("git", [...who, "-C", folder, ...args], { encoding: "utf8", stdio: "pipe" }).trim();
}

const project = {
  "package.json": JSON.stringify({ scripts: { test: "vitest --token hunter2", build: "tsc" } }),
  Makefile: "VERSION := 1\nall: build\nbuild:\n\tcc x.c\n.PHONY: all\n",
  "AGENTS.md": "# Agents\n",
  "src/a.ts": "1",
  "src/b.ts": "2",
  "src/x.py": "3",
  "src/.cursor/rules/a.mdc": "",
  "packages/one/package.json": "{",
};

describe("a project is discovered [issue 13.1]", () => {
  it("without git's program: root, branch and head, as git's files say them", async () => {
    const folder = aFolder(project);
    git(folder, "init");
    git(folder, "add", ".");
    git(folder, "commit", "-m", "one");
    const head = git(folder, "rev-parse", "HEAD");
    const { PATH } = process.env;
    process.env["PATH"] = scratch;
    try {
      expect(await discover(path.join(folder, "src"))).toMatchObject({
        root: folder,
        versionControl: { kind: "git", branch: "main", head },
        files: Object.keys(project).length,
      });
      expect(await gitStateOf(path.join(folder, "src"), 1_000)).toEqual({
        ...{ root: folder, branch: "main", head },
        ...{ dirty: {}, isCut: true },
      });
    } finally {
      process.env["PATH"] = PATH;
    }
  });

  it.runIf(process.getuid?.() === 0)(
    "of a repository of somebody else, which git refuses, and not of one that lies above",
    async () => {
      const folder = aFolder(project);
      git(folder, "init");
      fs.chownSync(folder, 12_345, 12_345);
      fs.chownSync(path.join(folder, ".git"), 12_345, 12_345);
      expect((await discover(folder))?.versionControl).toEqual({ kind: "git", branch: "main" });
      expect((await discover(path.join(folder, "src")))?.versionControl).toBeUndefined();
    },
  );

  it("with git: root, branch, head, remote without credentials, languages, manifests, scripts, instructions", async () => {
    const folder = aFolder({ ...project, ".gitignore": "out.ts\n", "out.ts": "" });
    git(folder, "init");
    git(folder, "remote", "add", "origin", "https://me:hunter2@example.com/a/b.git");
    git(folder, "add", ".");
    git(folder, "commit", "-m", "one");
    fs.writeFileSync(path.join(folder, "src/a.ts"), "changed");
    fs.writeFileSync(path.join(folder, "new.ts"), "");
    const found = await discover(path.join(folder, "src"));
    expect(found).toMatchObject({
      folder: path.join(folder, "src"),
      root: folder,
      versionControl: {
        kind: "git",
        branch: "main",
        head: git(folder, "rev-parse", "HEAD"),
        remote: "https://example.com/a/b.git",
        dirty: 2,
      },
      languages: [
        { name: "TypeScript", files: 2 },
        { name: "Markdown", files: 1 },
        { name: "Python", files: 1 },
      ],
      manifests: ["Makefile", "package.json", "packages/one/package.json"],
      scripts: [
        { name: "all", from: "Makefile" },
        { name: "build", from: "Makefile" },
        { name: "test", from: "package.json" },
        { name: "build", from: "package.json" },
      ],
      instructions: ["AGENTS.md"],
      isCut: false,
    });
    expect(JSON.stringify(found)).not.toContain("hunter2");
  });

  it("without git, and without what tools have made", async () => {
    const folder = aFolder({ ...project, "node_modules/x/index.js": "", "target/y.rs": "" });
    fs.symlinkSync(folder, path.join(folder, "src", "circle"));
    const found = await discover(folder);
    expect(found).toMatchObject({ root: folder, files: 8, isCut: false });
    expect(found).not.toHaveProperty("versionControl");
    expect(found?.languages.map(({ name }) => name)).toEqual(["TypeScript", "Markdown", "Python"]);
  });

  it("before the first commit, on a detached head, bare, empty, gone, and as a file", async () => {
    const fresh = aFolder({ "a.go": "" });
    git(fresh, "init");
    expect((await discover(fresh))?.versionControl).toEqual({ kind: "git", branch: "main", dirty: 1 });
    git(fresh, "add", ".");
    git(fresh, "commit", "-m", "one");
    git(fresh, "checkout", "--detach");
    expect((await discover(fresh))?.versionControl).toEqual({
      kind: "git",
      head: git(fresh, "rev-parse", "HEAD"),
      dirty: 0,
    });
    const bare = aFolder();
    git(bare, "init", "--bare");
    expect(await discover(bare)).toMatchObject({ root: bare });
    expect(await discover(aFolder())).toMatchObject({ files: 0, languages: [], manifests: [] });
    expect(await discover(path.join(scratch, "none"))).toBeUndefined();
    expect(await discover(path.join(fresh, "a.go"))).toBeUndefined();
  });

  it("no further than it may be, and says so", async () => {
    const folder = aFolder(Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`d${at}/f.rs`, ""])));
    expect(await discover(folder, { mostFiles: 10 })).toMatchObject({ files: 10, isCut: true });
    git(folder, "init");
    git(folder, "add", ".");
    expect(await discover(folder, { mostFiles: 10 })).toMatchObject({ files: 10, isCut: true });
  });

  it("and no program runs that the folder's settings name", async () => {
    const folder = aFolder({ "a.c": "" });
    git(folder, "init");
    const trap = path.join(folder, "trap.sh");
    fs.writeFileSync(trap, `#!/bin/sh\ntouch ${scratch}/sprung\n`, { mode: 0o755 });
    git(folder, "config", "core.fsmonitor", trap);
    git(folder, "config", "core.hooksPath", folder);
    await discover(folder);
    expect(fs.existsSync(path.join(scratch, "sprung"))).toBe(false);
  });

  it("without an answer of git in time as without git", async () => {
    const folder = aFolder({ "a.c": "" });
    git(folder, "init");
    expect(await gitStateOf(folder, 1)).toBeUndefined();
  });
});

describe("what git says", () => {
  it("is read whatever stands in a path", () => {
    const said = [
      "# branch.oid 1234",
      "# branch.head a/b c",
      "1 .M N... 100644 100644 100644 aaa bbb with space\nand line",
      "2 R. N... 100644 100644 100644 aaa bbb R100 new name",
      "old name",
      "u UU N... 1 2 3 4 aaa bbb ccc both",
      "? __proto__",
      "? ",
      "! ignored",
      "1 short",
      "",
    ].join("\0");
    const { dirty, ...state } = statusIn(said, false);
    expect(state).toEqual({ branch: "a/b c", head: "1234", isCut: false });
    expect(Object.entries(dirty)).toEqual([
      ["with space\nand line", ".M"],
      ["new name", "R."],
      ["both", "UU"],
      ["__proto__", "??"],
      ["", "??"],
    ]);
  });
});

describe("a file", () => {
  it.each([
    ".env",
    "a/.env.local",
    ".ssh/config",
    "id_ed25519",
    "deploy.pem",
    "secrets/x.json",
    "secrets.yaml",
    "a\\.env",
  ])("looks secret: %s", (name) => expect(looksSecret(name)).toBe(true));
  it.each([".env.example", "env.ts", "src/secretary.ts", "keys.md", "monkey"])("does not: %s", (name) =>
    expect(looksSecret(name)).toBe(false),
  );
  it("is a manifest near the root, and written for agents anywhere", () => {
    expect(["go.mod", "a/b/Cargo.toml", "x.csproj"].map(isManifest)).toEqual([true, true, true]);
    expect(["a/b/c/package.json", "package.json.bak"].map(isManifest)).toEqual([false, false]);
    expect(
      ["a/b/c/AGENTS.md", ".github/copilot-instructions.md", ".cursor/rules/x.mdc"].every(isInstruction),
    ).toBe(true);
    expect(["agents.ts", "docs/copilot-instructions.md"].some(isInstruction)).toBe(false);
  });
});
