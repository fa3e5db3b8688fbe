/**
 * The kill loop: clients drive a sidecar which is SIGKILLed at random instants, while prompts stream and
 * sessions are created, forked, loaded, closed and deleted, and while it recovers from the kill before.
 */
import { act, newSession } from "../world/actions.ts";
import { TortureClient } from "../world/client.ts";
import type { Random } from "../world/random.ts";
import { Random as Chance } from "../world/random.ts";
import { Counter, type Figures, type Harness, type TortureOptions } from "../world/report.ts";
import { Run } from "../world/run.ts";
import { loadAll, verifyAll } from "../world/verify.ts";
import { lookInto } from "../world/store.ts";
import { World } from "../world/world.ts";

/** Kills on one store, before a fresh one is begun. */
const killsPerStore = 25;
const agents = [["--all"], ["--load"], ["--resume"], ["--none"], ["--load", "--fork", "--close"]];

export const killSidecar: Harness = {
  name: "kill-sidecar",
  about: "SIGKILLs the sidecar at random instants of everything that it does, --kills times",
  sizes: { glimpse: { kills: 4 }, middle: { kills: 300 }, long: { kills: 5000 } },
  run: killSidecars,
};

async function killSidecars(options: TortureOptions): Promise<Figures> {
  const random = new Chance(options.seed);
  const counter = new Counter();
  for (let kills = 0; kills < options.kills; kills += killsPerStore) {
    const count = Math.min(killsPerStore, options.kills - kills);
    await oneStore(options, random.part(kills), count, counter);
    options.log(`${kills + count} kills, ${counter.figures["messages sent to clients"]} messages`);
  }
  return counter.figures;
}

/** A store, an agent, and what is done with them. */
interface Place {
  readonly world: World;
  readonly run: Run;
  readonly store: string;
  readonly connect: () => TortureClient;
}

async function oneStore(
  options: TortureOptions,
  random: Random,
  kills: number,
  counter: Counter,
): Promise<void> {
  const world = new World();
  try {
    const place = placeIn(world, options.store, random);
    for (let kill = 0; kill < kills; kill += 1) {
      await oneLife(place, random.part(`life ${kill}`), counter);
      counter.add("kills");
    }
    const client = place.connect();
    await client.initialize();
    await verifyAll(client, place.store);
    client.program.endInput();
    await client.program.exited;
    place.run.check(await lookInto(place.store, place.run.ledger.sessions.keys()));
    counter.add("sessions", place.run.ledger.sessions.size);
    counter.add("stores");
  } finally {
    await world.end();
  }
}

function placeIn(world: World, storeKind: string, random: Random): Place {
  const store = world.storeUrl(storeKind);
  const agent = ["agent.mjs", ...random.pick(agents), "--state", world.path("agent-memory")];
  // A Redis server that keeps no log refuses `full`: there would be nothing to interrupt.
  const strongest = store.startsWith("redis") ? "turn" : "full";
  const args = ["--durability", random.pick(["turn", "turn", strongest, "none"])];
  const run = new Run();
  return { world, run, store, connect: () => new TortureClient(run, world.sidecar({ store, agent, args })) };
}

/** From a start to a kill: one time in five it strikes early, into start and recovery. */
async function oneLife(place: Place, random: Random, counter: Counter): Promise<void> {
  const { run, store } = place;
  const ids = [...run.ledger.sessions.keys()];
  if (random.chance(0.2)) run.check(await lookInto(store, ids));
  const client = place.connect();
  const isEarly = random.chance(0.2);
  if (isEarly) killLater(client, random.int(0, 400));
  await client.initialize();
  const loaded = await loadAll(client, random.chance(0.5) ? ids : ids.filter(() => random.chance(0.3)));
  run.check(loaded);
  counter.add("sessions replayed", loaded.sessions.size);
  if (!isEarly) {
    await newSession(client);
    plan(client, random);
  }
  await Promise.all([1, 2, 3].map((actor) => act(client, random.part(`actor ${actor}`))));
  await client.program.exited;
  run.broke("the sidecar was killed");
  counter.add("messages sent to clients", client.told);
  counter.addAll(client.errors, "error ");
}

/** Kills after a time, or upon a message, which is when something has just been written. */
function plan(client: TortureClient, random: Random): void {
  if (random.chance(0.4)) return killLater(client, random.int(0, 800));
  // If there are not so many messages in a while, the time decides.
  killLater(client, 1500);
  let left = random.chance(0.5) ? random.int(1, 100) : random.int(1, 3000);
  client.onTold = () => {
    left -= 1;
    if (left === 0) client.program.kill("SIGKILL");
  };
}

function killLater(client: TortureClient, afterMs: number): void {
  const timer = setTimeout(() => client.program.kill("SIGKILL"), afterMs);
  void client.program.exited.then(() => clearTimeout(timer));
}
