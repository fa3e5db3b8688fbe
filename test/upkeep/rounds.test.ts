/** Rounds of upkeep on real stores: what is done, what is left alone, and what yields. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { noAudit } from "../../src/audit/audit.ts";
import { silentLogger } from "../../src/base/log.ts";
import type { Config } from "../../src/config/config.ts";
import { defaults } from "../../src/config/options.ts";
import { Searcher } from "../../src/history/search/search.ts";
import { isArchived } from "../../src/session/archived.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import type { Store } from "../../src/store/contract.ts";
import { openGuarded } from "../../src/store/guarded/open.ts";
import { backupsOf } from "../../src/upkeep/backups.ts";
import { UpkeepLease } from "../../src/upkeep/lease.ts";
import { rotateLog } from "../../src/upkeep/logs.ts";
import { NotNow } from "../../src/upkeep/parts.ts";
import { Rounds } from "../../src/upkeep/rounds.ts";
import { cli } from "../cli/harness.ts";
import { end, prompt, say } from "../history/talk.ts";

const root = fs.mkdtempSync(path.join(os.tmpdir(), "acp-sidecar-upkeep-"));
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

const dayMs = 86_400_000;
const nowMs = Date.now();
let number = 0;

/** A store with rounds of its own, and sessions of the ages that are asked for. */
async function lookedAfter(
  scheme: "sqlite" | "file",
  more: Partial<Config> = {},
  { now, isBusy }: { now?: () => number; isBusy?: () => boolean } = {},
) {
  const folder = path.join(root, String((number += 1)));
  fs.mkdirSync(folder);
  const config: Config = { ...defaults, store: `${scheme}:${path.join(folder, "sessions")}`, ...more };
  const store = await openGuarded(config.store, config);
  const registry = new SessionRegistry({ ...config, store, audit: noAudit, ...(now && { now }) });
  const env = {
    HOME: folder,
    XDG_STATE_HOME: path.join(folder, "state"),
    XDG_CACHE_HOME: path.join(folder, "cache"),
  };
  const rounds = new Rounds({ config, registry, store, isBusy, log: silentLogger, env });
  return {
    ...{ folder, config, store, registry, rounds, env },
    session: (words: string, ageMs = 0) => sessionOf(store, words, nowMs - ageMs),
    [Symbol.asyncDispose]: async () => {
      await rounds.close(0);
      await registry.close();
      await store.close();
    },
  };
}

async function sessionOf(store: Store, words: string, atMs: number): Promise<string> {
  const registry = new SessionRegistry({ store, now: () => atMs });
  const { id } = await registry.create({ cwd: "/work", title: words });
  const { journal } = await registry.open(id);
  await journal.seal([prompt(words), say(`answer ${words}`), end()].map((entry) => ({ ...entry, atMs })));
  await journal.release();
  await registry.close();
  return id;
}

const wordsOf = (done: Awaited<ReturnType<Rounds["round"]>>, name: string) =>
  done?.steps.find((step) => step.name === name)?.words;

describe("a round", () => {
  it.each(["sqlite", "file"] as const)(
    "expires and archives what is old, and leaves alone what is young or held: %s",
    async (scheme) => {
      const limits = { retentionMs: 90 * dayMs, archiveAfterMs: 7 * dayMs };
      await using at = await lookedAfter(scheme, limits);
      const ids = {
        expired: await at.session("expired", 100 * dayMs),
        old: await at.session("old", 10 * dayMs),
        held: await at.session("held", 10 * dayMs),
        young: await at.session("young", dayMs),
      };
      const other = { host: "elsewhere", pid: 1, startedAt: "1" };
      const held = ids.held as Parameters<Store["acquire"]>[0];
      await at.store.acquire(held, { holder: other, ttlMs: 600_000, mayTake: () => false });
      const done = await at.rounds.round();
      expect(done?.steps.filter(({ ok }) => !ok)).toEqual([]);
      expect([wordsOf(done, "expire"), wordsOf(done, "archive")]).toEqual(["1 expired", "1 archived"]);
      const left = (await at.registry.list({ archived: "include" })).items;
      expect(new Map(left.map((record) => [record.title, isArchived(record)]))).toEqual(
        new Map([
          ["young", false],
          ["old", true],
          ["held", false],
        ]),
      );
      expect(await at.registry.trash.count()).toBe(1);
      const again = await at.rounds.round();
      expect([wordsOf(again, "expire"), wordsOf(again, "archive")]).toEqual([
        "nothing to do",
        "nothing to do",
      ]);
    },
  );

  it("catches up the index of who has searched, gives room back, and measures once a day", async () => {
    await using at = await lookedAfter("sqlite");
    await at.session("needle");
    expect(wordsOf(await at.rounds.round(), "search index")).toBe("none: nobody has searched");
    const searcher = new Searcher(at.registry, {
      cacheFolder: path.join(at.env.XDG_CACHE_HOME, "acp-sidecar"),
    });
    await searcher.search("needle");
    await at.session("thread");
    const ids = await Promise.all(
      Array.from({ length: 8 }, (_, n) => at.session("x".repeat(400_000) + String(n))),
    );
    for (const id of ids) await at.registry.end(id as Parameters<SessionRegistry["end"]>[0]);
    const done = await at.rounds.round();
    expect(wordsOf(done, "search index")).toBe("up to date");
    expect((await searcher.state())?.sessions).toBe(2);
    expect(wordsOf(done, "space")).toMatch(/^\d{1,3}\.\d MiB given back$/);
    expect(wordsOf(done, "growth")).toBe("measured today");
    await searcher.close();
  });

  it("ends at once when sessions are busy again, and the next does the rest", async () => {
    await using at = await lookedAfter("sqlite", { archiveAfterMs: dayMs });
    for (let n = 0; n < 5; n += 1) await at.session(`old ${n}`, 2 * dayMs);
    let left = 4;
    const pace = async () => {
      left -= 1;
      if (left < 0) throw new NotNow("sessions are busy again");
    };
    const cut = await at.rounds.round({ pace });
    expect(cut?.isCut).toBe(true);
    expect(await at.registry.count({ archived: "only" })).toBe(2);
    expect((await at.rounds.round())?.isCut).toBe(false);
    expect(await at.registry.count({ archived: "only" })).toBe(5);
  });

  it("is begun only when it is due, nothing is busy here, and nobody else is at it", async () => {
    let [clockMs, isElsewhere] = [nowMs, false];
    await using at = await lookedAfter(
      "sqlite",
      { archiveAfterMs: dayMs, upkeepIntervalMs: 3_600_000 },
      { now: () => clockMs, isBusy: () => isElsewhere },
    );
    await at.session("old", 2 * dayMs);
    const archived = () => at.registry.count({ archived: "only" });
    const busy = await at.registry.create({ cwd: "/work" });
    const { journal } = await at.registry.open(busy.id);
    await at.rounds.tick();
    expect(await archived()).toBe(0);
    // An agent may be at a tool for long and say nothing: its turn runs all the same.
    journal.setTurnRunning(true);
    await journal.append([{ ...prompt("x"), atMs: nowMs }]);
    clockMs += 60_000;
    await at.rounds.tick();
    expect(await archived()).toBe(0);
    await journal.release();
    isElsewhere = true;
    await at.rounds.tick();
    expect(await archived()).toBe(0);
    isElsewhere = false;
    const other = await UpkeepLease.take(at.store);
    await at.rounds.tick();
    expect(await archived()).toBe(0);
    await other?.release();
    await at.rounds.tick();
    expect(await archived()).toBe(1);
    await at.session("also old", 2 * dayMs);
    await at.rounds.tick();
    expect(await archived()).toBe(1);
  });
});

describe("scheduled backups", () => {
  it("within the store's own folder are refused, and nothing is made there", async () => {
    const place = path.join(root, String(number + 1), "sessions", "sessions");
    const backup = { to: `file:${path.join(place, "copy")}`, everyMs: 3_600_000, keep: 2 };
    await using here = await lookedAfter("file", { backup });
    await here.session("kept");
    const done = await here.rounds.round();
    expect(wordsOf(done, "backup")).toContain("would lie within the other");
    expect(done?.steps.filter(({ ok }) => !ok)).toHaveLength(1);
    expect(fs.readdirSync(place).filter((name) => name.includes("copy"))).toEqual([]);
  });

  it.each([
    ["sqlite", "sqlite"],
    ["file", "file"],
    ["file", "sqlite"],
  ] as const)(
    "of a %s store to %s: are made when due, rotated, and can be restored",
    async (scheme, target) => {
      const backup = {
        to: `${target}:${path.join(root, `copies-${number}`, "copy.db")}`,
        everyMs: 3_600_000,
        keep: 2,
      };
      await using at = await lookedAfter(scheme, { backup });
      const id = await at.session("worth keeping");
      const mine = path.join(root, `copies-${number - 1}`, "copy.20200101T000000Z.db.mine");
      fs.mkdirSync(path.dirname(mine), { recursive: true });
      fs.writeFileSync(mine, "not ours");
      expect(wordsOf(await at.rounds.round(), "backup")).toMatch(
        /^1 session copied to \S+copy\.\d{8}T\d{6}Z\.db$/,
      );
      expect(wordsOf(await at.rounds.round(), "backup")).toBe("not due");
      const [first] = await backupsOf(backup);
      // Older ones, as earlier rounds have left them.
      const before = (atMs: number) =>
        first?.place.replace(/\d{8}T\d{6}Z/, new Date(atMs).toISOString().replace(/[-:]|\.\d+/g, "")) ?? "";
      const names = [before(nowMs - 3 * dayMs), before(nowMs - 2 * dayMs)];
      for (const name of names) fs.cpSync(first?.place ?? "", name, { recursive: true });
      fs.rmSync(first?.place ?? "", { recursive: true });
      expect(wordsOf(await at.rounds.round(), "backup")).toMatch(/, 1 older removed$/);
      const kept = await backupsOf(backup);
      expect(kept.map(({ place }) => fs.existsSync(place))).toEqual([true, true]);
      expect(fs.existsSync(names[0] ?? "")).toBe(false);
      expect(fs.existsSync(mine)).toBe(true);
      const restored = `sqlite:${path.join(at.folder, "restored.db")}`;
      const { status } = await cli(["restore", "--from", kept.at(-1)?.url ?? "", "--store", restored]);
      expect(status).toBe(0);
      const shown = await cli(["sessions", "show", id, "--store", restored]);
      expect(shown.out).toContain("answer worth keeping");
      expect((await cli(["verify", "--store", restored])).status).toBe(0);
    },
  );
});

it("a backup of an encrypted store is encrypted, whatever kind it is of", async () => {
  const keyFile = path.join(root, "key");
  fs.writeFileSync(keyFile, Buffer.alloc(32, 5).toString("base64"), { mode: 0o600 });
  const encryptionKey = `file:${keyFile}`;
  const backup = { to: `sqlite:${path.join(root, "sealed", "copy.db")}`, everyMs: 3_600_000, keep: 2 };
  await using at = await lookedAfter("file", { backup, encryptionKey });
  await at.session("marked words");
  expect(wordsOf(await at.rounds.round(), "backup")).toMatch(/^1 session copied/);
  const [copy] = await backupsOf(backup);
  expect(fs.readFileSync(copy?.place ?? "").includes("marked words")).toBe(false);
  const { out } = await cli([
    "sessions",
    "ls",
    "--store",
    copy?.url ?? "",
    "--encryption-key",
    encryptionKey,
  ]);
  expect(out).toContain("marked words");
});

it("a log file that is long is put aside, for its owner alone, while others write to it", async () => {
  const file = path.join(root, "log");
  const fd = fs.openSync(file, "a", 0o600);
  for (let n = 0; n < 5; n += 1) {
    fs.writeSync(fd, `line ${n} ${"x".repeat(100)}\n`);
    expect(await rotateLog(file, 50)).toBeGreaterThan(100);
  }
  expect(await rotateLog(file, 50)).toBe(0);
  fs.closeSync(fd);
  const beginning = (name: string) => fs.readFileSync(name, "utf8").slice(0, 6);
  expect([1, 2, 3].map((n) => beginning(`${file}.${n}`))).toEqual(["line 4", "line 3", "line 2"]);
  expect(fs.existsSync(`${file}.4`)).toBe(false);
  expect(fs.statSync(`${file}.1`).mode & 0o777).toBe(0o600);
  expect(await rotateLog(path.join(root, "none"))).toBe(0);
});
