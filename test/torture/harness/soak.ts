/**
 * Eight sessions stream for a long time, are loaded, closed and deleted, and others begin: resident memory,
 * open files and latency stay flat, and every piece arrives once, in order, and is there when it is loaded.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SoakClient } from "../soak/client.ts";
import { plot } from "../soak/plot.ts";
import { csvOf, Sampler, trendsOf } from "../soak/samples.ts";
import { Actors } from "../world/actors.ts";
import { Random } from "../world/random.ts";
import { Counter, type Figures, type Harness, type TortureOptions } from "../world/report.ts";
import { World } from "../world/world.ts";

const sessionsAtOnce = 8;
const mostSamples = 180;
const soakAgent = [process.execPath, fileURLToPath(new URL("../soak/agent.mjs", import.meta.url))];

export const soak: Harness = {
  name: "soak",
  about: "8 sessions stream for --seconds: memory, open files and latency stay flat; --out DIR plots them",
  sizes: { glimpse: { seconds: 2 }, middle: { seconds: 120 }, long: { seconds: 1800 } },
  run: stream,
};

async function stream(options: TortureOptions): Promise<Figures> {
  const counter = new Counter();
  const world = new World();
  const program = world.sidecar({ store: world.storeUrl(options.store), agent: soakAgent });
  const sampler = new Sampler(program.pid, Math.max(100, (options.seconds * 1000) / mostSamples));
  try {
    const random = new Random(options.seed);
    const client = new SoakClient(program);
    await client.ask("initialize", { protocolVersion: 1, clientCapabilities: {} });
    const sessions = new Sessions(client, sampler, counter);
    const actors = new Actors();
    actors.start(sessionsAtOnce, random, (chance) => sessions.oneLife(chance, () => actors.isOver));
    await actors.forSeconds(options.seconds);
    sampler.stop();
    await actors.stop();
    program.endInput();
    const { status } = await program.exited;
    if (status !== 0) throw new Error(`The sidecar ended with ${status}: ${program.stderr.slice(-2000)}`);
    conclude(options, sampler, counter);
  } finally {
    sampler.stop();
    await world.end();
  }
  return counter.figures;
}

/** What the client awaits of each session that is open. */
class Sessions {
  readonly #client: SoakClient;
  readonly #sampler: Sampler;
  readonly #counter: Counter;
  readonly #open = new Map<string, { next: number; replayed: number; isLoading: boolean }>();

  constructor(client: SoakClient, sampler: Sampler, counter: Counter) {
    this.#client = client;
    this.#sampler = sampler;
    this.#counter = counter;
    client.onPiece = (sessionId, number, lateMs) => this.#piece(sessionId, number, lateMs);
  }

  /** A session from its creation: some turns, a look at its replay, and its end. */
  async oneLife(random: Random, isOver: () => boolean): Promise<void> {
    const { sessionId } = (await this.#client.ask("session/new", place)) as { sessionId: string };
    this.#open.set(sessionId, { next: 1, replayed: 0, isLoading: false });
    const turns = random.int(3, 20);
    let pieces = 0;
    for (let turn = 0; turn < turns && !isOver(); turn += 1) pieces += await this.#turn(sessionId, random);
    await this.#load(sessionId, pieces);
    await this.#client.ask(random.chance(0.5) ? "session/delete" : "session/close", { sessionId });
    this.#open.delete(sessionId);
    this.#counter.add("sessions");
  }

  async #turn(sessionId: string, random: Random): Promise<number> {
    const pieces = random.int(160, 800);
    const session = this.#session(sessionId);
    session.next = 1;
    const prompt = [{ type: "text", text: `${pieces} 20 25` }];
    await this.#client.ask("session/prompt", { sessionId, prompt });
    if (session.next !== pieces + 1) throw new Error(`Of ${pieces} pieces ${session.next - 1} came`);
    this.#counter.add("turns");
    this.#counter.add("pieces", pieces);
    return pieces;
  }

  async #load(sessionId: string, pieces: number): Promise<void> {
    const session = this.#session(sessionId);
    session.isLoading = true;
    await this.#client.ask("session/load", { sessionId, ...place });
    if (session.replayed !== pieces)
      throw new Error(`Of ${pieces} pieces ${session.replayed} are there when the session is loaded`);
  }

  #piece(sessionId: string, number: number, lateMs: number): void {
    const session = this.#session(sessionId);
    if (session.isLoading) {
      session.replayed += 1;
      return;
    }
    if (number !== session.next) throw new Error(`Piece ${number} came in the place of ${session.next}`);
    session.next += 1;
    this.#sampler.piece(lateMs);
  }

  #session(sessionId: string) {
    const session = this.#open.get(sessionId);
    if (session === undefined) throw new Error(`There was an update of ${sessionId}, which is not open`);
    return session;
  }
}

const place = { cwd: "/", mcpServers: [] };

/** Draws and judges. */
function conclude({ seconds, store, out }: TortureOptions, { samples }: Sampler, counter: Counter): void {
  if (out !== undefined) {
    const kind = store.replace(/:.*/s, "");
    mkdirSync(out, { recursive: true });
    writeFileSync(join(out, "soak.csv"), csvOf(samples));
    const title = `acp-sidecar, ${sessionsAtOnce} sessions streaming for ${lengthOf(seconds)}, store ${kind}`;
    writeFileSync(join(out, "soak.svg"), plot(title, samples));
  }
  const trends = trendsOf(samples);
  for (const { measure, middle, last } of trends) {
    counter.add(`${measure}, median of the middle third`, middle);
    counter.add(`${measure}, median of the last third`, last);
  }
  counter.most("latency99Ms, highest", Math.max(...samples.map(({ latency99Ms }) => latency99Ms)));
  const grown = trends.filter(({ isFlat }) => !isFlat);
  if (grown.length > 0) {
    const said = grown.map(({ measure, middle, last }) => `${measure} went from ${middle} to ${last}`);
    throw new Error(`Not flat: ${said.join(", ")}`);
  }
}

function lengthOf(seconds: number): string {
  return seconds % 60 === 0 ? `${seconds / 60} minutes` : `${seconds} seconds`;
}
