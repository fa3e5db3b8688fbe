/** Pages of a store are lost, bytes changed, or its end cut off, between two lives: that is told by session, and all else can be used. */
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import type { SessionId } from "../../../src/base/ids.ts";
import { isSidecarError } from "../../../src/base/errors.ts";
import { openStoreWith } from "../../../src/store/open-encrypted.ts";
import { encryption } from "../world/encryption.ts";
import type { Found, FoundSession } from "../checker/history.ts";
import { notRun } from "../faults/rig.ts";
import { newSession } from "../world/actions.ts";
import { TortureClient } from "../world/client.ts";
import { Random } from "../world/random.ts";
import { Counter, type Figures, type Harness, type TortureOptions } from "../world/report.ts";
import { Run } from "../world/run.ts";
import { promptOf, randomSteps } from "../world/script.ts";
import { findSession } from "../world/store.ts";
import { loadAll } from "../world/verify.ts";
import { World } from "../world/world.ts";

const sizes = { glimpse: { kills: 1 }, middle: { kills: 30 }, long: { kills: 500 } };
const pageBytes = 4096;
const sessionCount = 5;
const stampStart = "⟦p";

type Harm = (file: string, random: Random) => string;

export const damagedPage: Harness = {
  name: "damaged-page",
  about:
    "overwrites a page of the database or changes an entry's text, flips bytes in a journal, --kills times",
  sizes,
  run: (options) => damageOften(options, options.store.startsWith("sqlite") ? damagePage : flip),
};

export const truncatedFile: Harness = {
  name: "truncated-file",
  about: "cuts off the end of the database or of a journal between two lives, --kills times",
  sizes,
  run: (options) => damageOften(options, truncate),
};

async function damageOften(options: TortureOptions, harm: Harm): Promise<Figures> {
  if (!/^(sqlite|file):?$/.test(options.store)) return notRun(options, "its files are another machine's");
  const random = new Random(options.seed);
  const counter = new Counter();
  for (let at = 0; at < options.kills; at += 1) await damageOnce(options, harm, random.part(at), counter);
  return counter.figures;
}

async function damageOnce(
  options: TortureOptions,
  harm: Harm,
  random: Random,
  counter: Counter,
): Promise<void> {
  const world = new World();
  try {
    const run = new Run();
    const url = world.storeUrl(options.store);
    await fill(new TortureClient(run, world.sidecar({ store: url, agent: ["agent.mjs", "--none"] })), random);
    const path = url.slice(url.indexOf(":") + 1);
    const what = harm(options.store.startsWith("sqlite") ? path : randomJournal(path, random), random);
    run.broke(what, true);
    options.log(what.replace(path, "store"));
    const found = await look(url, run.ledger.sessions.keys());
    run.check(found);
    countWhatIsTold(found, counter);
    counter.add("damages");
    // A damaged head of the database leaves nothing to start with.
    if (found.listed === undefined) return;
    const next = new TortureClient(run, world.sidecar({ store: url, agent: ["agent.mjs", "--none"] }));
    await next.initialize();
    run.check(await loadAll(next, run.sessionIds()));
    next.program.endInput();
    await next.program.exited;
  } finally {
    await world.end();
  }
}

/** A few sessions with a turn or two each; ended in order, so that nothing is left in a log. */
async function fill(client: TortureClient, random: Random): Promise<void> {
  await client.initialize();
  for (let at = 0; at < sessionCount; at += 1) await newSession(client);
  for (const sessionId of client.run.sessionIds()) {
    const steps = randomSteps(random.part(sessionId.length + client.told)).filter(([kind]) => kind !== "w");
    const prompt = promptOf(client.run.nextPrompt(), steps);
    await client.ask("session/prompt", { sessionId, prompt });
  }
  client.program.endInput();
  await client.program.exited;
}

/** Each session by itself, and the list if it can be had. A store that does not open fails every session. */
async function look(url: string, ids: Iterable<string>): Promise<Found> {
  const sessions = new Map<string, FoundSession>();
  try {
    const store = await openStoreWith(url, encryption());
    try {
      for (const id of ids) sessions.set(id, await findSession(store, id as SessionId));
    } finally {
      await store.close();
    }
  } catch (error) {
    if (!isSidecarError(error, "STORE_CORRUPT")) throw error;
    for (const id of ids) sessions.set(id, { failure: error });
    return { sessions };
  }
  return { sessions, listed: new Set([...ids, ...sessions.keys()]) };
}

function countWhatIsTold({ sessions }: Found, counter: Counter): void {
  for (const [id, { failure }] of sessions) {
    if (failure === undefined) counter.add("sessions sound");
    else
      counter.add(failure.message.includes(id) ? "damage told by session" : "damage told of the whole store");
  }
}

/** SQLite has no checksums for what our rows do not sum up: of those only whole pages are damaged. */
const damagePage: Harm = (file, random) => (random.chance(0.5) ? overwrite : changeText)(file, random);

/** Where text begins that is encrypted. */
const envelopeStart = '{"$enc":"1.';

/** A letter behind a stamp; also where an entry stood that is gone. */
const changeText: Harm = (file, random) => {
  const bytes = readFileSync(file);
  const places: number[] = [];
  const start = encryption().encryptionKey === undefined ? stampStart : envelopeStart;
  for (let at = bytes.indexOf(start); at >= 0; at = bytes.indexOf(start, at + 1)) places.push(at);
  const at = random.pick(places) + Buffer.byteLength(start);
  bytes[at] = (bytes[at] ?? 0) ^ random.int(1, 255);
  writeFileSync(file, bytes);
  return `the byte at ${at} of ${file} is another one`;
};

/** As a disk loses a block: it reads as zeros, or as what has nothing to do with it. */
const overwrite: Harm = (file, random) => {
  const { size } = statSync(file);
  const page = random.int(0, Math.floor(size / pageBytes) - 1);
  const isBlank = random.chance(0.5);
  const bytes = Buffer.from(Array.from({ length: pageBytes }, () => (isBlank ? 0 : random.int(0, 255))));
  const fd = openSync(file, "r+");
  try {
    writeSync(fd, bytes, 0, pageBytes, page * pageBytes);
    return `page ${page} of ${size / pageBytes} of ${file} is ${isBlank ? "blank" : "overwritten"}`;
  } finally {
    closeSync(fd);
  }
};

const flip: Harm = (file, random) => {
  const { size } = statSync(file);
  const at = random.int(0, size - 1);
  const fd = openSync(file, "r+");
  try {
    const bytes = Buffer.alloc(Math.min(random.pick([1, 16, 512]), size - at));
    readSync(fd, bytes, 0, bytes.length, at);
    for (const [n, byte] of bytes.entries()) bytes[n] = byte ^ random.int(1, 255);
    writeSync(fd, bytes, 0, bytes.length, at);
    return `${bytes.length} bytes at ${at} of ${size} of ${file} are other ones`;
  } finally {
    closeSync(fd);
  }
};

const truncate: Harm = (file, random) => {
  const { size } = statSync(file);
  // Of a database that has lost even its first bytes nobody can tell that it is no new one.
  const length = random.int(Math.min(512, size - 1), size - 1);
  truncateSync(file, length);
  return `${file} is cut from ${size} to ${length} bytes`;
};

function randomJournal(directory: string, random: Random): string {
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" });
  return join(directory, random.pick(names.filter((name) => /journal\.\d+\.jsonl$/.test(name)).sort()));
}
