/** The door to a session's context, over real folders: what is known, what became of it, who may change it. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { SessionContext } from "../../src/context/session-context.ts";
import type { SessionRegistry } from "../../src/session/registry.ts";
import { sealedWhileRead } from "../../src/store/refusals.ts";
import { placeholder } from "../../src/store/placeholder.ts";
import { aRig, readItself, readThrough, writeItself, writeThrough, type Rig } from "./rig.ts";

const rigs: Rig[] = [];
const rig = async () => {
  const made = await aRig();
  rigs.push(made);
  return made;
};
afterEach(async () => {
  for (const each of rigs.splice(0)) await each.close();
});
const elsewhere = fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-elsewhere-"));
afterAll(() => fs.rmSync(elsewhere, { recursive: true }));

const entries = async ({ registry, id }: Rig) => {
  const found: { seq: number; kind: string; data: string }[] = [];
  for await (const page of registry.read(id)) found.push(...page);
  return found;
};
const contexts = async (of: Rig) => (await entries(of)).filter(({ kind }) => kind === "context");

describe("snapshots [issue 13.2]", () => {
  it("are entries with what differs from the one before, and none where nothing does", async () => {
    const r = await rig();
    await r.work();
    expect(await contexts(r)).toEqual([]);
    r.write("a", "one");
    r.write("b", "two");
    await r.work(readThrough(r.at("a")));
    await r.work(readThrough(r.at("b")));
    await r.work();
    const [first, second, ...more] = (await contexts(r)).map(({ data }) => JSON.parse(data) as object);
    expect(more).toEqual([]);
    expect(Object.keys(first as object)).toEqual(["form", "through", "cwd", "files", "acp-sidecar.chain"]);
    expect(second).toMatchObject({ steps: 1, files: { [r.at("b")]: { how: "read" } } });
    expect(Object.keys((second as { files: object }).files)).toEqual([r.at("b")]);
    expect((await r.context.get(r.id)).files.map(({ path: file }) => path.basename(file))).toEqual([
      "a",
      "b",
    ]);
  });

  it("never hold what stands in files, and know what an editor had not saved", async () => {
    const r = await rig();
    r.write("a", "on disk");
    r.write("b", "both");
    await r.work(readThrough(r.at("a"), "only in the editor-secret"), readThrough(r.at("b")));
    // It was there long before the agent was shown it.
    for (const { data } of await contexts(r)) expect(data).not.toMatch(/only in|on disk|both/);
    const [a, b] = (await r.context.get(r.id)).files;
    expect(b).toMatchObject({ from: "disk", size: 4 });
    // Written within the same instant: nobody can tell which came first, so it is told.
    expect(["buffer", "unknown"]).toContain(a?.from);
  });

  it("take for what is on disk what a client shows of it: other bytes, marks and ends of lines", async () => {
    const r = await rig();
    const shown: Record<string, [disk: string | Buffer, shown: string]> = {
      bytes: [Buffer.from([0x61, 0xff, 0xfe, 0x0a]), "a\ufffd\ufffd\n"],
      mark: ["\ufeffone\r\n", "one\n"],
      lines: ["one\r\ntwo\r\n", "one\ntwo\n"],
      end: ["one\n", "one"],
      unsaved: ["one\n", "one more"],
    };
    for (const [name, [disk]] of Object.entries(shown)) fs.writeFileSync(r.at(name), disk);
    const read = (laterMs: number) =>
      Object.entries(shown).map(([name, [, text]]) =>
        readThrough(r.at(name), text).map((each) => ({ ...each, atMs: each.atMs + laterMs })),
      );
    await r.work(...read(1_000));
    const from = async () =>
      (await r.context.get(r.id)).files.map((file) => [path.basename(file.path), file.from]);
    expect(await from()).toEqual([
      ...["bytes", "mark", "lines", "end"].map((name) => [name, "disk"]),
      ["unsaved", "buffer"],
    ]);
    // Touched after the agent had it, and before it was looked at: somebody may have changed just the ends of its lines.
    await r.work(...read(-1_000));
    const forms = { bytes: "unknown", mark: "unknown", lines: "unknown", end: "unknown" };
    expect(await r.changes()).toEqual({ ...forms, unsaved: "changed" });
    for (const name of Object.keys(shown)) fs.appendFileSync(r.at(name), "x");
    expect(new Set(Object.values(await r.changes()))).toEqual(new Set(["changed"]));
  });

  it("say from a buffer what was there before the agent was shown something else", async () => {
    const r = await rig();
    r.write("a", "on disk");
    const shown = readThrough(r.at("a"), "not saved").map((each) => ({ ...each, atMs: Date.now() + 500 }));
    await r.work(shown);
    expect((await r.context.get(r.id)).files[0]).toMatchObject({ from: "buffer", size: 7 });
    expect(await r.changes()).toEqual({ a: "same" });
    r.write("a", "not saved");
    expect(await r.changes()).toEqual({ a: "same" });
    r.write("a", "something else");
    expect(await r.changes()).toEqual({ a: "changed" });
  });

  it("keep what was known of a file until its agent sees it again", async () => {
    const r = await rig();
    r.write("a", "one");
    r.write("b", "two");
    await r.work(readThrough(r.at("a")), readThrough(r.at("b")));
    r.write("a", "changed in the middle of the next turn");
    await r.work(readThrough(r.at("b")));
    expect(await r.changes()).toEqual({ a: "changed", b: "same" });
    await r.work(readThrough(r.at("a")));
    expect(await r.changes()).toEqual({ b: "same", a: "same" });
  });

  it("know a file by a path below the session's folder, and no folder that was listed", async () => {
    const r = await rig();
    r.write("src/a", "one");
    fs.writeFileSync(path.join(elsewhere, "out"), "one");
    const out = path.relative(r.folder, path.join(elsewhere, "out"));
    await r.work(readItself("src/a"), readItself(out), readItself(r.at("src")), readItself("src"));
    const { files } = await r.context.get(r.id);
    expect(files.map(({ path: file, unread }) => [file, unread])).toEqual([
      [r.at("src/a"), undefined],
      [out, "outside"],
    ]);
    r.write("src/a", "two");
    const { files: since } = await r.context.diff(r.id);
    expect(since.map(({ path: file, what }) => [file, what])).toEqual([
      [r.at("src/a"), "changed"],
      [out, "unknown"],
    ]);
  });

  it("know so many files at most, those told of last, and say so", async () => {
    const r = await rig();
    const call = (from: number, count: number) => {
      const locations = Array.from({ length: count }, (_, at) => ({ path: r.at(`${from + at}`) }));
      const update = { sessionUpdate: "tool_call", toolCallId: "t", title: "t", kind: "edit", locations };
      return [{ kind: "update" as const, atMs: Date.now(), data: JSON.stringify({ update }) }];
    };
    await r.turn(call(0, 10));
    expect(await r.context.get(r.id)).toMatchObject({ mostFiles: 2_000 });
    expect(await r.context.get(r.id)).not.toHaveProperty("isFull");
    await r.work(call(10, 50_000));
    await r.turn(call(90_000, 5));
    const { files, isFull } = await r.context.get(r.id);
    expect([files.length, isFull]).toEqual([2_000, true]);
    expect([files[0]?.path, files.at(-1)?.path]).toEqual([r.at("48015"), r.at("90004")]);
    expect((await r.context.diff(r.id)).files).toHaveLength(2_000);
  });

  it("go back with the conversation, and along with a fork", async () => {
    const r = await rig();
    r.write("a", "one");
    await r.work(readThrough(r.at("a")));
    const { version } = await r.context.get(r.id);
    await r.work(writeThrough(r.at("a"), "two"), writeThrough(r.at("b"), "new"));
    expect(await r.changes()).toEqual({ a: "same", b: "same" });
    const fork = await r.registry.fork(r.id, version);
    await r.registry.rewind(r.id, version);
    for (const id of [r.id, fork.id]) {
      const { files } = await r.context.diff(id);
      expect(files.map(({ path: file, what }) => [path.basename(file), what])).toEqual([["a", "changed"]]);
    }
    await r.work(readThrough(r.at("a")));
    expect(await r.changes()).toEqual({ a: "same" });
  });

  it("go along when the project moves", async () => {
    const r = await rig();
    r.write("src/a", "one");
    await r.work(readThrough(r.at("src/a")));
    const folder = path.join(elsewhere, "moved");
    fs.renameSync(r.folder, folder);
    await r.registry.move(r.id, folder);
    const what = async () => (await r.context.diff(r.id)).files.map((file) => [file.path, file.what]);
    expect(await what()).toEqual([[path.join(folder, "src/a"), "same"]]);
    await r.context.refresh(r.id);
    fs.writeFileSync(path.join(folder, "src/a"), "two");
    expect(await what()).toEqual([[path.join(folder, "src/a"), "changed"]]);
    expect((await r.context.get(r.id)).files).toHaveLength(1);
  });

  it("that are damaged lose nothing quietly: what was told is looked at anew", async () => {
    const r = await rig();
    r.write("a", "one");
    await r.work(readThrough(r.at("a")));
    r.write("b", "two");
    await r.work(readThrough(r.at("b")));
    const [first] = await contexts(r);
    if (first === undefined) throw new Error("no snapshot");
    const { journal } = await r.registry.open(r.id);
    await r.store.rewrite(r.id, first.seq, [{ ...placeholder(1), atMs: 1 }], journal.lease);
    await journal.release();
    r.write("a", "two");
    expect(await r.changes()).toEqual({ b: "same", a: "changed" });
  });
});

describe("what became of files [issue 13.3]", () => {
  it("is told of renames by inode or contents, and of what is elsewhere", async () => {
    const r = await rig();
    for (const name of ["src/a", "src/b", "src/c", "lib/d"]) r.write(name, `contents of ${name}`);
    await r.work(...["src/a", "src/b", "src/c", "lib/d"].map((name) => readThrough(r.at(name))));
    fs.renameSync(r.at("src/a"), r.at("src/a2"));
    fs.copyFileSync(r.at("src/b"), r.at("src/b2"));
    fs.rmSync(r.at("src/b"));
    fs.rmSync(r.at("src/c"));
    fs.rmSync(r.at("lib"), { recursive: true });
    expect(await r.changes()).toEqual({
      "src/a": "renamed src/a2",
      "src/b": "renamed src/b2",
      "src/c": "deleted",
      "lib/d": "deleted",
    });
  });

  it("is told however many turns end while the session is read", async () => {
    const r = await rig();
    r.write("a", "one");
    await r.work(readThrough(r.at("a")));
    r.write("a", "another");
    let turns = 0;
    const sealing = Object.create(r.registry) as SessionRegistry;
    sealing.read = async function* (id, range) {
      if ((turns += 1) <= 3) throw sealedWhileRead(id);
      yield* r.registry.read(id, range);
    };
    sealing.get = (id) => r.registry.get(id);
    sealing.superseded = (id, through) => r.registry.superseded(id, through);
    expect((await new SessionContext(sealing).diff(r.id)).files).toMatchObject([{ what: "changed" }]);
  });

  it("is told of folders that were given another name, or put into another one", async () => {
    const r = await rig();
    const names = ["src/deep/a", "src/b", "old/c", "gone/d"];
    for (const name of names) r.write(name, name);
    await r.work(...names.map((name) => readThrough(r.at(name))));
    fs.renameSync(r.at("src"), r.at("lib"));
    fs.renameSync(r.at("old"), r.at("lib/old"));
    fs.rmSync(r.at("gone"), { recursive: true });
    r.write("lib/b.bak", "src/b");
    r.write("new/d", "another");
    expect(await r.changes()).toEqual({
      "src/deep/a": "renamed lib/deep/a",
      "src/b": "renamed lib/b",
      "old/c": "renamed lib/old/c",
      "gone/d": "deleted",
    });
  });

  it("says unknown where nobody can tell, and reads nothing that it should not", async () => {
    const r = await rig();
    r.write(".env", "A=1");
    r.write("x.bin", "");
    fs.truncateSync(r.at("x.bin"), (8 << 20) + 1);
    fs.writeFileSync(path.join(elsewhere, "out"), "one");
    fs.symlinkSync(path.join(elsewhere, "out"), r.at("link"));
    r.write("late", "one");
    const late = readItself(r.at("late"), -5_000);
    const own = [".env", "x.bin", "link"].map((name) => readItself(r.at(name)));
    await r.work(...own, readItself(path.join(elsewhere, "out")), late);
    const { files } = await r.context.get(r.id);
    expect(files.map(({ unread, sha256 }) => [unread, sha256])).toEqual([
      ["secret", undefined],
      ["huge", undefined],
      ["outside", undefined],
      ["outside", undefined],
      [undefined, undefined],
    ]);
    r.write(".env", "A=2");
    fs.writeFileSync(path.join(elsewhere, "out"), "two");
    expect(Object.values(await r.changes())).toEqual(["unknown", "same", "unknown", "unknown", "unknown"]);
    const { files: told } = await r.context.diff(r.id);
    expect(told.map(({ why }) => why)).toEqual(["secret", undefined, "outside", "outside", "touched"]);
    fs.rmSync(r.folder, { recursive: true });
    expect(Object.values(await r.changes())).toEqual(["deleted", "deleted", "deleted", "unknown", "deleted"]);
  });

  it("is told from one snapshot to another", async () => {
    const r = await rig();
    r.write("a", "one");
    r.write("b", "two");
    await r.work(readThrough(r.at("a")), readThrough(r.at("b")));
    const { version: from } = await r.context.get(r.id);
    await r.work(writeItself(r.at("a"), "two"), writeItself(r.at("new"), "new"));
    const { version: to } = await r.context.get(r.id);
    const { files } = await r.context.diff(r.id, { from, to });
    expect(files.map(({ path: file, what }) => [path.basename(file), what])).toEqual(
      [
        ["b", "same"],
        ["a", "changed"],
        ["new", "changed"],
      ].sort(),
    );
    expect((await r.context.diff(r.id, { from })).files.map(({ what }) => what)).toEqual(["changed", "same"]);
    // Before the first there is none: what is told is told from the first one on, where there is one.
    expect((await r.context.diff(r.id, { from: 1 })).from).toBe(from);
    await expect(r.context.diff(r.id, { from: 1, to: 1 })).rejects.toMatchObject({
      code: "INVALID_PARAMS",
      data: { first: from },
    });
    const { id: other } = await r.registry.create({ cwd: r.folder });
    expect(await r.context.diff(other, { from: 0 })).toMatchObject({ from: 0, files: [] });
    await expect(r.context.diff(other, { to: 0 })).rejects.toThrow(
      "has no snapshot up to entry 0, nor any other",
    );
    await expect(r.context.diff(r.id, { from: 1e6 })).rejects.toMatchObject({ code: "INVALID_PARAMS" });
  });

  it("is told of branches and commits, and names nothing that git ignores for reading", async () => {
    const r = await rig();
    const git = (...args: string[]) =>
      execFileSync("git", ["-c", "user.name=n", "-c", "user.email=e@x", "-C", r.folder, ...args], {
        stdio: "ignore",
      });
    git("init", "-b", "main");
    r.write(".gitignore", "out/\n");
    r.write("a", "one");
    r.write("out/x", "made");
    git("add", ".");
    git("commit", "-m", "1");
    await r.work(readThrough(r.at("a")), readItself(r.at("out/x")));
    expect((await r.context.get(r.id)).files[1]).toMatchObject({ unread: "ignored" });
    expect((await r.context.diff(r.id)).git).toBeUndefined();
    git("checkout", "-b", "topic");
    git("mv", "a", "b");
    git("commit", "-m", "2");
    r.write("c", "x");
    const { git: since, others, files } = await r.context.diff(r.id);
    expect(since).toMatchObject({
      isSwitched: true,
      from: { branch: "main" },
      to: { branch: "topic" },
      commits: 1,
    });
    expect(others).toEqual(["c"]);
    expect(files[0]).toMatchObject({ what: "renamed", to: r.at("b") });
    git("checkout", "main");
    git("branch", "-D", "topic");
    expect((await r.context.diff(r.id)).git).toBeUndefined();
  });
});

describe("values of a context [issue 13.5]", () => {
  it("merge where others changed other keys, and show both sides where they changed the same", async () => {
    const r = await rig();
    const { version } = await r.context.update(r.id, {
      version: 0,
      values: { a: 1, b: { deep: [1] }, gone: true },
    });
    const one = await r.context.update(r.id, { version, values: { a: 2, gone: null } });
    const two = await r.context.update(r.id, { version, values: { b: 3, c: "new", gone: null } });
    expect(two.values).toEqual({ a: 2, b: 3, c: "new" });
    expect(two.version).toBeGreaterThan(one.version);
    const late = r.context.update(r.id, { version, values: { a: 9, c: "new", d: 1 } });
    await expect(late).rejects.toMatchObject({
      code: "CONTEXT_CONFLICT",
      data: { version: two.version, conflicts: [{ key: "a", base: 1, theirs: 2, yours: 9 }] },
    });
    expect((await r.context.get(r.id)).values).toEqual(two.values);
    for (const values of [{ "": 1 }, { x: "y".repeat(70_000) }])
      await expect(r.context.update(r.id, { version, values })).rejects.toThrow();
    await expect(r.context.update(r.id, { version: 1e6, values: { a: 1 } })).rejects.toMatchObject({
      code: "INVALID_PARAMS",
    });
  });

  it("merge also where several change them at once, and are JSON", async () => {
    const r = await rig();
    const keys = ["a", "b", "c", "d"];
    await Promise.all(keys.map((key) => r.context.update(r.id, { version: 0, values: { [key]: key } })));
    expect((await r.context.get(r.id)).values).toEqual(Object.fromEntries(keys.map((key) => [key, key])));
    const both = [1, 2].map((x) => r.context.update(r.id, { version: 0, values: { x } }));
    const ended = await Promise.allSettled(both);
    expect(ended.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(ended.find(({ status }) => status === "rejected")).toMatchObject({
      reason: { code: "CONTEXT_CONFLICT", data: { conflicts: [{ key: "x", base: null }] } },
    });
    for (const values of [null, undefined, [1], { a: undefined }, { a: () => 1 }])
      await expect(r.context.update(r.id, { version: 0, values: values as never })).rejects.toMatchObject({
        code: "INVALID_PARAMS",
      });
  });

  it("and files are forgotten when it is cleared; what is told from then on is known again", async () => {
    const r = await rig();
    r.write("a", "one");
    await r.work(readThrough(r.at("a")));
    const { version } = await r.context.update(r.id, { version: 0, values: { k: 1 } });
    await expect(r.context.clear(r.id, { version: version - 1 })).rejects.toMatchObject({
      code: "CONTEXT_CONFLICT",
    });
    expect(await r.context.clear(r.id, { version })).toMatchObject({ files: [], values: {} });
    expect(await r.changes()).toEqual({});
    await r.work(readThrough(r.at("a")));
    expect(await r.changes()).toEqual({ a: "same" });
  });

  it("leave a history that was brought in as it came, unless somebody changes it by hand", async () => {
    const r = await rig();
    r.write("a", "one");
    await r.turn(readThrough(r.at("a")));
    const { headSeq } = await r.registry.get(r.id);
    await r.registry.update(r.id, ({ metadata }) => ({
      metadata: { ...metadata, "acp-sidecar.import.head": headSeq },
    }));
    expect(await r.context.refresh(r.id)).toMatchObject({ version: 0, files: [{ from: "disk" }] });
    expect(await contexts(r)).toEqual([]);
  });

  it("are refused while somebody has the session open, and can be read", async () => {
    const r = await rig();
    r.write("a", "one");
    await r.turn(readThrough(r.at("a")));
    const { journal } = await r.registry.open(r.id);
    await expect(r.context.update(r.id, { version: 0, values: { k: 1 } })).rejects.toMatchObject({
      code: "SESSION_BUSY",
    });
    expect(await r.context.refresh(r.id)).toMatchObject({ version: 0, files: [{ from: "disk" }] });
    await journal.release();
    expect((await r.context.refresh(r.id)).version).toBeGreaterThan(0);
  });
});
