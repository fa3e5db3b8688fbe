/** `context`: as a person types it, against real folders and a real store. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { SessionRegistry } from "../../src/session/registry.ts";
import { SessionContext } from "../../src/context/session-context.ts";
import { openStore } from "../../src/store/open.ts";
import { entry, update } from "../history/talk.ts";
import { cli, scratchFolder } from "./harness.ts";

const scratch = fs.realpathSync(scratchFolder());
const env = { XDG_CACHE_HOME: path.join(scratch, "cache"), HOME: scratch };
const kept = () => fs.readdirSync(path.join(scratch, "cache", "acp-sidecar", "context"));

function aProject(name: string): string {
  const folder = path.join(scratch, name);
  fs.mkdirSync(path.join(folder, "src"), { recursive: true });
  fs.writeFileSync(path.join(folder, "package.json"), JSON.stringify({ scripts: { test: "x" } }));
  fs.writeFileSync(path.join(folder, "src", "a.ts"), "one");
  return folder;
}

describe("context show, warm and gc [issue 13.1]", () => {
  it("tell what a folder is, from what was seen a moment ago unless asked to look anew", async () => {
    const folder = aProject("one");
    execFileSync("git", ["-c", "init.defaultBranch=main", "-C", folder, "init"], { stdio: "ignore" });
    const first = await cli(["context", "show", folder], { env });
    expect(first).toMatchObject({ status: 0, err: "" });
    expect(first.out).toContain("version control: git, main, 2 paths changed");
    expect(first.out).toMatch(/languages: +TypeScript \(1\)\n/);
    fs.writeFileSync(path.join(folder, "src", "b.ts"), "");
    expect((await cli(["context", "show", folder], { env })).out).toBe(first.out);
    expect((await cli(["context", "show", folder, "--refresh"], { env })).out).toContain("TypeScript (2)");
    // Another branch is seen at once, and so is that the folder is gone.
    execFileSync("git", ["-C", folder, "checkout", "-b", "topic"], { stdio: "ignore" });
    fs.writeFileSync(path.join(folder, "src", "c.ts"), "");
    expect((await cli(["context", "show", folder], { env })).out).toContain("git, topic, 2 paths changed");
    fs.renameSync(folder, `${folder}-away`);
    expect(await cli(["context", "show", folder], { env })).toMatchObject({ status: 2, out: "" });
    fs.renameSync(`${folder}-away`, folder);
    const { out } = await cli(["context", "show", folder, "--json"], { env });
    expect(JSON.parse(out)).toMatchObject({
      root: folder,
      files: 4,
      scripts: [{ name: "test", from: "package.json" }],
    });
  });

  it("keep a file for each folder that only its owner reads, until it is collected", async () => {
    const folders = [aProject("two"), aProject("three")];
    expect(await cli(["context", "warm", ...folders], { env })).toMatchObject({ status: 0, err: "" });
    const files = kept();
    expect(files.length).toBeGreaterThanOrEqual(2);
    for (const file of files)
      expect(fs.statSync(path.join(scratch, "cache", "acp-sidecar", "context", file)).mode & 0o777).toBe(
        0o600,
      );
    // A damaged one is made again.
    for (const file of files)
      fs.writeFileSync(path.join(scratch, "cache", "acp-sidecar", "context", file), '{"form":1,"found":{"at');
    expect((await cli(["context", "show", folders[0] ?? ""], { env })).out).toContain("package.json");
    expect((await cli(["context", "gc", folders[0] ?? "", "/none"], { env })).out).toMatch(
      /^1 folder forgotten/,
    );
    expect(kept()).toHaveLength(files.length - 1);
    expect(await cli(["context", "gc", "--all", "/none"], { env })).toMatchObject({ status: 2 });
    expect((await cli(["context", "gc", "--all"], { env })).out).toMatch(/^\d folders? forgotten/);
    expect(kept()).toEqual([]);
  });

  it("say when what was seen cannot be kept, and show it all the same", async () => {
    const folder = aProject("unkept");
    const file = path.join(scratch, "no-folder");
    fs.writeFileSync(file, "");
    const closed = { ...env, XDG_CACHE_HOME: file };
    expect(await cli(["context", "warm", folder], { env: closed })).toEqual({
      status: 1,
      out: "",
      err: expect.stringMatching(
        /^acp-sidecar: What \S+ is cannot be kept in \S+: [^\n]+XDG_CACHE_HOME\n$/,
      ) as string,
    });
    expect(await cli(["context", "warm", folder, "--json"], { env: closed })).toMatchObject({
      status: 1,
      out: "",
    });
    const shown = await cli(["context", "show", folder], { env: closed });
    expect(shown).toMatchObject({ status: 0, err: "" });
    expect(shown.out).toContain("package.json");
    expect(await cli(["context", "gc", folder], { env: closed })).toMatchObject({ status: 0, err: "" });
    expect(await cli(["context", "show", `${folder}-none`], { env: closed })).toMatchObject({ status: 2 });
  });

  it("refuse what is no folder in one line", async () => {
    expect(await cli(["context", "show", path.join(scratch, "none")], { env })).toMatchObject({
      status: 2,
      out: "",
      err: `acp-sidecar: ${path.join(scratch, "none")} is no folder, or does not answer; name one that is there\n`,
    });
  });
});

describe("context diff [issue 13.3]", () => {
  it("names the files that are no longer what the agent has seen of them", async () => {
    const cwd = aProject("four");
    const at = (name: string) => path.join(cwd, name);
    fs.writeFileSync(at(".env"), "x");
    fs.symlinkSync("/etc/hostname", at("link"));
    const url = `sqlite:${scratch}/s.db`;
    const store = await openStore(url);
    const registry = new SessionRegistry({ store });
    const { id } = await registry.create({ cwd });
    const { journal } = await registry.open(id);
    const asked = (request: number, file: string, content: string) => [
      entry("request", { id: request, method: "fs/read_text_file", params: { path: file } }),
      entry("response", { id: request, method: "fs/read_text_file", result: { content } }),
    ];
    const wrote = (file: string, content: string) =>
      entry("request", { id: 99, method: "fs/write_text_file", params: { path: file, content } });
    await journal.seal([
      ...asked(1, at("src/a.ts"), "one"),
      ...asked(2, at("package.json"), "what nobody has saved"),
      ...asked(3, at(".env"), "x"),
      ...asked(4, "/etc/hostname", "x"),
      ...asked(5, at("link"), "x"),
      wrote(at("src/\u001b[2Jnew.ts"), "new"),
      wrote(at("src/gone.ts"), "gone"),
      update("tool_call", { toolCallId: "t", title: "t", locations: [{ path: at("src/part.ts") }] }),
    ]);
    await journal.seal([entry("prompt", { prompt: [] }), wrote(at("src/undone.ts"), "undone")]);
    await journal.release();
    await registry.rewind(id, journal.headSeq - 2);
    await registry.close();
    await store.close();
    fs.writeFileSync(at("src/\u001b[2Jnew.ts"), "newer");
    fs.writeFileSync(at("src/part.ts"), "");
    const { status, out, err } = await cli(["context", "diff", id, "--store", url], { env });
    expect([status, err]).toEqual([0, ""]);
    expect(out).toBe(
      [
        "changed  package.json",
        "unknown  .env (looks secret: not read)",
        "changed  src/\\u001b[2Jnew.ts (the agent wrote it)",
        "deleted  src/gone.ts (the agent wrote it)",
        "unknown  src/part.ts (written to since; nobody saw what it had held)",
        "",
        "8 files: 2 changed, 1 deleted, 1 as the agent knows them, 4 of which nobody can tell",
        "",
      ].join("\n"),
    );
    const { files } = JSON.parse(
      (await cli(["context", "diff", id, "--json", "--store", url], { env })).out,
    ) as {
      files: { path: string; what: string }[];
    };
    expect(files.filter(({ what }) => what === "unknown").map(({ path: file }) => file)).toEqual([
      at(".env"),
      "/etc/hostname",
      at("link"),
      at("src/part.ts"),
    ]);
    fs.rmSync(cwd, { recursive: true });
    expect((await cli(["context", "diff", id, "--store", url], { env })).status).toBe(0);
  });
});

describe("context show, refresh and clear of a session [issue 13.5]", () => {
  it("tell what it knows, keep it in the session, and forget it when it is meant", async () => {
    const cwd = aProject("five");
    const url = `sqlite:${scratch}/five.db`;
    const store = await openStore(url);
    const registry = new SessionRegistry({ store });
    const { id } = await registry.create({ cwd });
    const { journal } = await registry.open(id);
    const file = path.join(cwd, "src", "a.ts");
    await journal.seal([
      entry("request", { id: 1, method: "fs/read_text_file", params: { path: file } }),
      entry("response", { id: 1, method: "fs/read_text_file", result: { content: "one" } }),
    ]);
    await journal.release();
    await new SessionContext(registry).update(id, { version: 0, values: { "build\u001b[2J": "make" } });
    await registry.close();
    await store.close();
    const run = (...args: string[]) => cli(["context", ...args, "--store", url], { env });
    expect((await run("show", id)).out).toContain("  src/a.ts (read, nobody has seen what it held)\n");
    expect((await run("refresh", id)).out).toBe("Looked at 1 known file and the project; version 4\n");
    const { status, out, err } = await run("show", id.slice(-6));
    expect([status, err]).toEqual([0, ""]);
    expect(out).toMatch(/languages: +TypeScript \(1\)\n/);
    expect(out).toMatch(/value build\\u001b\[2J: +"make"\n/);
    expect(out).toContain("  src/a.ts (read, 3 bytes)\n");
    fs.writeFileSync(file, "two");
    expect((await run("diff", id, "--from", "4")).out).toContain("changed  src/a.ts\n");
    const shown = await cli(["sessions", "show", id, "--store", url], { env });
    expect(shown.out).toMatch(/moved on since: +src\/a\.ts \(changed\)\n/);
    expect((await run("diff", id, "--from", "3", "--to", "4")).out).toBe(
      "Since the snapshot at entry 3:\nNo known file was changed in between.\n",
    );
    expect(await run("diff", id, "--from", "x")).toMatchObject({ status: 2 });
    expect((await run("diff", id, "--from", "1")).out).toMatch(/^Since the snapshot at entry 3:\n/);
    expect((await run("diff", id, "--from", "1", "--to", "2")).err).toMatch(
      /^acp-sidecar: Session \w+ has no snapshot up to entry 2; its first is at entry 3\n$/,
    );
    fs.renameSync(cwd, `${cwd}-away`);
    expect((await run("show", id)).out).toMatch(/\nfolder: +.*five \(not there\)\n/);
    expect((await run("refresh", id)).out).toMatch(
      /^Looked at 1 known file; .*five is not there; version \d\n$/,
    );
    fs.renameSync(`${cwd}-away`, cwd);
    expect(await run("clear", id)).toMatchObject({ status: 2 });
    expect((await run("clear", id, "--yes")).out).toBe("Forgotten: 1 known file and 1 value\n");
    expect((await run("show", id)).out).toMatch(/known files: +0\n$/);
    expect(await run("show", "zzzzz")).toMatchObject({ status: 4, out: "" });
  });
});
