/** Folders as people have them: with links, repositories in repositories, and a git that does not answer. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { Knowing } from "../../src/context/knowing.ts";
import { SessionContext } from "../../src/context/session-context.ts";
import type { NewEntry } from "../../src/store/contract.ts";
import { aRig, readItself, readThrough, writeItself, type Rig } from "./rig.ts";

const undone: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const undo of undone.splice(0).reverse()) await undo();
});

async function rig(): Promise<Rig> {
  const r = await aRig();
  undone.push(() => r.close());
  return r;
}

function aFolder(): string {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-odd-")));
  undone.push(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const git = (folder: string, ...args: string[]) =>
  execFileSync("git", ["-c", "user.name=n", "-c", "user.email=e@x", "-C", folder, ...args], {
    stdio: "ignore",
  });

/** What the agent is told before its next prompt; who asks again is told nothing more. */
async function noteOf(r: Pick<Rig, "registry" | "id">): Promise<string | undefined> {
  const record = await r.registry.get(r.id);
  const note = await new Knowing(r.registry).note(record, record.headSeq);
  if (note === undefined) return undefined;
  const { journal } = await r.registry.open(r.id);
  await journal.seal([{ kind: "context", atMs: Date.now(), data: note.data }]);
  await journal.release();
  return note.text;
}

describe("what git ignores [issue 13]", () => {
  it("is known beside files of a repository within, and files that are reached through a link", async () => {
    const r = await rig();
    git(r.folder, "init");
    r.write("own/a", "a");
    r.write("sub/a", "a");
    r.write("sub/ignored-there", "x");
    r.write("sub/.gitignore", "ignored-there");
    git(r.at("sub"), "init");
    git(r.at("sub"), "add", ".");
    git(r.at("sub"), "commit", "-m", "1");
    git(r.folder, "add", "sub");
    r.write(".gitignore", "ignored\n/linked/b");
    r.write("ignored", "x");
    r.write("linked/b", "x");
    fs.symlinkSync("linked", r.at("link"));
    const names = ["own/a", "sub/a", "sub/ignored-there", "link/b", "ignored"];
    await r.work(...names.map((name) => readThrough(r.at(name))));
    const { files } = await r.context.get(r.id);
    expect(
      Object.fromEntries(files.map((file) => [path.relative(r.folder, file.path), file.unread])),
    ).toEqual({
      "own/a": undefined,
      "sub/a": undefined,
      "sub/ignored-there": "ignored",
      "link/b": "ignored",
      ignored: "ignored",
    });
  });
});

describe("files with two names [issue 13]", () => {
  it("are one: what the agent wrote by the one was not changed by other hands", async () => {
    const [real, folder] = [aFolder(), aFolder()];
    const link = path.join(folder, "link");
    fs.symlinkSync(real, link);
    const { registry } = await rig();
    const { id } = await registry.create({ cwd: link });
    const context = new SessionContext(registry);
    const work = async (...said: readonly NewEntry[][]) => {
      const { journal } = await registry.open(id);
      await journal.seal(said.flat());
      await journal.release();
      return context.refresh(id);
    };
    const [by, is] = [path.join(link, "a"), path.join(real, "a")];
    fs.writeFileSync(is, "one");
    await work(readThrough(by));
    await work(writeItself(is, "two"), readItself(`${link}/./a`));
    const { files } = await context.diff(id);
    expect(files.map(({ path: file, what }) => [file, what])).toEqual([[by, "same"]]);
    expect(await noteOf({ registry, id })).toBeUndefined();
  });
});

describe("a file in whose place a link leads out [issue 13]", () => {
  it("is told once as perhaps changed, is not read, and is told again when it is back", async () => {
    const out = path.join(aFolder(), "out");
    fs.writeFileSync(out, "one");
    const r = await rig();
    r.write("a", "one");
    await r.work(readThrough(r.at("a")));
    fs.renameSync(r.at("a"), r.at("b"));
    fs.symlinkSync(out, r.at("a"));
    const { files } = await r.context.diff(r.id);
    expect(files).toMatchObject([{ path: r.at("a"), what: "unknown", why: "outside", mayDiffer: true }]);
    expect(await noteOf(r)).toBe("- perhaps changed: a");
    expect(await noteOf(r)).toBeUndefined();
    fs.renameSync(r.at("b"), r.at("a"));
    expect(await noteOf(r)).toBe("- as you had it again: a");
    expect(await noteOf(r)).toBeUndefined();
  });
});

describe("files that others made something else of [issue 13]", () => {
  it("are gone where there is a folder, and renamed where only the case of a letter is another", async () => {
    const r = await rig();
    for (const name of ["a.ts", "b.ts", "odd\n\u202e名.ts"]) r.write(name, `contents of ${name}`);
    await r.work(...["a.ts", "b.ts", "odd\n\u202e名.ts"].map((name) => readThrough(r.at(name))));
    fs.rmSync(r.at("a.ts"));
    r.write("a.ts/a.ts", "another");
    fs.renameSync(r.at("b.ts"), r.at("B.ts"));
    fs.renameSync(r.at("odd\n\u202e名.ts"), r.at("plain.ts"));
    expect((await noteOf(r))?.split("\n")).toEqual([
      "- deleted: a.ts",
      "- renamed: b.ts → B.ts",
      "- renamed: odd\\n\\u202e名.ts → plain.ts",
    ]);
  });
});

describe("a git that does not answer [issue 13]", () => {
  it("takes nothing from what is told of files before a prompt", async () => {
    const r = await rig();
    git(r.folder, "init");
    r.write("a", "one");
    await r.work(readThrough(r.at("a")));
    const bin = aFolder();
    fs.writeFileSync(path.join(bin, "git"), "#!/bin/sh\nexec sleep 600\n", { mode: 0o755 });
    const { PATH } = process.env;
    process.env.PATH = `${bin}${path.delimiter}${PATH ?? ""}`;
    undone.push(() => void (process.env.PATH = PATH));
    r.write("a", "two");
    r.write("b", "new");
    await r.turn(readThrough(r.at("b")));
    const record = await r.registry.get(r.id);
    const knowing = new Knowing(r.registry, { timeMs: 600_000 });
    const note = knowing.note(record, record.headSeq);
    expect((await note)?.text).toBe("- changed: a");
  });
});
