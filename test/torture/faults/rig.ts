/** A sidecar that is kept busy while something fails for a while, and then works again: what all such faults share. */
import { setTimeout as delay } from "node:timers/promises";
import { actOnce, newSession } from "../world/actions.ts";
import { Actors } from "../world/actors.ts";
import { codeOf, TortureClient } from "../world/client.ts";
import { Random } from "../world/random.ts";
import { Counter, type Figures, type TortureOptions } from "../world/report.ts";
import { promptOf } from "../world/script.ts";
import { Run } from "../world/run.ts";
import { verifyAll } from "../world/verify.ts";
import { World } from "../world/world.ts";

/** A fault that comes and goes. */
export interface Fault {
  /** The store that it strikes. */
  readonly store: string;
  /** What the sidecar's environment needs for it. */
  readonly env?: NodeJS.ProcessEnv;
  /** Begins, and says what; it lasts until `end`. */
  readonly begin: (random: Random) => Promise<string> | string;
  readonly end: () => Promise<void> | void;
  readonly lastsMs: readonly [least: number, most: number];
  /** What a client may be told meanwhile. */
  readonly codes: readonly string[];
  readonly close: () => Promise<void> | void;
}

/** How long it may take after the end until all works again; mostly it is a hundredth of that. */
const healsMs = 10_000;

/** What may be told at any time: actors close and delete what others are at. */
const usual = ["SESSION_NOT_FOUND", "-32002", "SESSION_CLOSED"];

/** Strikes `options.kills` times. Errors: `PromiseBroken`, and whatever a fault must not do. */
export async function strikeOften(
  options: TortureOptions,
  makeFault: (world: World) => Promise<Fault>,
): Promise<Figures> {
  const random = new Random(options.seed);
  const counter = new Counter();
  const world = new World();
  try {
    const fault = await makeFault(world);
    try {
      await strike(options, world, fault, random, counter);
    } finally {
      await fault.close();
    }
  } finally {
    await world.end();
  }
  return counter.figures;
}

async function strike(
  options: TortureOptions,
  world: World,
  fault: Fault,
  random: Random,
  counter: Counter,
): Promise<void> {
  const agent = ["agent.mjs", "--all", "--state", world.path("agent-memory")];
  const start = { store: fault.store, agent, ...(fault.env && { env: fault.env }) };
  const client = new TortureClient(new Run(), world.sidecar(start));
  await client.initialize();
  await newSession(client);
  const actors = new Actors();
  actors.start(3, random, async (chance) => {
    await actOnce(client, chance);
    await delay(10);
  });
  for (let at = 0; at < options.kills; at += 1) {
    const chance = random.part(`fault ${at}`);
    await delay(chance.int(50, 300));
    client.run.broke(`${await fault.begin(chance)}`);
    await delay(chance.int(...fault.lastsMs));
    await fault.end();
    client.run.broke("the fault is gone");
    counter.add("faults");
    counter.most("slowest to heal, in ms", await untilWorks(client));
    actors.check();
  }
  await actors.stop();
  conclude(client, fault, counter);
  await verifyAll(client, fault.store);
  client.program.endInput();
  await client.program.exited;
}

/** A new session is made and a prompt answered; returns how long that took to succeed. */
async function untilWorks(client: TortureClient): Promise<number> {
  const startedAtMs = performance.now();
  for (;;) {
    const error = await works(client);
    const tookMs = Math.round(performance.now() - startedAtMs);
    if (error === undefined) return tookMs;
    if (!client.isAlive)
      throw new Error(`The sidecar died of the fault: ${client.program.stderr.slice(-2000)}`);
    if (tookMs > healsMs) throw new Error(`The fault is gone for ${tookMs} ms, and still: ${error}`);
    await delay(20);
  }
}

async function works(client: TortureClient): Promise<string | undefined> {
  const made = await client.ask("session/new", { cwd: "/", mcpServers: [] });
  const sessionId = (made?.result as { sessionId?: string } | undefined)?.sessionId;
  if (sessionId === undefined) return made?.error === undefined ? "no answer" : codeOf(made.error);
  const prompt = promptOf(client.run.nextPrompt(), [["m1", 3]]);
  const answer = await client.ask("session/prompt", { sessionId, prompt });
  await client.ask("session/delete", { sessionId });
  return answer?.error === undefined ? undefined : codeOf(answer.error);
}

function conclude(client: TortureClient, { codes }: Fault, counter: Counter): void {
  counter.add("messages sent to clients", client.told);
  counter.addAll(client.errors, "error ");
  const allowed = new Set([...codes, ...usual]);
  const strange = [...client.errors.keys()].filter((code) => !allowed.has(code));
  if (strange.length > 0) {
    const told = strange.map((code) => `${code}: ${client.lastErrors.get(code)}`).join("\n");
    throw new Error(`A client was told what it should not\n${told}`);
  }
  const open = client.run.ledger.openRequests(client.name);
  if (open.length > 0) throw new Error(`Requests were never answered: ${JSON.stringify(open)}`);
}

/** One line that says why a harness cannot run here. */
export function notRun({ log }: TortureOptions, why: string): Figures {
  log(`not run: ${why}`);
  return { "not run": 1 };
}
