/** Faults of the machine that a store on its disk must bear: a directory that may not be written, a full disk. */
import { spawnSync, type SpawnSyncOptions } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { luaInBundles } from "../../.ci/lua.mjs";
import { nodeEngine } from "../../src/sqlite/engine-node.ts";
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

const mounting = 'mount -t tmpfs -o size=3m none "$1" && shift && exec "$@"';
/** A file system of the test's own, which no other process sees. */
const ownMounts = ["unshare", isRoot ? "-m" : "-rm", "sh", "-c", mounting, "sh"];

/** A folder in which `ownMounts` mounts 3 MiB; undefined where the system lets us mount nothing. */
function smallDisk(name: string): string | undefined {
  const folder = join(root, name);
  mkdirSync(folder);
  const [unshare = "", ...args] = [...ownMounts, folder, "true"];
  return spawnSync(unshare, args).status === 0 ? folder : undefined;
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
    const folder = smallDisk(`${name}-full`);
    if (folder === undefined) return ctx.skip("this system lets us mount nothing of our own");
    const fill = [process.execPath, program, "fill", urlIn(folder), join(folder, "ballast")];
    const said = run<{ refusal: Refusal; acknowledged: number }>([...ownMounts, folder, ...fill]);
    expect(said).toMatchObject({ kept: true, whole: true, refusal: { code: "STORE_FULL" } });
    expect(said.refusal.message).toMatch(/^[^\n]*(free some space|make room)[^\n]*$/);
    expect(said.acknowledged).toBeGreaterThan(20);
  });
});

describe("a sqlite store that is opened", () => {
  it("on a full disk says STORE_FULL, though SQLite speaks of its shared memory", (ctx) => {
    const folder = smallDisk("open-full");
    if (folder === undefined) return ctx.skip("this system lets us mount nothing of our own");
    const open = [
      process.execPath,
      program,
      "open-full",
      `sqlite:${join(folder, "s.db")}`,
      join(folder, "ballast"),
    ];
    const said = run<{ refusal: Refusal }>([...ownMounts, folder, ...open]);
    expect(said.refusal.code).toBe("STORE_FULL");
  });
});

describe("SQLite where Node has none that serves", () => {
  const installed = resolve("node_modules/better-sqlite3");
  /** No packages are found from here. */
  const bare = mkdtempSync(join(tmpdir(), "acp-sidecar-bare-"));
  afterAll(() => rm(bare, { recursive: true }));
  const refused = { env: { ...process.env, SIDECAR_SQLITE_ENGINE: "better-sqlite3" } };

  /** A folder with a program in it that opens a store, and with the parts of better-sqlite3 that are named. */
  function programWith(name: string, parts: readonly string[]): (options?: SpawnSyncOptions) => object {
    const folder = join(bare, name);
    mkdirSync(join(folder, "node_modules"), { recursive: true });
    const copy = join(folder, "node_modules", "better-sqlite3");
    for (const part of parts) cpSync(join(installed, part), join(copy, part), { recursive: true });
    for (const helper of parts.length === 0 ? [] : ["bindings", "file-uri-to-path"]) {
      symlinkSync(resolve("node_modules", helper), join(folder, "node_modules", helper));
    }
    cpSync(program, join(folder, "child.mjs"));
    const command = [
      process.execPath,
      join(folder, "child.mjs"),
      "read-only",
      `sqlite:${join(folder, "s.db")}`,
    ];
    return (options) => run(command, options);
  }

  function expectAdvice(said: object, advice: RegExp): void {
    expect(said).toMatchObject({ refusal: { code: "STORE_UNAVAILABLE" } });
    const { message } = (said as { refusal: Refusal }).refusal;
    expect(message).toMatch(/^SQLite cannot be loaded [^\n]* or use Node 24[^\n]* or another store$/);
    expect(message).toMatch(advice);
  }

  it("says that better-sqlite3 is not installed", () => {
    expectAdvice(
      programWith("missing", [])(refused),
      /is not installed, or could not be\); npm install better-sqlite3, with --global /,
    );
  });

  it("says how to let the install script of better-sqlite3 run", () => {
    const start = programWith("unbuilt", ["lib", "package.json"]);
    expectAdvice(
      start(refused),
      /has not run\); npm rebuild --global better-sqlite3 --allow-scripts=better-sqlite3 \(in a project[^)]+\), or pnpm approve-builds,/,
    );
  });

  it("says that better-sqlite3 was built for another Node", () => {
    const start = programWith("unfit", ["lib", "package.json"]);
    const release = join(bare, "unfit", "node_modules", "better-sqlite3", "build", "Release");
    mkdirSync(release, { recursive: true });
    writeFileSync(join(release, "better_sqlite3.node"), "for another machine");
    expectAdvice(
      start(refused),
      /built for another [^\n]*\); npm rebuild better-sqlite3, with --global if acp-sidecar is,/,
    );
  });

  // Other Nodes carry no SQLite that serves.
  it.runIf(nodeEngine(false))("needs no package where Node's own serves", () => {
    const said = programWith("alone", [])();
    expect(said).toMatchObject({ refusal: { code: "SESSION_NOT_FOUND" } });
  });
});
