/** Branch and head as git's own files say them, and what became of them since. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Bounds } from "../../src/context/bounds.ts";
import { gitHeadOf as headOf } from "../../src/context/git-head.ts";
import { gitStateOf } from "../../src/context/git-state.ts";
import { gitSince } from "../../src/context/git-since.ts";
import { Knowing } from "../../src/context/knowing.ts";
import { aRig, readThrough } from "./rig.ts";

const scratch = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-head-")));
afterAll(() => fs.rmSync(scratch, { recursive: true }));

function repository(folder: string) {
  return (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=n", "-c", "user.email=e@x", "-C", folder, ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
}

/** Read in both ways. */
async function gitHeadOf(root: string) {
  const [later, atOnce] = [await headOf(root), await headOf(root, (await Bounds.of([root])).near())];
  expect(atOnce).toEqual(later);
  return later;
}

describe("where version control stands [issue 13.3]", () => {
  it("is read as git says it: unborn, loose, packed, detached, in a worktree", async () => {
    const root = path.join(scratch, "one");
    fs.mkdirSync(root);
    const git = repository(root);
    git("init", "-b", "main");
    expect(await gitHeadOf(root)).toEqual({ root, branch: "main" });
    git("commit", "--allow-empty", "-m", "1");
    const head = git("rev-parse", "HEAD");
    expect(await gitHeadOf(root)).toEqual({ root, branch: "main", head });
    git("pack-refs", "--all");
    expect(await gitHeadOf(root)).toEqual({ root, branch: "main", head });
    const tree = path.join(scratch, "tree");
    git("worktree", "add", "-b", "feature/x", tree);
    expect(await gitHeadOf(tree)).toEqual({ root: tree, branch: "feature/x", head });
    git("checkout", "--detach");
    expect(await gitHeadOf(root)).toEqual({ root, head });
    expect(await gitHeadOf(scratch)).toBeUndefined();
  });

  it("is the branch that another name stands for, as git has it, and not told where it cannot be read", async () => {
    const root = path.join(scratch, "names");
    fs.mkdirSync(root);
    const git = repository(root);
    git("init", "-b", "main");
    git("commit", "--allow-empty", "-m", "1");
    const head = git("rev-parse", "HEAD");
    git("symbolic-ref", "refs/heads/alias", "refs/heads/main");
    git("checkout", "alias");
    expect(await gitHeadOf(root)).toEqual({ root, branch: "main", head });
    expect(await gitStateOf(root, 5_000)).toMatchObject({ branch: "main", head });
    git("pack-refs", "--all");
    expect(await gitHeadOf(root)).toEqual({ root, branch: "main", head });
    fs.truncateSync(path.join(root, ".git/packed-refs"), 17 << 20);
    expect(await gitHeadOf(root)).toBeUndefined();
    fs.writeFileSync(path.join(root, ".git/refs/heads/alias"), "ref: refs/heads/alias\n");
    expect(await gitHeadOf(root)).toBeUndefined();
  });

  it("is not asked of repositories that the session's folder is not in, whatever a journal says", async () => {
    const other = { root: path.join(scratch, "one"), head: "a".repeat(40) };
    expect(await gitSince(other, { ...other, branch: "x" }, [scratch], 1_000)).toBeUndefined();
    expect(
      await gitSince(other, { ...other, branch: "x" }, [path.join(other.root, "src")], 1_000),
    ).toBeDefined();
  });

  it("is told to an agent once, with how many commits came", async () => {
    const rig = await aRig();
    const git = repository(rig.folder);
    git("init", "-b", "main");
    rig.write("a", "one");
    git("add", ".");
    git("commit", "-m", "1");
    await rig.work(readThrough(rig.at("a")));
    const knowing = new Knowing(rig.registry);
    const note = async () => {
      const record = await rig.registry.get(rig.id);
      return knowing.note(record, record.headSeq);
    };
    expect(await note()).toBeUndefined();
    git("checkout", "-b", "topic");
    git("commit", "--allow-empty", "-m", "2");
    git("commit", "--allow-empty", "-m", "3");
    const told = await note();
    expect(told?.text).toBe("- version control: Branch main → topic; 2 commits since");
    await rig.registry.addContext(rig.id, async () => told?.data);
    expect(await note()).toBeUndefined();
    git("reset", "--hard", "HEAD~1");
    expect((await note())?.text).toBe("- version control: an earlier commit");
    await rig.close();
  });
});
