import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SessionRecord, Store } from "../../src/store/contract.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { openStore } from "../../src/store/open.ts";
import { saveText } from "../../src/history/export/save.ts";
import { prompt, talk, written } from "../history/talk.ts";
import { binary, cli, scratchFolder, type Ran } from "./harness.ts";

const folder = scratchFolder();
const url = `sqlite:${path.join(folder, "sessions.db")}`;
let store: Store;
let first: SessionRecord;
let second: SessionRecord;

const run = (...argv: string[]): Promise<Ran> => cli(["export", ...argv, "--store", url]);
const place = (name: string) => path.join(folder, name);

beforeAll(async () => {
  store = await openStore(url);
  first = await written(store, talk(), { title: "Über / the: cart?" });
  second = await written(store, [prompt("password=hunter2222")]);
  await store.flush();
});
afterAll(() => store.close());

describe("export [issue 10.2]", () => {
  it("writes one session to stdout, or a file whose name says the form", async () => {
    const { status, out } = await run(first.id);
    expect([status, out.split("\n", 1)[0]]).toEqual([0, "# Über / the: cart?"]);
    const told = await run(first.id, "--out", place("a.html"));
    expect(told).toMatchObject({
      status: 0,
      err: "",
      out: expect.stringContaining(`Exported ${first.id} to`) as string,
    });
    expect(fs.readFileSync(place("a.html"), "utf8")).toMatch(/^<!doctype html>/);
    expect(fs.statSync(place("a.html")).mode & 0o777).toBe(0o600);
  });

  it("writes several into a folder, each under its day, title and id", async () => {
    const { status, out } = await run("--all", "--format", "bundle", "--out", place("many"), "--json");
    expect(status).toBe(0);
    const names = (JSON.parse(out) as { readonly path: string }[]).map((saved) => path.basename(saved.path));
    expect(fs.readdirSync(place("many")).sort()).toEqual(names.toSorted());
    expect(names).toContain(`2026-03-04-über-the-cart-${first.id.slice(-8)}.acpbundle`);
    expect((await run(first.id, second.id)).err).toContain("--out DIR");
  });

  it("does not write in the place of a file, unless told, and leaves nothing behind", async () => {
    fs.writeFileSync(place("there.md"), "mine");
    const refused = await run(first.id, "--out", place("there.md"));
    expect([refused.status, refused.err]).toEqual([
      2,
      `acp-sidecar: ${place("there.md")} is there already; --force replaces it\n`,
    ]);
    expect(fs.readFileSync(place("there.md"), "utf8")).toBe("mine");
    expect((await run(first.id, "--out", place("there.md"), "--force")).status).toBe(0);
    expect(fs.readFileSync(place("there.md"), "utf8")).toContain("Please said");
    expect(fs.readdirSync(folder).filter((name) => name.endsWith(".part"))).toEqual([]);
  });

  it("leaves out archived sessions of --all and says so, takes them when told, and always one that is named", async () => {
    await using registry = new SessionRegistry({ store });
    await registry.archive(second.id);
    await store.flush();
    const some = await run("--all", "--format", "md", "--out", place("some"), "--json");
    expect(some).toMatchObject({
      status: 0,
      err: "acp-sidecar: 1 archived session left out; --archived takes them, too\n",
    });
    expect((JSON.parse(some.out) as { readonly id: string }[]).map(({ id }) => id)).toEqual([first.id]);
    const all = await run("--all", "--archived", "--format", "md", "--out", place("all"));
    expect([all.err, fs.readdirSync(place("all")).length]).toEqual(["", 2]);
    expect((await run(second.id)).out).toContain("password=");
    expect((await run(first.id, "--archived")).err).toContain("--archived goes with --all");
    await registry.unarchive(second.id);
    await store.flush();
  });

  it("says how many places it redacted", async () => {
    const { out, err } = await run(second.id, "--redact");
    expect(out).toContain("password=[redacted]");
    expect(out).not.toContain("hunter");
    expect(err).toContain("1 place redacted");
  });

  it.each([
    [["nothing-like-it"], "No session"],
    [[], "nothing to export"],
    [["--all", "last"], "leave out the ids"],
    [["last", "--format", "pdf"], "allowed: markdown, html"],
    [["SECOND:1"], "names an entry"],
  ])("refuses %j in one line", async (argv, said) => {
    const { status, err } = await run(...argv.map((each) => each.replace("SECOND", second.id)));
    expect(status).toBeGreaterThan(0);
    expect(err).toContain(said);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
  });

  it("leaves nothing of a file on a disk that is full", () => {
    // A limit on the size of files stands for the disk.
    const line = `ulimit -f 1; exec "$0" "$1" export ${first.id} --store ${url} --format html --out ${place("full.html")}`;
    const { status, stderr } = spawnSync("bash", ["-c", line, process.execPath, binary], {
      encoding: "utf8",
    });
    expect(status).not.toBe(0);
    expect(stderr).toContain("nothing is left of it");
    expect(fs.readdirSync(folder).filter((name) => name.includes("full"))).toEqual([]);
  });

  it.runIf(fs.existsSync("/dev/full"))("fails where stdout is a file on a disk that is full", () => {
    const line = `"$0" "$1" export ${first.id} --store ${url} > /dev/full`;
    const { status, stderr } = spawnSync("sh", ["-c", line, process.execPath, binary], { encoding: "utf8" });
    expect([status, stderr]).toEqual([1, expect.stringContaining("the disk is full") as string]);
  });

  it("leaves no folder behind that it has made, where nothing could be put into it", () => {
    const line = `ulimit -f 1; exec "$0" "$1" export --all --store ${url} --format html --out ${place("new")}/`;
    const { status } = spawnSync("bash", ["-c", line, process.execPath, binary], { encoding: "utf8" });
    expect([status, fs.existsSync(place("new"))]).toEqual([1, false]);
  });

  it("shows the name of a place in one line, whatever stands in it", async () => {
    const odd = place("a\nb\u001b[31m.md");
    expect(await run(first.id, "--out", odd)).toMatchObject({
      status: 0,
      out: expect.stringContaining(String.raw`a b\u001b[31m.md`) as string,
    });
    const { err } = await run(first.id, "--out", odd);
    expect(err).toContain(String.raw`a b\u001b[31m.md is there already; --force`);
    const nowhere = await run(first.id, "--out", path.join(folder, "none", "x.md"));
    expect(nowhere.err).toMatch(/none\/x\.md could not be written.*its folder is not there; make it/);
  });

  it("leaves nothing of a file whose text ends in the middle, and takes no place that was taken meanwhile", async () => {
    const failing = async function* () {
      yield "half";
      throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    };
    await expect(saveText(place("half.md"), failing())).rejects.toMatchObject({
      code: "FILE_FAILED",
      message: expect.stringContaining("the disk is full") as string,
    });
    const slow = async function* () {
      yield "ours";
      fs.writeFileSync(place("race.md"), "theirs");
    };
    await expect(saveText(place("race.md"), slow())).rejects.toMatchObject({ code: "FILE_EXISTS" });
    expect(fs.readFileSync(place("race.md"), "utf8")).toBe("theirs");
    expect(fs.readdirSync(folder).filter((name) => /half|\.part$/.test(name))).toEqual([]);
    await expect(saveText(path.join(folder, "none", "x.md"), slow())).rejects.toMatchObject({
      code: "FILE_FAILED",
    });
  });
});
