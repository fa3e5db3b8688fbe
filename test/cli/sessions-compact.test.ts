import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { compactedFrom } from "../../src/acp/compacted.ts";
import type { SessionId } from "../../src/base/ids.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { openStore } from "../../src/store/open.ts";
import { entriesOf } from "../conformance/samples.ts";
import { chunk, end, newEntry, prompt, thought, tool } from "../session/entries.ts";
import { redisSandbox } from "../store/redis/sandbox.ts";
import { describeServer } from "../store/servers.ts";
import { postgresSandbox } from "../store/sql/postgres/sandbox.ts";
import { binary, cli, scratchFolder } from "./harness.ts";

const folder = scratchFolder();
const output = "a line that a tool has printed\n".repeat(300);

function turn(at: number) {
  const content = [{ type: "content", content: { type: "text", text: output } }];
  const locations = [{ path: "/home/ada/a.ts" }];
  const call = { title: `Read ${at}`, kind: "read", status: "completed", locations, content };
  return [
    prompt(`ask ${at}`),
    thought("why ".repeat(200)),
    tool(call, "tool_call", `t${at}`),
    chunk("done"),
    end,
  ];
}

async function madeStore(place: string, turns = 8) {
  const url = place.includes(":") ? place : `file:${join(folder, place)}`;
  const store = await openStore(url);
  const registry = new SessionRegistry({ store });
  const { id } = await registry.create({ cwd: process.cwd(), title: "made" });
  const { journal } = await registry.open(id);
  const entries = Array.from({ length: turns }, (_, at) => turn(at + 1)).flat();
  await journal.seal(
    [],
    entries.map((item) => newEntry(item)),
  );
  await journal.release();
  await store.close();
  return { url, id, at: ["--store", url] };
}

async function readIn(url: string, id: SessionId) {
  const store = await openStore(url);
  try {
    return await entriesOf(store, id);
  } finally {
    await store.close();
  }
}

describe("sessions compact", () => {
  it("says what it would save, asks, saves it, and brings it back", async () => {
    const { url, id, at } = await madeStore("whole");
    const before = await readIn(url, id);
    const dry = await cli(["sessions", "compact", "last", ...at, "--dry-run", "--json"]);
    expect(dry).toMatchObject({ status: 0, err: "" });
    const effect = JSON.parse(dry.out) as Record<string, unknown>;
    expect(effect).toMatchObject({ id, dryRun: true, beforeSeq: 16, entries: 6 });
    const no = await cli(["sessions", "compact", "last", ...at], { typed: "n\n" });
    expect(no).toMatchObject({ status: 1, out: "" });
    expect(no.err).toMatch(
      new RegExp(
        `^Compact 6 entries before entry 16 of ${id}: .* KiB will become .* KiB\\?.*Nothing was changed.`,
      ),
    );
    expect(await readIn(url, id)).toEqual(before);
    const yes = await cli(["sessions", "compact", "last", ...at, "--yes"]);
    expect(yes).toMatchObject({ status: 0, err: "" });
    expect(yes.out).toMatch(
      new RegExp(
        `^Compacted 6 entries before entry 16 of ${id}: .* KiB became .* KiB, .* given back\\nBack again: .* --undo\\n$`,
      ),
    );
    const shown = await cli(["sessions", "show", id, ...at, "--tools", "full", "--last", "8", "--no-pager"]);
    expect(shown.out).toContain("[compacted: ");
    expect(await cli(["verify", ...at])).toMatchObject({
      status: 0,
      out: expect.stringContaining("0 damaged") as string,
    });
    expect((await cli(["sessions", "compact", id, ...at, "--yes"])).out).toBe(
      `Nothing to compact in ${id} before entry 16\n`,
    );
    const undone = await cli(["sessions", "compact", id, ...at, "--undo", "--json"]);
    expect(JSON.parse(undone.out)).toMatchObject({ id, undone: true, entries: 6, left: 0 });
    expect(await readIn(url, id)).toEqual(before);
    const again = await cli(["sessions", "compact", id, ...at, "--undo"]);
    expect([again.status === 0, again.err.split("\n").length]).toEqual([false, 2]);
    expect(again.err).toContain("is not compacted");
  });

  it("cannot be undone when gc has taken away what was there, which gives its room back", async () => {
    const { url, id, at } = await madeStore("gc", 60);
    await cli(["sessions", "compact", `${id}:100`, ...at, "--yes"]);
    const compacted = await readIn(url, id);
    const dry = await cli(["sessions", "gc", "--trash", "--dry-run", ...at]);
    expect(dry.out).toBe("what stood in 1 compacted session would go for good\n");
    const gone = await cli(["sessions", "gc", "--trash", "--yes", "--json", ...at]);
    expect(JSON.parse(gone.out)).toMatchObject({ trashed: 0, deleted: 0, originals: 1 });
    expect((await cli(["sessions", "gc", "--trash", "--yes", ...at])).out).toBe("No session went\n");
    const undo = await cli(["sessions", "compact", id, ...at, "--undo"]);
    expect(undo.status).not.toBe(0);
    expect(undo.err).toContain("gone for good");
    expect(await readIn(url, id)).toEqual(compacted);
    expect(compacted.filter((entry) => compactedFrom(entry) !== undefined)).toHaveLength(40);
  });

  it("is found by what is there, and has it in bundles and other stores", async () => {
    const { url, id, at } = await madeStore("taken");
    const env = { XDG_CACHE_HOME: join(folder, "cache") };
    const search = () => cli(["search", "printed", ...at, "--json"], { env });
    const hits = async () => JSON.stringify(JSON.parse((await search()).out)).split('"address"').length - 1;
    expect(await hits()).toBe(3);
    await cli(["sessions", "compact", id, "--before", "36", ...at, "--yes"], { env });
    expect(await hits()).toBe(1);
    const bundle = join(folder, "taken.acpbundle");
    await cli(["export", id, "--out", bundle, ...at]);
    const other = `sqlite:${join(folder, "imported.db")}`;
    expect(await cli(["import", bundle, "--store", other])).toMatchObject({ status: 0 });
    const moved = `sqlite:${join(folder, "moved.db")}`;
    expect(await cli(["migrate", "--from", url, "--to", moved])).toMatchObject({ status: 0 });
    expect(await readIn(moved, id)).toEqual(await readIn(url, id));
    expect((await cli(["sessions", "compact", id, "--undo", "--store", moved])).out).toContain("Restored 14");
    await cli(["sessions", "compact", id, "--undo", ...at], { env });
    expect(await readIn(moved, id)).toEqual(await readIn(url, id));
    expect(await hits()).toBe(3);
  });

  it("refuses what it cannot do, in a line", async () => {
    const { id, at } = await madeStore("wrong");
    const wrong: [readonly string[], number, string][] = [
      [[id], 2, "there is no terminal"],
      [[`${id}:3`, "--before", "4", "--yes"], 2, "two places"],
      [[id, "--before", "0", "--yes"], 2, "a whole number above 0"],
      [[id, "--before", "39", "--yes"], 2, "newest turn"],
      [[id, "--before", "99", "--yes"], 2, "there is no entry 99"],
      [[id, "--undo", "--dry-run"], 2, "--undo"],
      [[`${id}:3`, "--undo"], 2, "names an entry"],
      [["NOWHERE1", "--yes"], 4, "NOWHERE1"],
    ];
    for (const [args, status, message] of wrong) {
      const ran = await cli(["sessions", "compact", ...args, ...at]);
      expect([args, ran.out, ran.err.trimEnd().split("\n").length]).toEqual([args, "", 1]);
      expect(ran.err).toContain(message);
      expect([args, ran.status]).toEqual([args, status]);
    }
  });
});

/** Killed at some shares of the time that it takes. */
async function isWholeAfterKills(place: string): Promise<void> {
  const { url, id, at } = await madeStore(place, 200);
  const before = await readIn(url, id);
  const env = { ...process.env, XDG_CACHE_HOME: join(folder, "cache") };
  const compact = (killed: Promise<unknown>) => {
    const args = [binary, "sessions", "compact", id, ...at, "--yes"];
    const child = spawn(process.execPath, args, { stdio: "ignore", env });
    void killed.then(() => child.kill("SIGKILL"));
    return once(child, "exit");
  };
  const startMs = performance.now();
  await compact(new Promise(() => undefined));
  const wholeMs = performance.now() - startMs;
  await cli(["sessions", "compact", id, ...at, "--undo"]);
  for (const share of [0.4, 0.55, 0.7, 0.85]) {
    await compact(delay(wholeMs * share));
    const changed = (await readIn(url, id)).filter(({ data }, n) => data !== before[n]?.data);
    expect([0, 390]).toContain(changed.length);
    expect((await cli(["verify", ...at])).out).toContain("0 damaged");
    await cli(["sessions", "compact", id, ...at, "--undo"]);
    expect(await readIn(url, id)).toEqual(before);
  }
}

describe("a session whose compaction is killed is as it was, or is compacted", { tags: ["long"] }, () => {
  it("in files", { timeout: 300_000 }, () => isWholeAfterKills(`file:${join(folder, "killed")}`));
  it("in SQLite", { timeout: 300_000 }, () => isWholeAfterKills(`sqlite:${join(folder, "killed.db")}`));
  describeServer("TEST_POSTGRES_URL", 5432, (server) => {
    const sandbox = postgresSandbox(server);
    afterAll(sandbox.close);
    it("in PostgreSQL", { timeout: 300_000 }, () => isWholeAfterKills(sandbox.url));
  });
  describeServer("TEST_REDIS_URL", 6379, (server) => {
    const sandbox = redisSandbox(server);
    afterAll(sandbox.close);
    it("in Redis", { timeout: 300_000 }, () => isWholeAfterKills(sandbox.url));
  });
});
