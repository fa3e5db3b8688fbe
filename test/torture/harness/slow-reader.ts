/**
 * A client that stops reading while its agent streams more than anybody wants to hold, and while a long session
 * is loaded: memory stays bounded, the agent is held back, and nothing is lost when the client reads on.
 */
import { setTimeout as delay } from "node:timers/promises";
import { TortureClient } from "../world/client.ts";
import { residentBytes } from "../world/memory.ts";
import { Random } from "../world/random.ts";
import { Counter, type Figures, type Harness, type TortureOptions } from "../world/report.ts";
import { nothingFound, Run } from "../world/run.ts";
import { promptOf } from "../world/script.ts";
import { lookInto } from "../world/store.ts";
import { verifyAll } from "../world/verify.ts";
import { World } from "../world/world.ts";

/** Beyond what it had when the client stopped reading. */
const mostGrowthBytes = 150 << 20;
const padChars = 500;
/** So many looks into the journal, so far apart, find it unchanged. */
const standstills = 3;
const lookEveryMs = 150;
const patienceMs = 120_000;

export const slowReader: Harness = {
  name: "slow-reader",
  about: "a client that reads nothing for --seconds while its agent streams and while a session is loaded",
  sizes: { glimpse: { seconds: 0.5 }, middle: { seconds: 10 }, long: { seconds: 60 } },
  run: readSlowly,
};

async function readSlowly(options: TortureOptions): Promise<Figures> {
  const counter = new Counter();
  const world = new World();
  try {
    const random = new Random(options.seed);
    const store = world.storeUrl(options.store);
    const run = new Run();
    const client = new TortureClient(run, world.sidecar({ store, agent: ["agent.mjs", "--resume"] }));
    client.patienceMs += 2 * options.seconds * 1000;
    await client.initialize();
    const created = await client.ask("session/new", { cwd: "/", mcpServers: [] });
    const sessionId = String((created?.result as { sessionId?: string } | undefined)?.sessionId);
    const pieces = 14_000 + 1000 * options.seconds;
    const steps = [["m2", pieces, padChars, random.int(8, 64)]];
    const streaming = client.ask("session/prompt", { sessionId, prompt: promptOf(run.nextPrompt(), steps) });
    await until(() => client.told > 500);
    await standStill(client, options.seconds * 1000, counter, () => heldBack(client, store));
    if ((await streaming)?.error !== undefined) throw new Error("The turn did not end well");
    run.check(nothingFound);
    const loading = client.load(sessionId);
    await until(() => client.told > pieces);
    await standStill(client, options.seconds * 1000, counter);
    await loading;
    await verifyAll(client, store);
    client.program.endInput();
    await client.program.exited;
    counter.add("messages sent to clients", client.told);
  } finally {
    await world.end();
  }
  return counter.figures;
}

/** Reads nothing for a while, and watches what the sidecar does meanwhile. */
async function standStill(
  { program: { pid, child } }: TortureClient,
  forMs: number,
  counter: Counter,
  watch: () => Promise<void> = async () => undefined,
): Promise<void> {
  const before = residentBytes(pid);
  child.stdout.pause();
  await watch();
  await delay(forMs);
  await watch();
  const growth = residentBytes(pid) - before;
  if (growth > mostGrowthBytes) throw new Error(`The sidecar grew by ${growth >> 20} MiB while nobody read`);
  child.stdout.resume();
  counter.most("most growth in MiB", Math.max(0, growth >> 20));
}

/** The journal comes to a standstill while the turn is not over: the agent cannot write any more. */
async function heldBack({ run }: TortureClient, store: string): Promise<void> {
  for (let before = -1, same = 0; same < standstills; await delay(lookEveryMs)) {
    const { sessions } = await lookInto(store, run.ledger.sessions.keys());
    const entries = [...sessions.values()].flatMap(({ stored }) => stored?.entries ?? []);
    if (entries.some(({ kind }) => kind === "end"))
      throw new Error("The agent is not held back: its turn is over, though nobody reads");
    same = entries.length === before ? same + 1 : 0;
    before = entries.length;
  }
}

async function until(isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error("Waited in vain");
    await delay(5);
  }
}
