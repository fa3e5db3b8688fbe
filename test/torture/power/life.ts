/** One life of a disk that is watched: sidecars work on it for a while, one after the other, until the power fails. */
import { readFileSync, rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { Durability } from "../../../src/config/config.ts";
import type { HistoryEvent } from "../checker/history.ts";
import { FaultPage } from "../shim/faults.ts";
import { shimEnvironment, shimKill } from "../shim/shim.ts";
import { act, newSession } from "../world/actions.ts";
import { TortureClient } from "../world/client.ts";
import type { Random } from "../world/random.ts";
import type { Counter, TortureOptions } from "../world/report.ts";
import { Run, type Names } from "../world/run.ts";
import { loadAll } from "../world/verify.ts";
import { heavySteps, promptOf } from "../world/script.ts";
import type { World } from "../world/world.ts";
import { contentBelow, Disk } from "./disk.ts";
import { readTrace, type Record, type Trace } from "./trace.ts";

const workMs = 600;
/** What a sync may take, so that much happens meanwhile. */
const syncUs = 3000;
const agents = [["--all"], ["--load"], ["--resume"], ["--none"]];

export interface Setting {
  readonly options: TortureOptions;
  readonly shim: string;
  readonly counter: Counter;
  readonly world: World;
}

/** A disk, and what clients may expect to find on it. */
export interface Start {
  readonly disk: string;
  readonly history: readonly HistoryEvent[];
  readonly names: Names;
}

/** What the sidecars did to the disk, and what their clients saw. */
export interface Life {
  readonly start: Start;
  readonly durability: Durability;
  readonly trace: Trace;
  /** What was on the disk at the start, by path. */
  readonly before: ReadonlyMap<string, Buffer | undefined>;
  readonly history: readonly HistoryEvent[];
  /** Bytes of the messages that were told, in order. */
  readonly sizes: readonly number[];
}

/** Where the store is on a disk: in a directory that has to be made as well. */
export function storeOn(disk: string, kind: string): string {
  return kind.startsWith("sqlite") ? `sqlite:${disk}/data/acp/sessions.db` : `file:${disk}/data/acp`;
}

export async function live(setting: Setting, start: Start, random: Random): Promise<Life> {
  const { options, counter, world } = setting;
  const run = new Run(start.names);
  for (const event of start.history) run.note(event);
  const before = contentBelow(start.disk);
  const durability: Durability = random.pick(["turn", "turn", "turn", "full", "none"]);
  const records: Record[] = [];
  const sizes: number[] = [];
  // After a sync that failed only the process that knows of it can write again what was dropped.
  const count = random.pick([1, 1, 2, 3]);
  for (let at = 0; at < count; at += 1) {
    const trace = world.path("trace");
    const chance = random.part(`process ${at}`);
    const faults = new FaultPage(world.path("faults"));
    const program = world.sidecar({
      store: storeOn(start.disk, options.store),
      agent: ["agent.mjs", ...chance.pick(agents)],
      args: ["--durability", durability],
      env: shimEnvironment(setting.shim, { directory: start.disk, trace, faults: faults.path, syncUs }),
    });
    const client = new TortureClient(run, program);
    await work(client, chance, count === 1 ? faults : undefined);
    const told = program.out.entries.map(({ text }) => Buffer.byteLength(text) + 1);
    records.push({ notes: readFileSync(trace), toldBytes: told.reduce((sum, bytes) => sum + bytes, 0) });
    sizes.push(...told);
    rmSync(trace);
    counter.add("messages sent to clients", client.told);
    counter.add("syncs that failed", faults.hits);
    faults.close();
    counter.addAll(client.errors, "error ");
  }
  const trace = readTrace(records, before.keys());
  assertAddsUp(trace, start.disk, before, world.path("sum"));
  rmSync(start.disk, { recursive: true });
  counter.add("lives");
  counter.add("acts on disks", trace.acts.length);
  const history = run.history.slice(start.history.length);
  return { start, durability, before, trace, history, sizes };
}

/** What was written down must be what was done, or cuts would be judged that cannot be. */
function assertAddsUp(trace: Trace, root: string, before: Life["before"], sum: string): void {
  const acts = trace.acts.filter(({ act }) => act !== "synced" && act !== "sync failed");
  const disk = new Disk(root, { ...trace, acts }, before);
  disk.advance(acts.length);
  disk.writeTo(sum, (unsafe) => unsafe.map(() => "whole"));
  const noted = contentOf(sum);
  const done = contentOf(root);
  rmSync(sum, { recursive: true });
  for (const path of new Set([...noted.keys(), ...done.keys()])) {
    if (noted.get(path) !== done.get(path)) throw new Error(`The trace does not add up to ${path} as it is`);
  }
}

/** A file's bytes in Latin-1, by its path below `root`; memory that looks like a file left out. */
function contentOf(root: string): Map<string, string> {
  const files = [...contentBelow(root)].filter(([path]) => !path.endsWith("-shm"));
  return new Map(
    files.map(([path, bytes]) => [path.slice(root.length), bytes?.toString("latin1") ?? "a directory"]),
  );
}

/** @param faults syncs are made to fail by it, one time in four */
async function work(client: TortureClient, random: Random, faults: FaultPage | undefined): Promise<void> {
  const { run, program } = client;
  await client.initialize();
  run.check(await loadAll(client, run.sessionIds()));
  await newSession(client);
  const acting = [1, 2, 3].map((actor) => act(client, random.part(`actor ${actor}`)));
  if (random.chance(0.15)) acting.push(heavyTurns(client, random.part("heavy")));
  if (faults !== undefined && random.chance(0.25))
    acting.push(failSyncs(client, faults, random.part("syncs")));
  await Promise.race([delay(random.int(workMs / 2, workMs * 2)), program.exited]);
  if (random.chance(0.3)) program.endInput();
  else program.kill(shimKill);
  await Promise.all([...acting, program.exited]);
}

/** So much that journals are rotated and the WAL is copied into the database. */
async function heavyTurns(client: TortureClient, random: Random): Promise<void> {
  for (const sessionId of client.run.sessionIds().slice(0, 2)) {
    const prompt = promptOf(client.run.nextPrompt(), heavySteps(random));
    await client.ask("session/prompt", { sessionId, prompt });
  }
}

/** Again and again syncs fail for a short time; then what was dirty is lost, and later ones succeed. */
async function failSyncs({ program }: TortureClient, faults: FaultPage, random: Random): Promise<void> {
  while (program.running) {
    await Promise.race([delay(random.int(20, 300)), program.exited]);
    faults.set("EIO", "sync");
    await Promise.race([delay(random.int(1, 30)), program.exited]);
    faults.clear();
  }
}
