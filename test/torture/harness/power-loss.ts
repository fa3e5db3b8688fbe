/**
 * Power fails at any instant: what a sidecar does to its disk is recorded, and the disk is made again as a
 * power cut could leave it, cut by cut. One life gives as many cuts as one likes; the next life goes on with
 * what one of them has left.
 */
import { existsSync, mkdirSync } from "node:fs";
import { buildShim } from "../shim/shim.ts";
import { cutAgain, cutOften } from "../power/cuts.ts";
import { live } from "../power/life.ts";
import { Random } from "../world/random.ts";
import { Counter, type Figures, type Harness, type TortureOptions } from "../world/report.ts";
import { World } from "../world/world.ts";
import type { Setting, Start } from "../power/life.ts";

const cutsPerLife = 50;
const livesPerStore = 4;
const memory = "/dev/shm";

export const powerLoss: Harness = {
  name: "power-loss",
  about: "drops or tears at any byte what was not synced when the power fails, --kills times",
  sizes: { glimpse: { kills: 30 }, middle: { kills: 600 }, long: { kills: 20_000 } },
  breaks: ["no-fsync"],
  run: cutPower,
};

async function cutPower(options: TortureOptions): Promise<Figures> {
  const shim = await buildShim();
  if (shim.path === undefined) return notRun(options, shim.why);
  if (!/^(sqlite|file):?$/.test(options.store)) return notRun(options, "its disk is another machine's");
  const random = new Random(options.seed);
  const counter = new Counter();
  if (options.again !== undefined) return again({ options, shim: shim.path, counter }, options.again);
  const cutsPerStore = cutsPerLife * livesPerStore;
  for (let cuts = 0; cuts < options.kills; cuts += cutsPerStore) {
    const count = Math.min(cutsPerStore, options.kills - cuts);
    await oneStore({ options, shim: shim.path, counter }, random.part(cuts), count);
    options.log(`${cuts + count} cuts, ${counter.figures["acts on disks"]} acts on disks`);
  }
  return counter.figures;
}

async function again(setting: Omit<Setting, "world">, file: string): Promise<Figures> {
  const world = new World();
  try {
    await cutAgain({ ...setting, world }, file);
  } finally {
    await world.end();
  }
  return setting.counter.figures;
}

function notRun({ log }: TortureOptions, why: string): Figures {
  log(`not run: ${why}`);
  return { "not run": 1 };
}

async function oneStore(setting: Omit<Setting, "world">, random: Random, cuts: number): Promise<void> {
  // Nothing here is to be kept, and syncing is what takes its time.
  const world = new World(existsSync(memory) ? memory : undefined);
  try {
    let start: Start = { disk: world.path("disk"), history: [], names: { prompts: 0, clients: 0 } };
    mkdirSync(start.disk);
    for (let done = 0; done < cuts; done += cutsPerLife) {
      const chance = random.part(`life ${done}`);
      const life = await live({ ...setting, world }, start, chance);
      start = await cutOften({ ...setting, world }, life, chance, Math.min(cutsPerLife, cuts - done));
    }
  } finally {
    await world.end();
  }
}
