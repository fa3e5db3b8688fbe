/**
 * Two sidecars contend for the same sessions; again and again one is frozen (SIGSTOP) until its leases have
 * run out, the other takes them, and the first wakes up and goes on as if nothing had been.
 */
import { actOnce, newSession } from "../world/actions.ts";
import { Actors } from "../world/actors.ts";
import { codeOf, TortureClient } from "../world/client.ts";
import { Random } from "../world/random.ts";
import { Counter, type Figures, type Harness, type TortureOptions } from "../world/report.ts";
import { Run } from "../world/run.ts";
import { verifyAll } from "../world/verify.ts";
import { World } from "../world/world.ts";

const freezesPerStore = 10;
const leaseTtlMs = 400;
const agents = [["--all"], ["--load"], ["--none"]];
/** What a client may be told about a session that another process works with as well. */
const expectedErrors = new Set([
  "SESSION_BUSY",
  "LEASE_LOST",
  "SESSION_NOT_FOUND",
  "STORE_LOCKED",
  "SESSION_CLOSED",
]);

export const twoWriters: Harness = {
  name: "two-writers",
  about: "two sidecars on the same sessions, one frozen past its lease and woken, --kills times",
  sizes: { glimpse: { kills: 1 }, middle: { kills: 40 }, long: { kills: 400 } },
  run: contend,
};

async function contend(options: TortureOptions): Promise<Figures> {
  const random = new Random(options.seed);
  const counter = new Counter();
  for (let freezes = 0; freezes < options.kills; freezes += freezesPerStore) {
    const count = Math.min(freezesPerStore, options.kills - freezes);
    await oneStore(options, random.part(freezes), count, counter);
    options.log(`${freezes + count} freezes, ${counter.figures["messages sent to clients"]} messages`);
  }
  return counter.figures;
}

async function oneStore(
  options: TortureOptions,
  random: Random,
  freezes: number,
  counter: Counter,
): Promise<void> {
  const world = new World();
  try {
    const run = new Run();
    const store = world.storeUrl(options.store);
    const agent = ["agent.mjs", ...random.pick(agents), "--state", world.path("agent-memory")];
    const args = ["--lease-ttl", `${leaseTtlMs}ms`, "--on-busy", random.pick(["idle", "idle", "takeover"])];
    const clients = ["a", "b"].map(
      (who) => new TortureClient(run, world.sidecar({ store, agent, args }), who),
    );
    await Promise.all(clients.map((client) => client.initialize()));
    await Promise.all(clients.map(newSession));
    const actors = new Actors();
    for (const client of clients)
      actors.start(2, random.part(client.name), (chance) => contendOnce(client, chance));
    for (let freeze = 0; freeze < freezes; freeze += 1) {
      await freezeOne(clients, random.part(`freeze ${freeze}`), counter);
      actors.check();
    }
    await actors.stop();
    for (const client of clients) await conclude(client, counter);
    const judge = new TortureClient(run, world.sidecar({ store, agent, args }));
    await judge.initialize();
    await verifyAll(judge, store);
    await conclude(judge, counter);
  } finally {
    await world.end();
  }
}

/** As ever; one time in four the session is loaded first, which takes it from an idle holder. */
async function contendOnce(client: TortureClient, random: Random): Promise<void> {
  const sessions = client.run.sessionIds();
  if (sessions.length > 0 && random.chance(0.25)) await client.load(random.pick(sessions));
  await actOnce(client, random);
}

/** Freezes one until the leases that it held have run out, and lets the other one work with the sessions. */
async function freezeOne(clients: readonly TortureClient[], random: Random, counter: Counter): Promise<void> {
  await pause(random.int(50, 700));
  const [frozen, awake] = random.chance(0.5) ? clients : [...clients].reverse();
  if (frozen === undefined || awake === undefined) throw new Error("There are two clients");
  frozen.program.kill("SIGSTOP");
  frozen.run.broke(`${frozen.name}'s sidecar is frozen`);
  try {
    await pause(leaseTtlMs + random.int(50, 300));
    for (const sessionId of awake.run.sessionIds()) {
      if (!(await mustLoad(awake, sessionId, counter))) break;
    }
    await pause(random.int(0, 500));
  } finally {
    frozen.program.kill("SIGCONT");
  }
  frozen.run.broke(`${frozen.name}'s sidecar wakes up`);
  counter.add("freezes");
}

/**
 * What the frozen one held is free. False when it was frozen in a transaction of SQLite and still holds its
 * lock: no lease can help.
 */
async function mustLoad(client: TortureClient, sessionId: string, counter: Counter): Promise<boolean> {
  const { answer } = await client.load(sessionId);
  const code = answer?.error && codeOf(answer.error);
  if (code === "SESSION_BUSY") throw new Error(`${sessionId} is busy though its lease must have run out`);
  counter.add(code === undefined ? "sessions that were free" : `not loaded: ${code}`);
  return code !== "STORE_LOCKED";
}

async function conclude(client: TortureClient, counter: Counter): Promise<void> {
  counter.add("messages sent to clients", client.told);
  counter.addAll(client.errors, "error ");
  const strange = [...client.errors.keys()].filter((code) => !expectedErrors.has(code));
  if (strange.length > 0) {
    const told = strange.map((code) => `${code}: ${client.lastErrors.get(code)}`).join("\n");
    throw new Error(`${client.name} was told what it should not\n${told}`);
  }
  client.program.endInput();
  await client.program.exited;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
