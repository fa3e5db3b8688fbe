/** What runs on this machine: all processes of the user are asked at their endpoints, and left-overs are removed. */
import { rmSync } from "node:fs";
import { cacheFolderOf, figuresFolder, surroundings, type Surroundings } from "../config/paths.ts";
import { exposition } from "../figures/exposition.ts";
import { indexFigures } from "../figures/index-figures.ts";
import { KeptFigures } from "../figures/kept.ts";
import { sumOf, type Snapshot } from "../figures/snapshot.ts";
import { figuresIn, statusIn, type ProcessStatus } from "./answers.ts";
import { ask, type Asked } from "./client.ts";
import { isLeftOver, places, type Place } from "./place.ts";

/** How long a process may take to say what it does. */
const answerMs = 2000;
/** So many are asked at a time. */
const atOnce = 32;

export interface MachineOptions {
  readonly env?: Surroundings["env"];
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

export async function machineStatus({ env, waitMs }: MachineOptions = {}): Promise<MachineStatus> {
  const asked = await askAll("status", statusIn, env, waitMs);
  return { processes: answersOf(asked).toSorted((a, b) => a.sinceMs - b.sinceMs), silent: silentOf(asked) };
}

/** The sum over processes that run and those that ran. */
export async function machineSnapshot({ env, waitMs, found = {} }: MachineOptions = {}): Promise<Snapshot> {
  const asked = await askAll("figures", figuresIn, env, waitMs);
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
export async function placesOf(pid: number, env?: Surroundings["env"]): Promise<readonly Place[]> {
  return (await places(env)).filter((each) => each.pid === pid && each.isOurSpace);
}

interface AskedPlace<T> {
  readonly place: Place;
  readonly asked: Asked<T>;
}

async function askAll<T>(
  method: string,
  taken: (answer: unknown) => T | undefined,
  env: Surroundings["env"] | undefined,
  timeoutMs = answerMs,
): Promise<readonly AskedPlace<T>[]> {
  const found = [...(await places(env))];
  const asked: AskedPlace<T>[] = [];
  while (found.length > 0) {
    const some = found.splice(0, atOnce).map(async (place) => {
      const answer = await ask(place.path, { method, timeoutMs }, taken);
      if (answer.kind === "gone" && isLeftOver(place)) rmSync(place.path, { force: true });
      return { place, asked: answer };
    });
    asked.push(...(await Promise.all(some)));
  }
  return asked;
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
  for (const place of await places(env)) {
    if (!isLeftOver(place)) continue;
    const { kind } = await ask(place.path, { method: "status", timeoutMs: answerMs }, statusIn);
    if (kind === "gone") rmSync(place.path, { force: true });
  }
}
