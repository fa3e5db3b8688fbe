/** What runs on this machine: all processes of the user are asked at their endpoints, and left-overs are removed. */
import { rmSync } from "node:fs";
import { reasonOf } from "../base/errors.ts";
import { within } from "../base/time.ts";
import { cacheFolderOf, figuresFolder, surroundings, type Surroundings } from "../config/paths.ts";
import { exposition } from "../figures/exposition.ts";
import { indexFigures } from "../figures/index-figures.ts";
import { KeptFigures } from "../figures/kept.ts";
import { sumOf, type Snapshot } from "../figures/snapshot.ts";
import { figuresIn, statusIn, type FiguresAnswer, type ProcessStatus } from "./answers.ts";
import { ask, type Asked } from "./client.ts";
import { isLeftOver, places, type Place } from "./place.ts";

/** How long a process may take to say what it does. */
const answerMs = 2000;
/** So many are asked at a time. */
const atOnce = 32;

/** Where the process that asks would itself be asked, and what it would answer. */
export interface OwnEndpoint {
  readonly path: string;
  readonly answers: {
    status(): ProcessStatus;
    figures(): Promise<FiguresAnswer>;
  };
}

export interface MachineOptions {
  readonly env?: Surroundings["env"];
  /** If it is one of those that are asked, it answers without a socket, and once. */
  readonly own?: OwnEndpoint | undefined;
  /** How long an answer is waited for: 2 s, unless told. */
  readonly waitMs?: number;
  /** What is known besides of this machine, as of the configured store. */
  readonly found?: Snapshot["gauges"];
}

export interface MachineStatus {
  /** The longest running first. */
  readonly processes: readonly ProcessStatus[];
  /** Processes that have an endpoint and did not answer in time. */
  readonly silent: readonly number[];
}

export async function machineStatus(options: MachineOptions = {}): Promise<MachineStatus> {
  const asked = await askAll(forStatus, options);
  return { processes: answersOf(asked).toSorted((a, b) => a.sinceMs - b.sinceMs), silent: silentOf(asked) };
}

/** The sum over processes that run and those that ran. */
export async function machineSnapshot(options: MachineOptions = {}): Promise<Snapshot> {
  const { env, found = {} } = options;
  const asked = await askAll(forFigures, options);
  const answers = answersOf(asked);
  const user = surroundings(env);
  const folder = figuresFolder(user);
  const all =
    folder === undefined
      ? sumOf(answers.map(({ snapshot }) => snapshot))
      : await new KeptFigures(folder).sumWith(new Map(answers.map(({ id, snapshot }) => [id, snapshot])));
  const index = indexFigures(cacheFolderOf(user), Date.now());
  return { ...all, gauges: { ...all.gauges, silent: silentOf(asked).length, ...index, ...found } };
}

/** The same as Prometheus reads it: see `expositionType`. */
export async function machineFigures(options: MachineOptions = {}): Promise<string> {
  return exposition(await machineSnapshot(options));
}

/** Endpoints of a process, which may have several: a program may run several sidecars. */
export function placesOf(pid: number, env?: Surroundings["env"]): readonly Place[] {
  return places(env).filter((each) => each.pid === pid && each.isOurSpace);
}

interface AskedPlace<T> {
  readonly place: Place;
  readonly asked: Asked<T>;
}

interface Question<T> {
  readonly method: string;
  /** What an answer is, if it is one. */
  readonly taken: (answer: unknown) => T | undefined;
  readonly ownAnswer: (answers: OwnEndpoint["answers"]) => Promise<T>;
}

const forStatus: Question<ProcessStatus> = {
  method: "status",
  taken: statusIn,
  ownAnswer: async (answers) => answers.status(),
};
const forFigures: Question<FiguresAnswer> = {
  method: "figures",
  taken: figuresIn,
  ownAnswer: (answers) => answers.figures(),
};

async function askAll<T>(
  question: Question<T>,
  { env, own, waitMs: timeoutMs = answerMs }: MachineOptions,
): Promise<readonly AskedPlace<T>[]> {
  const { method, taken, ownAnswer } = question;
  const found = [...places(env)];
  const asked: AskedPlace<T>[] = [];
  while (found.length > 0) {
    const some = found.splice(0, atOnce).map(async (place) => {
      if (place.path === own?.path)
        return { place, asked: await askOwn(() => ownAnswer(own.answers), timeoutMs) };
      const answer = await ask(place.path, { method, timeoutMs }, taken);
      if (answer.kind === "gone" && isLeftOver(place)) rmSync(place.path, { force: true });
      return { place, asked: answer };
    });
    asked.push(...(await Promise.all(some)));
  }
  return asked;
}

/** No more is waited for it than for others: a store of its own may not answer it. */
async function askOwn<T>(answer: () => Promise<T>, timeoutMs: number): Promise<Asked<T>> {
  try {
    const found = await within(answer(), timeoutMs);
    return found === undefined ? { kind: "silent" } : { kind: "answered", answer: found };
  } catch (error) {
    return { kind: "refused", message: reasonOf(error) };
  }
}

function answersOf<T>(asked: readonly AskedPlace<T>[]): T[] {
  return asked.flatMap(({ asked: each }) => (each.kind === "answered" ? [each.answer] : []));
}

function silentOf(asked: readonly AskedPlace<unknown>[]): number[] {
  const isSilent = ({ kind }: Asked<unknown>) => kind === "silent" || kind === "refused";
  return asked.filter((each) => isSilent(each.asked)).map(({ place }) => place.pid);
}

/** Removes what processes that were killed have left. */
export async function sweep(env?: Surroundings["env"]): Promise<void> {
  for (const place of places(env)) {
    if (!isLeftOver(place)) continue;
    const { kind } = await ask(place.path, { method: "status", timeoutMs: answerMs }, statusIn);
    if (kind === "gone") rmSync(place.path, { force: true });
  }
}
