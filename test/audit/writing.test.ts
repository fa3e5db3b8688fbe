/** A log that many processes write, that are killed, and whose disk fails: it stays one chain, and loses nothing that was acknowledged. */
import { spawn, spawnSync, type SpawnSyncOptions } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { build } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";
import { linesOf } from "../../src/audit/reading.ts";
import { saidIn } from "../../src/audit/line.ts";
import { lockFileOf, rotatedFiles } from "../../src/audit/places.ts";
import { verifyLog } from "../../src/audit/verify.ts";
import { auditFolder, openLog, recordsIn, warnings, written } from "./rig.ts";

const folder = auditFolder();
const program = path.join(folder, "child.mjs");
const isRoot = process.getuid?.() === 0;
let count = 0;
const newFile = () => path.join(folder, String((count += 1)), "audit.jsonl");

beforeAll(async () => {
  await build({
    entryPoints: ["test/audit/child.ts"],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "esm",
    external: ["pino"],
  });
  fs.chmodSync(folder, 0o755);
});

function run<T>(command: readonly string[], options: SpawnSyncOptions = {}): T {
  const [name = "", ...args] = command;
  const { stdout, stderr } = spawnSync(name, args, { ...options, encoding: "utf8" });
  if (stdout === "") throw new Error(`nothing was reported: ${stderr}`);
  return JSON.parse(stdout) as T;
}

/** What a process was acknowledged, until it ended or was killed after so long. */
async function recording(mode: string, args: readonly string[], killAfterMs?: number): Promise<number> {
  const child = spawn(process.execPath, [program, mode, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  let out = "";
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  if (killAfterMs !== undefined) {
    await once(child.stdout, "data");
    setTimeout(() => child.kill("SIGKILL"), killAfterMs);
  }
  await once(child, "close");
  return Number(out.split("\n").findLast((line) => /^\d+$/.test(line)) ?? 0);
}

/** The sessions in the log by who recorded them, and that these are in order. */
async function recordedBy(file: string): Promise<Map<string, number[]>> {
  const found = new Map<string, number[]>();
  for await (const { bytes } of linesOf(file)) {
    const said = saidIn(bytes);
    if (said?.what !== "session.rename") continue;
    const [name = "", at = ""] = String(said.session).split(":");
    found.set(name, [...(found.get(name) ?? []), Number(at)]);
  }
  return found;
}

const upTo = (last: number) => Array.from({ length: last }, (_, at) => at + 1);

async function together(names: readonly string[], each: number, bytes: number): Promise<string> {
  const file = newFile();
  await Promise.all(
    names.map((name) => recording("burst", [file, String(each), name, String(bytes), "1000"])),
  );
  expect(await verifyLog(file)).toMatchObject({ problems: [], notes: [] });
  const found = await recordedBy(file);
  for (const name of names) expect(found.get(name), name).toEqual(upTo(each));
  return file;
}

it("is sound to whoever reads it while it is rotated and cannot lock it", async () => {
  const file = newFile();
  fs.mkdirSync(lockFileOf(file), { recursive: true });
  const args = ["alone", file, "150", "a", "1", "5"];
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "close");
  await once(child.stdout, "data");
  let looks = 0;
  for (; child.exitCode === null; looks += 1) expect((await verifyLog(file)).problems).toEqual([]);
  await ended;
  expect(looks).toBeGreaterThan(1);
  expect((await verifyLog(file)).problems).toEqual([]);
});

describe("several processes", () => {
  it("write one chain, each of them in its order, also over rotations", async () => {
    const file = await together(["a", "b", "c", "d"], 400, 20_000);
    expect(rotatedFiles(file).length).toBeGreaterThan(2);
    expect(fs.statSync(`${file}.lock`).size).toBeLessThan(100_000);
  });

  it("may be twenty", { tags: ["long"] }, async () => {
    await together(
      Array.from({ length: 20 }, (_, at) => `p${at}`),
      500,
      100_000,
    );
  });

  it(
    "that are killed again and again lose nothing that was acknowledged, and nobody is accused",
    { tags: ["long"] },
    () => killed(25, 4),
  );

  it("one of which is killed leave a sound chain", () => killed(2, 2));
});

/** Rounds of processes, all of which are killed within moments. */
async function killed(rounds: number, processes: number): Promise<void> {
  const file = newFile();
  for (let round = 0; round < rounds; round += 1) {
    const names = Array.from({ length: processes }, (_, at) => `r${round}p${at}`);
    const acknowledged = await Promise.all(
      names.map((name) =>
        recording("record", [file, "100000", name, "60000", "1000"], 20 + Math.random() * 200),
      ),
    );
    const found = await recordedBy(file);
    for (const [at, name] of names.entries()) {
      const recorded = found.get(name) ?? [];
      expect(recorded, name).toEqual(upTo(recorded.length));
      expect(recorded.length, name).toBeGreaterThanOrEqual(acknowledged[at] ?? 0);
    }
    expect((await verifyLog(file)).problems).toEqual([]);
  }
  await written(file, 1);
  expect((await verifyLog(file)).problems).toEqual([]);
}

describe("a lock", () => {
  it("of a process that is dead, was another one, or is elsewhere and long ago is passed by", async () => {
    const file = newFile();
    await written(file, 1);
    const lock = `${file}.lock`;
    const claim = (/\nT (\S+ \S+ \S+ \S+ \d+)/.exec(fs.readFileSync(lock, "latin1")) ?? [])[1] ?? "";
    const [, pid = "", startedAt = "", space = "", at = ""] = claim.split(" ");
    expect(pid).toBe(String(process.pid));
    const claims = [
      `dead 999999999 1 ${space}`,
      `reused ${pid} 1${startedAt} ${space}`,
      "abroad 1 1 elsewhere",
    ];
    for (const each of claims) {
      fs.appendFileSync(lock, `\nT ${each} ${each.startsWith("abroad") ? Number(at) - 60_000 : at}\nT torn`);
      await written(file, 1);
    }
    expect(recordsIn(file)).toHaveLength(4);
  });

  // It waits for five seconds.
  it("of a living process is waited for, and said", { tags: ["long"] }, async () => {
    const file = newFile();
    await written(file, 1);
    const lock = `${file}.lock`;
    const claim = (/\nT (\S+ \S+ \S+ \S+ \d+)/.exec(fs.readFileSync(lock, "latin1")) ?? [])[1] ?? "";
    const [, pid = "", startedAt = "", space = "", at = ""] = claim.split(" ");
    // Ours, as if another part of this process had it.
    fs.appendFileSync(lock, `\nT ours ${pid} ${startedAt} ${space} ${at}`);
    const { log, said } = warnings();
    const waiting = openLog(file, { log });
    waiting.note({ what: "session.move" });
    await waiting.close();
    expect(said).toEqual([expect.stringMatching(new RegExp(`process ${process.pid} keeps it locked`))]);
    fs.appendFileSync(lock, "\nR ours");
    waiting.note({ what: "session.move" });
    await waiting.close();
    expect(recordsIn(file).map(({ what, facts }) => [what, facts])).toEqual([
      ["session.rename", undefined],
      ["log.gap", { records: 1 }],
      ["session.move", undefined],
    ]);
  });
});

describe("a disk", () => {
  it("that is full refuses what must be recorded and lets the rest go on; when it has room, what is missing is said", (ctx) => {
    const small = path.join(folder, "small");
    fs.mkdirSync(small);
    const mounting = 'mount -t tmpfs -o size=1m none "$1" && shift && exec "$@"';
    const ownMounts = [isRoot ? "-m" : "-rm", "sh", "-c", mounting, "sh", small];
    if (spawnSync("unshare", [...ownMounts, "true"]).status !== 0)
      return ctx.skip("this system lets us mount nothing of our own");
    const said = run<Record<string, unknown> & { refusals: string[]; said: string[] }>([
      "unshare",
      ...ownMounts,
      process.execPath,
      program,
      "fullDisk",
      path.join(small, "audit.jsonl"),
    ]);
    expect(said).toMatchObject({ before: "done", goesOn: "done", after: "done", onceMore: "done" });
    expect(said.refusals.at(-1)).toMatch(
      /^AUDIT_FAILED: The audit log \S+ cannot be written: the disk is full; audit is required, so nothing is done[^\n]*$/,
    );
    expect(said.said[0]).toMatch(/^the audit log is not written.*the disk is full/);
    expect(said["found"]).toMatchObject({
      problems: [],
      notes: expect.arrayContaining([
        expect.stringMatching(/could not be written before .*: \d+$/),
      ]) as string[],
    });
  });

  it("in whose folder nothing may be written does, too", () => {
    const place = path.join(folder, "read-only");
    fs.mkdirSync(place, { mode: 0o555 });
    // Modes mean nothing to root, so that root runs this as nobody.
    const lent = isRoot ? { uid: 65_534, gid: 65_534 } : {};
    const said = run<Record<string, unknown>>(
      [process.execPath, program, "readOnly", path.join(place, "a", "audit.jsonl")],
      lent,
    );
    expect(said["refused"]).toMatch(
      /^AUDIT_FAILED: The audit log .* cannot be written: EACCES.*audit is required/,
    );
    expect(said["goesOn"]).toEqual(["done", "done"]);
    expect(said["said"]).toHaveLength(1);
  });
});

describe("a long log", () => {
  it("is read in linear time and flat memory", { tags: ["long"] }, async () => {
    const file = newFile();
    const read = async (lines: number) => {
      // No more at once than may wait for the disk.
      for (let from = 0; from < lines; from += 5000) {
        const log = openLog(file, { maxBytes: 1 << 30 });
        for (let at = from; at < from + 5000; at += 1)
          log.note({ what: "session.rename", session: `s${at}`, facts: { text: "y".repeat(100) } });
        await log.close();
      }
      const before = process.cpuUsage();
      const found = await verifyLog(file);
      const { user, system } = process.cpuUsage(before);
      return { lines: found.lines, perLineUs: (user + system) / found.lines };
    };
    await read(10_000);
    const few = await read(10_000);
    const many = await read(100_000);
    expect(many.lines).toBe(120_000);
    expect(many.perLineUs).toBeLessThan(few.perLineUs * 2);
    const show = `--max-old-space-size=48 bin/acp-sidecar.js audit show --audit-file ${file}`.split(" ");
    const { status, stdout } = spawnSync(process.execPath, show, { maxBuffer: 1 << 28 });
    expect(status).toBe(0);
    expect(stdout.toString().match(/\n/g)).toHaveLength(120_000);
  });

  it("is not held up by what is none of its lines", async () => {
    const file = newFile();
    await written(file, 3);
    fs.appendFileSync(file, `${'{"seq":'.repeat(500_000)}\n${'"}'.repeat(100_000)}\n`);
    await written(file, 1, { maxBytes: 1 << 30 });
    expect(await verifyLog(file)).toMatchObject({ lines: 6, problemCount: 2, last: { seq: 4 } });
    fs.appendFileSync(file, '"}'.repeat(400_000));
    const before = process.cpuUsage();
    await verifyLog(file);
    await written(file, 1);
    const { user } = process.cpuUsage(before);
    expect(user / 1000).toBeLessThan(3000);
  });
});
