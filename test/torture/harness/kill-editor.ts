/**
 * The client vanishes while it prompts: it closes its pipes, one or both, or is SIGKILLed. No process may be
 * left after five seconds, nothing that the client was sent may be lost, and another sidecar can load the session.
 */
import { fileURLToPath } from "node:url";
import { processesOutliving } from "../../e2e/harness/processes.ts";
import { actOnce, newSession } from "../world/actions.ts";
import { Actors } from "../world/actors.ts";
import { TortureClient } from "../world/client.ts";
import { Random } from "../world/random.ts";
import { Counter, type Figures, type Harness, type TortureOptions } from "../world/report.ts";
import { Run } from "../world/run.ts";
import { verifyAll } from "../world/verify.ts";
import { World } from "../world/world.ts";

const vanishingsPerStore = 10;
const orphansUntilMs = 5000;
const editor = [process.execPath, fileURLToPath(new URL("../world/editor.mjs", import.meta.url))];
const agents = [["--all"], ["--load"], ["--none"]];

type Way = "its input ends" | "its output breaks" | "both pipes close" | "it is SIGKILLed";
const ways: readonly Way[] = ["its input ends", "its output breaks", "both pipes close", "it is SIGKILLed"];

export const killEditor: Harness = {
  name: "kill-editor",
  about: "lets the client vanish at random instants: pipes closed, or SIGKILLed, --kills times",
  sizes: { glimpse: { kills: 2 }, middle: { kills: 60 }, long: { kills: 500 } },
  run: killEditors,
};

async function killEditors(options: TortureOptions): Promise<Figures> {
  const random = new Random(options.seed);
  const counter = new Counter();
  for (let kills = 0; kills < options.kills; kills += vanishingsPerStore) {
    const count = Math.min(vanishingsPerStore, options.kills - kills);
    await oneStore(options, random.part(kills), count, counter);
    options.log(`${kills + count} editors vanished, ${counter.figures["messages sent to clients"]} messages`);
  }
  return counter.figures;
}

async function oneStore(
  options: TortureOptions,
  random: Random,
  kills: number,
  counter: Counter,
): Promise<void> {
  const world = new World();
  try {
    const run = new Run();
    const store = world.storeUrl(options.store);
    const agent = ["agent.mjs", ...random.pick(agents), "--state", world.path("agent-memory")];
    const connect = (through: readonly string[] = []) =>
      new TortureClient(run, world.sidecar({ store, agent, through }));
    for (let kill = 0; kill < kills; kill += 1) {
      const way = ways[(kill + random.int(0, 1)) % ways.length] ?? "both pipes close";
      await vanish(connect(way === "it is SIGKILLed" ? editor : []), way, random.part(kill), counter);
      const next = connect();
      await next.initialize();
      await verifyAll(next, store);
      await endInOrder(next);
      counter.add(way);
    }
  } finally {
    await world.end();
  }
}

/** Works for a while, vanishes, and waits for every process to be gone. */
async function vanish(client: TortureClient, way: Way, random: Random, counter: Counter): Promise<void> {
  await client.initialize();
  await newSession(client);
  const actors = new Actors();
  actors.start(2, random, (chance) => actOnce(client, chance));
  await new Promise((resolve) => setTimeout(resolve, random.int(0, 600)));
  client.run.broke(`the client vanishes: ${way}`);
  const atMs = performance.now();
  const stopped = actors.stop();
  leave(client, way);
  const left = await processesOutliving(client.program.mark, orphansUntilMs);
  if (left.length > 0) {
    throw new Error(
      `${way}: ${left.length} processes are left after ${orphansUntilMs} ms: ${left.join(" ")}`,
    );
  }
  counter.most("longest end in ms", Math.round(performance.now() - atMs));
  await client.program.exited;
  await stopped;
  counter.add("messages sent to clients", client.told);
  counter.addAll(client.errors, "error ");
}

function leave(client: TortureClient, way: Way): void {
  const { program } = client;
  const { stdin, stdout } = program.child;
  if (way === "it is SIGKILLed") program.kill("SIGKILL");
  if (way === "its input ends" || way === "both pipes close") stdin.end();
  if (way === "its output breaks" || way === "both pipes close") stdout.destroy();
  // A reader that has gone shows when something is written.
  if (way === "its output breaks") client.program.write(`${JSON.stringify(lastRequest)}\n`);
}

const lastRequest = { jsonrpc: "2.0", id: "last", method: "session/list", params: {} };

async function endInOrder({ program }: TortureClient): Promise<void> {
  program.endInput();
  const { status } = await program.exited;
  if (status !== 0) throw new Error(`The sidecar ended with ${status}: ${program.stderr.slice(-1000)}`);
  const left = await processesOutliving(program.mark, orphansUntilMs);
  if (left.length > 0) throw new Error(`${left.length} processes are left after an end in order`);
}
