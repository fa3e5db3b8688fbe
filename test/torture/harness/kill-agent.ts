/**
 * The agent is SIGKILLed at random instants, in every combination of what it can take up again. The sidecar
 * lives on: every request is answered once, all that the agent had sent is kept, and the conversation goes on.
 */
import { readFileSync } from "node:fs";
import { actOnce, newSession, prompt } from "../world/actions.ts";
import { Actors } from "../world/actors.ts";
import { TortureClient } from "../world/client.ts";
import { isAlive } from "../../e2e/harness/processes.ts";
import { Random } from "../world/random.ts";
import { Counter, type Figures, type Harness, type TortureOptions } from "../world/report.ts";
import { nothingFound, Run } from "../world/run.ts";
import { verifyAll } from "../world/verify.ts";
import { World } from "../world/world.ts";

const killsPerSidecar = 20;
/** What the agent can take up, with and without a memory that outlives it. */
const agents = ["--none", "--load", "--resume", "--load --resume", "--all"].flatMap((flags) =>
  [true, false].map((remembers) => ({ flags: flags.split(" "), remembers })),
);

export const killAgent: Harness = {
  name: "kill-agent",
  about:
    "SIGKILLs the agent at random instants, in every combination of load, resume and none, --kills times",
  sizes: { glimpse: { kills: 8 }, middle: { kills: 200 }, long: { kills: 2000 } },
  run: killAgents,
};

async function killAgents(options: TortureOptions): Promise<Figures> {
  const random = new Random(options.seed);
  const counter = new Counter();
  for (
    let kills = 0, at = random.int(0, agents.length - 1);
    kills < options.kills;
    kills += killsPerSidecar
  ) {
    const count = Math.min(killsPerSidecar, options.kills - kills);
    const agent = agents[(at += 1) % agents.length] ?? { flags: [], remembers: false };
    await oneSidecar(options, agent, random.part(kills), count, counter);
    options.log(`${kills + count} kills, ${counter.figures["messages sent to clients"]} messages`);
  }
  return counter.figures;
}

async function oneSidecar(
  options: TortureOptions,
  { flags, remembers }: { readonly flags: readonly string[]; readonly remembers: boolean },
  random: Random,
  kills: number,
  counter: Counter,
): Promise<void> {
  const world = new World();
  try {
    const store = world.storeUrl(options.store);
    const agent = ["agent.mjs", ...flags, ...(remembers ? ["--state", world.path("agent-memory")] : [])];
    const client = new TortureClient(new Run(), world.sidecar({ store, agent }));
    await client.initialize();
    await newSession(client);
    const actors = new Actors();
    actors.start(2, random, (chance) => actOnce(client, chance));
    for (let killed = 0; killed < kills; killed += 1) {
      await killOnce(client, random, counter);
      actors.check();
    }
    await actors.stop();
    await goesOn(client, random);
    await verifyAll(client, store);
    counter.add("messages sent to clients", client.told);
    counter.addAll(client.errors, "error ");
    client.program.endInput();
    await client.program.exited;
  } finally {
    await world.end();
  }
}

/** Waits for a random message, or a while, and kills the agent that runs then. */
async function killOnce(client: TortureClient, random: Random, counter: Counter): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, random.int(0, 700));
    if (random.chance(0.3)) return;
    let left = random.int(1, 400);
    client.onTold = () => {
      left -= 1;
      if (left > 0) return;
      clearTimeout(timer);
      resolve();
    };
  });
  client.onTold = () => undefined;
  for (const pid of childrenOf(client.program.pid)) {
    if (!kill(pid)) continue;
    counter.add("kills");
    client.run.broke(`the agent ${pid} was killed`);
  }
  if (!isAlive(client.program.pid))
    throw new Error(`The sidecar died: ${client.program.stderr.slice(-2000)}`);
  client.run.check(nothingFound);
}

/** False when it is gone already: the last one may have been reaped only now. */
function kill(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

/** After all the kills a plain prompt is answered in every session. */
async function goesOn(client: TortureClient, random: Random): Promise<void> {
  // The last kill may have come so late that it strikes one more request.
  for (const sessionId of client.run.sessionIds().slice(0, 1))
    await prompt(client, sessionId, random.part("last"));
  const before = new Map(client.errors);
  for (const sessionId of client.run.sessionIds()) await prompt(client, sessionId, random.part(sessionId));
  const news = [...client.errors].filter(([code, count]) => count !== before.get(code));
  if (news.length > 0) throw new Error(`The conversation does not go on: ${JSON.stringify(news)}`);
  const open = client.run.ledger.openRequests(client.name);
  if (open.length > 0) throw new Error(`Requests were never answered: ${JSON.stringify(open)}`);
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text
    .split(" ")
    .filter((each) => each !== "")
    .map(Number);
}
