/** How far long work is: a bar on a terminal, lines in a log, and what Ctrl-C leaves. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { PassThrough } from "node:stream";
import { beforeAll, describe, expect, it } from "vitest";
import { newSessionId } from "../../src/base/ids.ts";
import { Progress } from "../../src/cli/progress.ts";
import { thisHolder } from "../../src/session/holder.ts";
import { emptySession } from "../../src/session/registry-options.ts";
import { openStore } from "../../src/store/open.ts";
import { binary, cli, hasTerminal, onTerminal, scratchFolder } from "./harness.ts";

const folder = scratchFolder();
const big = `sqlite:${path.join(folder, "big.db")}`;
const sessions = 150;

/** 30 MB: what is done with it takes long enough to be stopped in the middle. */
beforeAll(async () => {
  const store = await openStore(big);
  const data = JSON.stringify({ prompt: [{ type: "text", text: "long ".repeat(400) }] });
  for (let n = 0; n < sessions; n += 1) {
    const id = newSessionId();
    await store.create({ ...emptySession, id, createdAtMs: 1, updatedAtMs: 1, cwd: "/project" });
    const { lease } = await store.acquire(id, { holder: thisHolder(), ttlMs: 60_000, mayTake: () => false });
    const entries = Array.from({ length: 100 }, () => ({ kind: "prompt" as const, atMs: 1, data }));
    await store.seal(id, { from: 1, head: 0 }, entries, lease);
    await store.release(lease);
  }
  await store.close();
}, 60_000);

/** What is said of `done` of 100 at points in time. */
async function said(columns: number | undefined, points: readonly (readonly [number, number])[], flags = {}) {
  const errors = new PassThrough();
  let nowMs = 0;
  const progress = new Progress({ flags }, { errors, errorColumns: columns }, "verify", () => nowMs);
  progress.stage("reading", "sessions");
  for (const [atMs, done] of points) {
    nowMs = atMs;
    await progress.at(done, 100);
  }
  progress.end();
  return String(errors.read() ?? "");
}

describe("progress", () => {
  it("is a bar on a terminal, with rate and time left, of which nothing stays", async () => {
    const text = await said(80, [
      [1000, 10],
      [1010, 11],
      [2000, 50],
    ]);
    const lines = text.split("\r\u001b[2K");
    expect(lines.slice(1)).toEqual([
      "reading",
      "reading [##..................] 10%  10 of 100 sessions, 10/s, 9 s left",
      "reading [##########..........] 50%  50 of 100 sessions, 25/s, 2 s left",
      "",
    ]);
    for (const line of (await said(30, [[1000, 10]])).split("\r\u001b[2K"))
      expect(line.length).toBeLessThan(30);
  });

  it("is a line now and then in a log, and none of what is soon done", async () => {
    expect(
      await said(undefined, [
        [1000, 10],
        [9000, 90],
      ]),
    ).toBe("");
    const text = await said(undefined, [
      [5000, 1],
      [11_000, 2],
      [12_000, 3],
      [45_000, 9],
    ]);
    expect(text.split("\n")).toEqual([
      "acp-sidecar: verify: reading 2%  2 of 100 sessions, 0.2/s, 9 min left",
      "acp-sidecar: verify: reading 9%  9 of 100 sessions, 0.2/s, 8 min left",
      "",
    ]);
  });

  it("is not told to who wants to hear nothing", async () => {
    expect(await said(80, [[1000, 10]], { quiet: true })).toBe("");
    expect(await said(undefined, [[60_000, 10]], { quiet: true })).toBe("");
  });

  // Without `script` there is no terminal to be had.
  it.skipIf(!hasTerminal)("is shown by the commands that take long, on stderr only", () => {
    const copy = `sqlite:${path.join(folder, "copy.db")}`;
    for (const line of [`verify --store ${big}`, `backup --store ${big} --to ${copy}`]) {
      const { status, shown } = onTerminal(`$P ${line} > /dev/null`);
      expect([line, status]).toEqual([line, 0]);
      const drawn = [
        ...shown.matchAll(/(?:reading|copying) \[(.*?)\] (\d+)% {2}(\d+) of (\d+) (?:sessions|parts)/g),
      ];
      expect(drawn).not.toEqual([]);
      // How often it is drawn is a matter of time; each time it is what the numbers say.
      for (const [, bar = "", percent, done, total] of drawn) {
        const part = Number(done) / Number(total);
        expect(bar).toBe("#".repeat(Math.round(part * 20)).padEnd(20, "."));
        expect(percent).toBe((part * 100).toFixed(0));
      }
    }
    expect(onTerminal(`$P verify --quiet --store ${big} > /dev/null`).shown).toBe("");
  });
});

describe("Ctrl-C", () => {
  /** Runs a command until `isUnderWay`, then interrupts it. */
  async function interrupted(argv: readonly string[], isUnderWay: () => boolean) {
    const child = spawn(process.execPath, [binary, ...argv], { stdio: ["ignore", "ignore", "pipe"] });
    let err = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
    const closed = once(child, "close") as Promise<[number | null]>;
    while (!isUnderWay() && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 2));
    child.kill("SIGINT");
    const [status] = await closed;
    return { status, err };
  }

  const partsIn = (place: string) => fs.readdirSync(place).filter((name) => /partial/.test(name));

  it("leaves nothing of a backup, whether of a database or of files", { tags: ["long"] }, async () => {
    const place = path.join(folder, "backups");
    fs.mkdirSync(place);
    const file = path.join(place, "b.db");
    const database = await interrupted(
      ["backup", "--store", big, "--to", `sqlite:${file}`],
      () => partsIn(place).length > 0,
    );
    expect(database).toEqual({
      status: 130,
      err: "acp-sidecar: interrupted; nothing is left of it; run it again to copy all\n",
    });
    expect(fs.readdirSync(place)).toEqual([]);

    const files = `file:${path.join(folder, "source")}`;
    expect((await cli(["migrate", "--from", big, "--to", files, "--quiet"])).status).toBe(0);
    const copied = await interrupted(
      ["backup", "--store", files, "--to", `file:${place}/files`],
      () => partsIn(place).length > 0,
    );
    expect(copied.status).toBe(130);
    expect(fs.readdirSync(place)).toEqual([]);
  });

  it("says how a migration goes on, which then goes on there", async () => {
    const target = path.join(folder, "goes-on");
    const shards = () =>
      fs.existsSync(`${target}/sessions`)
        ? fs.readdirSync(`${target}/sessions`, { recursive: true }).length
        : 0;
    const argv = ["migrate", "--from", big, "--to", `file:${target}`];
    const { status, err } = await interrupted(argv, () => shards() > 20);
    const [, count = ""] =
      /^acp-sidecar: interrupted; (\d+) sessions? (?:is|are) copied; run it again, and it goes on there\n$/.exec(
        err,
      ) ?? [];
    expect([status, Number(count) > 0]).toEqual([130, true]);
    const { skipped, copied } = JSON.parse((await cli([...argv, "--json"])).out) as {
      skipped: number;
      copied: number;
    };
    expect(skipped).toBeGreaterThanOrEqual(Number(count));
    expect(skipped + copied).toBe(sessions);
  });
});
