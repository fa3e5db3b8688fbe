/** One life of a sidecar on a disk that is watched: it works for a while, and is stopped or killed. */
import { rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { Durability } from "../../../src/session/journal.ts";
import type { HistoryEvent } from "../checker/history.ts";
import { shimEnvironment } from "../shim/shim.ts";
import { act, newSession } from "../world/actions.ts";
import { TortureClient } from "../world/client.ts";
import type { Random } from "../world/random.ts";
import type { Counter, TortureOptions } from "../world/report.ts";
import { Run, type Names } from "../world/run.ts";
import { loadAll } from "../world/verify.ts";
import type { World } from "../world/world.ts";
import { contentBelow } from "./disk.ts";
import { readTrace, type Trace } from "./trace.ts";

const lifeMs = 600;
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

/** What a sidecar did to its disk, and what its client saw. */
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
  const { options, shim, counter, world } = setting;
  const run = new Run(start.names);
  for (const event of start.history) run.note(event);
  const before = contentBelow(start.disk);
  const trace = world.path("trace");
  const durability: Durability = random.pick(["turn", "turn", "turn", "full", "none"]);
  const program = world.sidecar({
    store: storeOn(start.disk, options.store),
    agent: ["agent.mjs", ...random.pick(agents)],
    args: ["--durability", durability],
    env: shimEnvironment(shim, { directory: start.disk, trace, syncUs }),
  });
  const client = new TortureClient(run, program);
  await work(client, random);
  counter.add("lives");
  counter.add("messages sent to clients", client.told);
  counter.addAll(client.errors, "error ");
  const life = {
    start,
    durability,
    before,
    trace: readTrace(trace, before.keys()),
    history: run.history.slice(start.history.length),
    sizes: program.out.entries.map(({ text }) => Buffer.byteLength(text) + 1),
  };
  rmSync(trace);
  rmSync(start.disk, { recursive: true });
  counter.add("acts on disks", life.trace.acts.length);
  return life;
}

async function work(client: TortureClient, random: Random): Promise<void> {
  const { run, program } = client;
  await client.initialize();
  run.check(await loadAll(client, run.sessionIds()));
  await newSession(client);
  const acting = [1, 2, 3].map((actor) => act(client, random.part(`actor ${actor}`)));
  await Promise.race([delay(random.int(lifeMs / 2, lifeMs * 2)), program.exited]);
  if (random.chance(0.3)) program.endInput();
  else program.kill("SIGKILL");
  await Promise.all([...acting, program.exited]);
}
