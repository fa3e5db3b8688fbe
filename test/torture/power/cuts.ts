/** Cuts the power at many instants of one life and judges what each leaves. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import { isSidecarError, reasonOf } from "../../../src/base/errors.ts";
import { check } from "../checker/check.ts";
import { explain } from "../checker/explain.ts";
import type { Found, HistoryEvent, Violation } from "../checker/history.ts";
import { Ledger } from "../checker/ledger.ts";
import { Random } from "../world/random.ts";
import { PromiseBroken } from "../world/run.ts";
import { lookInto } from "../world/store.ts";
import { Disk } from "./disk.ts";
import { randomFate } from "./fate.ts";
import { storeOn, type Life, type Setting, type Start } from "./life.ts";
import { historyAt, inherited, promised } from "./promise.ts";
import type { Act } from "./trace.ts";

/** A cut just before an act of the trace. */
interface Place {
  readonly at: number;
  readonly sentBytes: number;
}

/** With the seed of what it does to the unsafe acts. */
interface Cut extends Place {
  readonly seed: string;
}

/** A cut that broke the promise, and all that it takes to judge it again. */
interface Kept {
  readonly store: string;
  readonly broken: string | undefined;
  readonly life: Life;
  readonly cut: Cut;
}

/** Judges `count` cuts; returns what one of them, by chance, leaves to a next life. Errors: `PromiseBroken`. */
export async function cutOften(setting: Setting, life: Life, random: Random, count: number): Promise<Start> {
  const { disk, acts } = diskOf(setting.options.broken, life);
  const cuts = randomCuts(acts, random, count);
  const chosen = random.pick(cuts);
  let next: Start | undefined;
  for (const cut of cuts) {
    disk.advance(cut.at);
    const { seed } = random.part(cut.at);
    const judged = judge(setting, life, disk, { ...cut, seed }, cut === chosen);
    next = (await judged.catch((error: unknown) => keep(setting, life, { ...cut, seed }, error))) ?? next;
    setting.counter.add("cuts");
  }
  if (next === undefined) throw new Error("No cut was made");
  return next;
}

function diskOf(
  broken: string | undefined,
  { trace, start, before }: Life,
): { disk: Disk; acts: readonly Act[] } {
  const acts = broken === "no-fsync" ? withoutSyncs(trace.acts) : trace.acts;
  return { disk: new Disk(start.disk, { ...trace, acts }, before), acts };
}

/** Fails as the cut did, and says where its life is kept. */
function keep({ options }: Setting, life: Life, cut: Cut, error: unknown): never {
  if (!(error instanceof PromiseBroken)) throw error;
  const file = join(options.out ?? tmpdir(), `power-loss.${process.pid}.${Date.now()}.cut`);
  const kept: Kept = { store: options.store, broken: options.broken, life, cut };
  writeFileSync(file, serialize(kept));
  throw new PromiseBroken(
    error.violations,
    `${error.message}\nkept; judge it again: power-loss --again ${file}`,
  );
}

/** Judges a cut that was kept. Errors: `PromiseBroken`. */
export async function cutAgain(setting: Setting, file: string): Promise<void> {
  const { store, broken, life, cut } = deserialize(readFileSync(file)) as Kept;
  const { disk } = diskOf(broken, life);
  disk.advance(cut.at);
  await judge({ ...setting, options: { ...setting.options, store } }, life, disk, cut, false);
  setting.counter.add("cuts");
}

/** Half of them right behind a message to the client, when a promise has just been given. */
function randomCuts(acts: readonly Act[], random: Random, count: number): Place[] {
  const said = acts.flatMap(({ act }, at) => (act === "said" ? [at + 1] : []));
  const places = Array.from({ length: count }, () =>
    said.length > 0 && random.chance(0.5) ? random.pick(said) : random.int(0, acts.length),
  ).sort((a, b) => a - b);
  let sentBytes = 0;
  let at = 0;
  return places.map((place) => {
    for (; at < place; at += 1) {
      const act = acts[at];
      if (act?.act === "said") sentBytes += act.bytes;
    }
    return { at: place, sentBytes };
  });
}

async function judge(
  { options, world }: Setting,
  life: Life,
  disk: Disk,
  cut: Cut,
  goesOn: boolean,
): Promise<Start | undefined> {
  const random = new Random(cut.seed);
  const { name } = randomFate(random.part("fate"));
  const leave = (): string => {
    const into = world.path("cut");
    disk.writeTo(into, randomFate(random.part("fate")).fate);
    return into;
  };
  const where = `the power fails before act ${cut.at} of ${life.trace.acts.length}, with ${disk.unsafeCount} unsafe acts (${name}), durability ${life.durability}`;
  const history: HistoryEvent[] = [
    ...life.start.history,
    ...promised(historyAt(life.history, life.sizes, cut.sentBytes), life.durability),
    { kind: "broke", what: where },
  ];
  const ids = sessionsIn(history);
  const left = leave();
  const found = await look(storeOn(left, options.store), ids);
  const violations = [...check(history, found), ...strayFaults(found, ids)];
  const [first] = violations;
  if (first !== undefined) {
    const more = violations.length > 1 ? `\nand ${violations.length - 1} more` : "";
    throw new PromiseBroken(violations, `${where}\n${explain(history, found, first)}${more}`);
  }
  rmSync(left, { recursive: true });
  if (!goesOn) return undefined;
  const gone = [...found.sessions].filter(([, { stored }]) => stored === undefined).map(([id]) => id);
  return { disk: leave(), history: inherited(history, gone), names: life.start.names };
}

function sessionsIn(history: readonly HistoryEvent[]): ReadonlySet<string> {
  const ledger = new Ledger();
  for (const event of history) ledger.note(event);
  return new Set(ledger.sessions.keys());
}

/** A store that cannot even be opened fails every session. */
async function look(url: string, ids: ReadonlySet<string>): Promise<Found> {
  try {
    const found = await lookInto(url, ids);
    const strays = [...(found.listed ?? [])].filter((id) => !ids.has(id));
    if (strays.length === 0) return found;
    const { sessions } = await lookInto(url, strays);
    return { ...found, sessions: new Map([...found.sessions, ...sessions]) };
  } catch (error) {
    const code = isSidecarError(error) ? error.code : "unnamed";
    const failure = { code, message: reasonOf(error) };
    return { sessions: new Map([...ids, "the store"].map((id) => [id, { failure }])) };
  }
}

/** Sessions that nobody was told of may be there, but whole. */
function strayFaults({ sessions }: Found, ids: ReadonlySet<string>): Violation[] {
  return [...sessions].flatMap(([sessionId, { failure }]) =>
    ids.has(sessionId) || failure === undefined
      ? []
      : [{ rule: 5 as const, sessionId, what: `unread: ${failure.code} ${failure.message}`, about: [] }],
  );
}

/** As if every sync had done nothing. */
function withoutSyncs(acts: readonly Act[]): readonly Act[] {
  return acts.map((act) => (act.act === "synced" ? { act: "said", bytes: 0 } : act));
}
