/** Faults of the machine that a store on its disk must bear: a directory that may not be written, a full disk. */
import { spawnSync, type SpawnSyncOptions } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { luaInBundles } from "../../.ci/lua.mjs";
import { openStore } from "../../src/store/open.ts";
import { aJournal, assertJournal, leaseOf, someEntries } from "../conformance/samples.ts";

const root = mkdtempSync(join(tmpdir(), "acp-sidecar-faults-"));
const program = join(root, "child.mjs");
const isRoot = process.getuid?.() === 0;

beforeAll(async () => {
  await build({
    entryPoints: [resolve("test/store/fault-child.ts")],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "esm",
    external: ["better-sqlite3", "pg", "ioredis"],
    plugins: [luaInBundles],
  });
  symlinkSync(resolve("node_modules"), join(root, "node_modules"));
  // Who it is lent to must get in.
  chmodSync(root, 0o755);
});
afterAll(() => rm(root, { recursive: true }));

interface Refusal {
  readonly code: string;
  readonly message: string;
}

function run<T>(command: readonly string[], options: SpawnSyncOptions = {}): T {
  const [name = "", ...args] = command;
  const { stdout, stderr } = spawnSync(name, args, { ...options, encoding: "utf8" });
  if (stdout === "") throw new Error(`nothing was reported: ${stderr}`);
  return JSON.parse(stdout) as T;
}

const onDisk = [
  { name: "file", urlIn: (folder: string) => `file:${join(folder, "d")}` },
  { name: "sqlite", urlIn: (folder: string) => `sqlite:${join(folder, "s.db")}` },
];

describe.each(onDisk)("a $name store", ({ name, urlIn }) => {
  it("in a directory that may not be written says STORE_READONLY in one line, and has lost nothing", async () => {
    const folder = join(root, `${name}-read-only`);
    mkdirSync(folder);
    const before = await openStore(urlIn(folder));
    const { id } = await aJournal(before, 3);
    await before.close();
    const modes = (ofFolder: number, ofFile: number) => {
      chmodSync(folder, ofFolder);
      for (const each of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        chmodSync(join(each.parentPath, each.name), each.isDirectory() ? ofFolder : ofFile);
      }
    };
    modes(0o555, 0o444);
    // Modes mean nothing to root, so that root runs this as nobody.
    const lent = isRoot ? { uid: 65_534, gid: 65_534 } : {};
    const said = run<{ refusal?: Refusal; refusals?: Refusal[]; entries?: number }>(
      [process.execPath, program, "read-only", urlIn(folder), id],
      lent,
    );
    modes(0o700, 0o600);
    const { refusal, refusals = [refusal] } = said;
    // SQLite cannot even be read without a file for its readers' locks.
    if (name === "file") expect(said).toMatchObject({ headSeq: 3, entries: 3, listed: 1 });
    for (const each of refusals) {
      expect(each?.code).toBe("STORE_READONLY");
      expect(each?.message).toMatch(
        /^[^\n]*(give this user write access|check its owner and permissions)[^\n]*$/,
      );
    }
    const again = await openStore(urlIn(folder));
    expect(await again.append(id, 3, someEntries(1, 4), await leaseOf(again, id))).toBe(4);
    await assertJournal(again, id, someEntries(4));
    await again.close();
  });

  it("on a full disk says STORE_FULL in one line, keeps what was acknowledged, and goes on when there is room", (ctx) => {
    const mounting = 'mount -t tmpfs -o size=3m none "$1" && shift && exec "$@"';
    // A file system of the test's own, which no other process sees.
    const ownMounts = ["unshare", isRoot ? "-m" : "-rm", "sh", "-c", mounting, "sh"];
    const folder = join(root, `${name}-full`);
    mkdirSync(folder);
    const [unshare = "", ...args] = [...ownMounts, folder, "true"];
    if (spawnSync(unshare, args).status !== 0)
      return ctx.skip("this system lets us mount nothing of our own");
    const fill = [process.execPath, program, "fill", urlIn(folder), join(folder, "ballast")];
    const said = run<{ refusal: Refusal; acknowledged: number }>([...ownMounts, folder, ...fill]);
    expect(said).toMatchObject({ kept: true, whole: true, refusal: { code: "STORE_FULL" } });
    expect(said.refusal.message).toMatch(/^[^\n]*(free some space|make room)[^\n]*$/);
    expect(said.acknowledged).toBeGreaterThan(20);
  });
});

describe("SQLite without its native part, or with one for another Node", () => {
  it.each(["missing", "unfit"])("that is %s says in one line what to run", (what) => {
    const folder = join(root, what);
    const copy = join(folder, "node_modules", "better-sqlite3");
    const installed = resolve("node_modules/better-sqlite3");
    for (const part of ["lib", "package.json"])
      cpSync(join(installed, part), join(copy, part), { recursive: true });
    for (const helper of ["bindings", "file-uri-to-path"]) {
      symlinkSync(resolve("node_modules", helper), join(folder, "node_modules", helper));
    }
    if (what === "unfit") {
      mkdirSync(join(copy, "build", "Release"), { recursive: true });
      writeFileSync(join(copy, "build", "Release", "better_sqlite3.node"), "for another machine");
    }
    cpSync(program, join(folder, "child.mjs"));
    const url = `sqlite:${join(folder, "s.db")}`;
    const { refusal } = run<{ refusal: Refusal }>([
      process.execPath,
      join(folder, "child.mjs"),
      "read-only",
      url,
    ]);
    expect(refusal.code).toBe("STORE_UNAVAILABLE");
    expect(refusal.message).toMatch(/^SQLite cannot be loaded [^\n]*npm rebuild better-sqlite3[^\n]*$/);
  });
});
