/** A session whose folder is reached through a link: as on many machines a temporary folder, or one's code, is. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, expect, it } from "vitest";
import { Knowing } from "../../src/context/knowing.ts";
import { SessionContext } from "../../src/context/session-context.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";
import { readThrough } from "./rig.ts";

const scratch = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-linked-")));
afterAll(() => fs.rmSync(scratch, { recursive: true }));

it.each([
  ["at the top of its repository", "one", ""],
  ["below it", "two", "below"],
])(
  "%s it is told of as any other: files by the names that the agent has, and version control",
  async (_, name, below) => {
    const real = path.join(scratch, name);
    fs.mkdirSync(path.join(real, below), { recursive: true });
    const top = path.join(scratch, `link-to-${name}`);
    fs.symlinkSync(name, top, "junction");
    const cwd = path.join(top, below);
    const git = (...args: string[]) =>
      execFileSync("git", ["-c", "user.name=n", "-c", "user.email=e@x", "-C", cwd, ...args], {
        stdio: "ignore",
      });
    const at = (name: string) => path.join(cwd, name);
    git("init", "-b", "main", real);
    for (const name of ["a", "b", "same"]) fs.writeFileSync(at(name), `${name}\n`.repeat(20));
    fs.writeFileSync(at("ignored"), "x");
    fs.writeFileSync(at(".gitignore"), "ignored");
    git("add", ".");
    git("commit", "-m", "1");
    const registry = new SessionRegistry({ store: openMemoryStore() });
    const { id } = await registry.create({ cwd });
    const { journal } = await registry.open(id);
    await journal.seal(["a", "b", "same", "ignored"].flatMap((name) => readThrough(at(name))));
    await journal.release();
    const context = new SessionContext(registry);
    await context.refresh(id);
    const record = await registry.get(id);
    const knowing = new Knowing(registry);
    expect(await knowing.note(record, record.headSeq)).toBeUndefined();

    git("checkout", "-b", "topic");
    fs.mkdirSync(at("deep"));
    git("mv", "b", "deep/b");
    fs.appendFileSync(at("a"), "more\n");
    fs.writeFileSync(at("fresh"), "");
    git("commit", "-am", "2");
    expect((await knowing.note(record, record.headSeq))?.text.split("\n")[0]).toBe(
      "- version control: Branch main → topic; 1 commit since",
    );
    const { files, git: since, others } = await context.diff(id);
    expect(files.map(({ path: file, what, to }) => [file, what, to])).toEqual([
      [at("a"), "changed", undefined],
      [at("b"), "renamed", at("deep/b")],
      [at("same"), "same", undefined],
      [at("ignored"), "same", undefined],
    ]);
    expect((await context.get(id)).files.at(-1)).toMatchObject({ unread: "ignored" });
    expect([since?.isSwitched, since?.commits, others]).toEqual([true, 1, [path.join(below, "fresh")]]);
    await registry.close();
  },
);
