/** What a power cut leaves of a file store at places that chance seldom finds. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildSync } from "esbuild";
import { afterAll, beforeAll, expect, it, type TestContext } from "vitest";
import type { SessionId } from "../../../src/base/ids.ts";
import { Disk, type Fate } from "../../torture/power/disk.ts";
import { randomFate } from "../../torture/power/fate.ts";
import { notesIn, readTrace, type Act, type Trace } from "../../torture/power/trace.ts";
import { FaultPage } from "../../torture/shim/faults.ts";
import { buildShim, shimEnvironment } from "../../torture/shim/shim.ts";
import { Random } from "../../torture/world/random.ts";
import { assertJournal, entriesOf, leaseOf, someEntries } from "../../conformance/samples.ts";
import { using } from "./sandbox.ts";

const root = mkdtempSync(join(tmpdir(), "acp-sidecar-file-power-"));
const program = join(root, "child.mjs");
let shim: Awaited<ReturnType<typeof buildShim>>;
let disks = 0;

beforeAll(async () => {
  shim = await buildShim();
  buildSync({
    entryPoints: [resolve("test/store/file/power-child.ts")],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "esm",
  });
});
afterAll(() => rm(root, { recursive: true }));

/** A disk with nothing on it, and what processes do to it, one after the other. */
class Watched {
  readonly #path = join(root, `${(disks += 1)}`);
  readonly #disk = join(this.#path, "disk");
  #records: Buffer[] = [];

  constructor() {
    mkdirSync(this.#disk, { recursive: true });
  }

  /** What a process says that does `mode`. */
  run(mode: string, ...rest: readonly string[]): string {
    const trace = join(this.#path, `trace-${(disks += 1)}`);
    const faults = new FaultPage(join(this.#path, "faults"));
    const use = { directory: this.#disk, trace, faults: faults.path, syncUs: 3000 };
    const env = { ...process.env, ...shimEnvironment(shim.path ?? "", use) };
    const args = [program, mode, join(this.#disk, "store"), faults.path, ...rest];
    const said = execFileSync(process.execPath, args, { env, encoding: "utf8" });
    faults.close();
    this.#records.push(readFileSync(trace));
    return said.trim();
  }

  get records(): readonly Buffer[] {
    return this.#records;
  }

  /** Makes the disk as if nothing but that had been done to it. */
  goBackTo(records: readonly Buffer[]): void {
    this.#records = [...records];
    rmSync(this.#disk, { recursive: true });
    this.disk().writeTo(this.#disk, (unsafe) => unsafe.map(() => "whole"));
  }

  get acts(): readonly Act[] {
    return this.#trace.acts;
  }

  /** As it is just before act `at`, or now. */
  disk(at = this.acts.length): Disk {
    const disk = new Disk(this.#disk, this.#trace, new Map([[this.#disk, undefined]]));
    disk.advance(at);
    return disk;
  }

  get #trace(): Trace {
    return readTrace(
      this.#records.map((notes) => ({ notes, toldBytes: 0 })),
      [this.#disk],
    );
  }
}

/** The store that a power cut leaves. */
function cut(disk: Disk, fate: Fate): string {
  const left = join(root, `${(disks += 1)}`);
  disk.writeTo(left, fate);
  return join(left, "store");
}

const nothing: Fate = (unsafe) => unsafe.map(() => "lost");
const onlyRemovals: Fate = (unsafe) => unsafe.map(({ act }) => (act.act === "remove" ? "whole" : "lost"));
const fates: readonly Fate[] = [
  nothing,
  onlyRemovals,
  ...Array.from({ length: 8 }, (_, i) => randomFate(new Random(`file-power ${i}`)).fate),
];

function watched({ skip }: TestContext): Watched {
  if (shim.path === undefined) skip(shim.why);
  return new Watched();
}

/** That each cut at the end leaves entries 1 to `count`, and a session that goes on. */
async function assertKept(watch: Watched, id: SessionId, count: number): Promise<void> {
  const disk = watch.disk();
  for (const fate of fates) {
    await using(cut(disk, fate), async (store) => {
      await assertJournal(store, id, someEntries(count));
      const lease = await leaseOf(store, id);
      expect(await store.append(id, count, someEntries(1), lease)).toBe(count + 1);
    });
  }
}

/** That each cut behind act `from` leaves entries 1 to `count` at least. */
async function assertKeptSince(watch: Watched, id: SessionId, from: number, count: number): Promise<void> {
  const data = someEntries(count).map((entry) => entry.data);
  const disk = watch.disk(0);
  for (let at = from; at < watch.acts.length; at += 1) {
    disk.advance(at);
    for (const fate of [nothing, onlyRemovals]) {
      const entries = await using(cut(disk, fate), (store) => entriesOf(store, id));
      expect(entries.slice(0, count).map((entry) => entry.data)).toEqual(data);
    }
  }
}

it("a fork that is refused because a sync failed does not take its parent's last entries along", async (context) => {
  const disk = watched(context);
  const id = disk.run("fork") as SessionId;
  await assertKept(disk, id, 9);
});

it("a flush that failed has no sync under way, which might undo what the next one writes again", (context) => {
  const disk = watched(context);
  expect(disk.run("round")).toBe("failed");
  const { acts } = disk;
  const failed = acts.filter(({ act }) => act === "sync failed").length;
  const told = acts.findIndex(({ act }) => act === "said");
  expect(failed).toBe(20);
  expect(acts.slice(told).filter(({ act }) => act === "sync failed")).toEqual([]);
});

it(
  "a process that is killed anywhere in a rotation leaves a session that the next one can make safe",
  { timeout: 60_000, tags: ["long"] },
  async (context) => {
    const disk = watched(context);
    const id = disk.run("begin") as SessionId;
    const [begun = Buffer.alloc(0)] = disk.records;
    const safeFrom = disk.acts.length;
    expect(disk.run("rotate", id)).toBe(id);
    await assertKeptSince(disk, id, safeFrom, 3);
    const [, rotating = Buffer.alloc(0)] = disk.records;
    const notes = [...notesIn(rotating)];
    const named = notes.findIndex(({ bytes }) => bytes.includes("journal.2.jsonl"));
    expect(named).toBeGreaterThan(0);
    for (const { end } of notes.slice(named - 5, named + 5)) {
      disk.goBackTo([begun, rotating.subarray(0, end)]);
      const killedAt = disk.acts.length;
      expect(disk.run("go-on", id)).toBe(id);
      await assertKeptSince(disk, id, killedAt, 3);
      await assertKept(disk, id, 5);
    }
  },
);

it(
  "a deletion that is not over leaves a session whole, with what it inherits, or nothing of it",
  { timeout: 60_000, tags: ["long"] },
  async (context) => {
    const watch = watched(context);
    const [, , id] = watch.run("delete").split("\n") as SessionId[];
    if (id === undefined) throw new Error("Nothing was deleted");
    const { acts } = watch;
    const asked = acts.findLastIndex((each) => each.act === "said" && each.bytes > 0);
    expect(acts.slice(asked).filter(({ act }) => act === "remove").length).toBeGreaterThan(4);
    const disk = watch.disk(0);
    for (let at = asked; at <= acts.length; at += 1) {
      disk.advance(at);
      for (const fate of fates) {
        await using(cut(disk, fate), async (store) => {
          if ((await store.get(id)) !== undefined) await assertJournal(store, id, someEntries(4));
        });
      }
    }
  },
);
