/** Folders of a network that hang cost a moment once, and nothing for a while after that. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { Bounds } from "../../src/context/bounds.ts";
import { lookAt } from "../../src/context/file-state.ts";
import { gitHeadOf } from "../../src/context/git-head.ts";
import { mountsIn, NearFolders } from "../../src/context/near-folders.ts";
import { scriptsOf } from "../../src/context/scripts.ts";
import { smallTextAt, smallTextOf } from "../../src/context/small-text.ts";

const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-bounds-")));
afterAll(() => fs.rmSync(folder, { recursive: true }));

describe("a folder that does not answer [issue 13]", () => {
  it("is left alone until it does, and its files are named", async () => {
    vi.useFakeTimers();
    try {
      const asked: string[] = [];
      const answers = new Map<string, () => void>();
      const silent = (root: string) => {
        asked.push(root);
        return new Promise<void>((resolve) => answers.set(root, resolve));
      };
      const [root, other] = [path.join(folder, "silent"), path.join(folder, "other")];
      const first = Bounds.of([root, other], silent);
      await vi.advanceTimersByTimeAsync(1_100);
      const bounds = await first;
      expect([bounds.answers(root), await bounds.unread(path.join(root, "a"))]).toEqual([
        false,
        "unanswered",
      ]);
      await vi.advanceTimersByTimeAsync(600_000);
      // Each question would hold one of the few threads that ask.
      await Bounds.of([root, other], silent);
      expect(asked).toEqual([root, other]);
      // This machine's own disks are asked all the same.
      const here = process.platform === "linux";
      expect((await Bounds.of([folder])).answers(folder)).toBe(here);
      answers.get(root)?.();
      answers.get(other)?.();
      await vi.advanceTimersByTimeAsync(0);
      expect((await Bounds.of([root], async () => undefined)).answers(root)).toBe(true);
      expect((await Bounds.of([folder])).answers(folder)).toBe(true);
    } finally {
      vi.useRealTimers();
    }
  });

  it("is left alone where it is mounted within the session's folder, and holds one thread only", async () => {
    vi.useFakeTimers();
    let answer = () => {};
    const hanging = new Promise<void>((resolve) => (answer = resolve));
    try {
      const asked: string[] = [];
      const mounts = new Map([
        ["/", "ext4"],
        [path.join(folder, "net"), "fuse.sshfs"],
        [path.join(folder, "net/own"), "tmpfs"],
      ]);
      const ask = (each: string) => {
        asked.push(each);
        return each === folder ? Promise.resolve(folder) : hanging;
      };
      const bounds = await Bounds.of([folder], ask, mounts);
      const files = ["net/a", "net/x/b", "net/own/c", "d", "network"].map((name) => path.join(folder, name));
      const looked = Promise.all(files.map((file) => bounds.unread(file)));
      await vi.advanceTimersByTimeAsync(1_100);
      expect(await looked).toEqual(["unanswered", "unanswered", undefined, undefined, undefined]);
      expect(await (await Bounds.of([folder], ask, mounts)).unread(path.join(folder, "net/a"))).toBe(
        "unanswered",
      );
      expect(asked).toEqual([folder, path.join(folder, "net"), folder]);
    } finally {
      answer();
      vi.useRealTimers();
    }
  });

  it("is another thing than one that is gone, or that may not be looked into", async () => {
    const gone = path.join(folder, "gone");
    const bounds = await Bounds.of([gone]);
    expect([bounds.answers(gone), await bounds.unread(path.join(gone, "a"))]).toEqual([true, undefined]);
  });

  it("folders are asked at once only where they lie within, and nothing leads out of them", async () => {
    fs.mkdirSync(path.join(folder, "in", "deep"), { recursive: true });
    fs.symlinkSync("/", path.join(folder, "in", "out"));
    fs.writeFileSync(path.join(folder, "in", "file"), "a");
    fs.symlinkSync("deep", path.join(folder, "in", "link"));
    const names = [
      "in",
      "in/deep",
      "in/link",
      "in/out/etc",
      "in/file",
      "none",
      "in/deep/../../..",
      "bad\0name",
    ];
    const near = (await Bounds.of([`${folder}/`])).near();
    const found = names.filter((name) => near.has(`${folder}/${name}`));
    expect(found).toEqual(process.platform === "linux" ? ["in", "in/deep"] : []);
    expect([near.has(folder), near.has("/etc"), near.has(`/${"a/".repeat(1 << 20)}`)]).toEqual([
      process.platform === "linux",
      false,
      false,
    ]);
  });

  it("what is mounted on them, or what they are mounted on, is another machine's", () => {
    const mounts = mountsIn(
      [
        "27 1 254:0 / / rw - ext4 /dev/vda rw",
        `28 27 0:25 / ${folder}/mounted\\040there ro,nosuid shared:3 - nfs4 host:/ ro`,
        "29 27 0:26 / /net rw - autofs auto rw",
        "30 27 0:26 / /twice rw - ext4 /dev/vdb rw",
        "31 30 0:26 / /twice rw - fuse.sshfs host: rw",
      ].join("\n"),
    );
    fs.mkdirSync(path.join(folder, "mounted there", "deep"), { recursive: true });
    const near = (root: string, place = root) => new NearFolders([[root, place]], mounts);
    const here = near(folder);
    expect(
      [folder, `${folder}/mounted there`, `${folder}/mounted there/deep`].map((each) => here.has(each)),
    ).toEqual([true, false, false]);
    for (const root of ["/net/home", "/twice", "/twice/in"]) expect(near(root).has(root)).toBe(false);
    expect([near(folder, "/net/home").has(folder), near("/net", folder).has("/net")]).toEqual([false, true]);
    expect(new NearFolders([[folder, folder]], new Map()).has(folder)).toBe(false);
  });
});

describe.skipIf(process.platform === "win32")("what a repository puts in the place of a file", () => {
  it("is not waited for, and nothing outside of it is read", async () => {
    const root = path.join(folder, "hostile");
    for (const name of [".git/refs/heads", "a", "b", "c"])
      fs.mkdirSync(path.join(root, name), { recursive: true });
    const head = path.join(root, ".git", "HEAD");
    execFileSync("mkfifo", [head, path.join(root, "package.json"), path.join(root, ".git/refs/heads/main")]);
    fs.symlinkSync("/dev/zero", path.join(root, "a", "package.json"));
    fs.writeFileSync(path.join(folder, "outside.json"), '{"scripts":{"outside":""}}');
    fs.symlinkSync("../../outside.json", path.join(root, "b", "package.json"));
    fs.writeFileSync(path.join(root, "real.json"), '{"scripts":{"inside":""}}');
    fs.symlinkSync("../real.json", path.join(root, "c", "package.json"));
    const manifests = ["package.json", "a/package.json", "b/package.json", "c/package.json"];
    expect(await scriptsOf(root, manifests)).toEqual([{ name: "inside", from: "c/package.json" }]);
    const near = (await Bounds.of([root])).near();
    for (const each of [undefined, near]) expect(await gitHeadOf(root, each)).toBeUndefined();
    fs.rmSync(head);
    fs.writeFileSync(head, "ref: refs/heads/main\n");
    for (const each of [undefined, near])
      expect(await gitHeadOf(root, each)).toEqual({ root, branch: "main" });
  });

  it("is not opened where it is a pipe: who waits to write into it is not woken", async () => {
    const pipe = path.join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    const writer = spawn("sh", ["-c", `echo ready; exec 3> '${pipe}'; echo woken`]);
    const closed = once(writer, "close");
    try {
      const said: string[] = [];
      writer.stdout.on("data", (text: Buffer) => said.push(String(text)));
      await once(writer.stdout, "data");
      for (let times = 0; times < 50; times += 1) {
        expect(await lookAt(pipe)).toBe("absent");
        expect(await smallTextOf(pipe, 10)).toBeUndefined();
        expect(smallTextAt(pipe, 10)).toBeUndefined();
      }
      expect(said.join("")).toBe("ready\n");
    } finally {
      writer.kill("SIGKILL");
      await closed;
    }
  });
});
