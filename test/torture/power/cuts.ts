/** Cuts the power at many instants of one life and judges what each leaves. */
import { rmSync } from "node:fs";
import { isSidecarError, reasonOf } from "../../../src/errors.ts";
import { check } from "../checker/check.ts";
import { explain } from "../checker/explain.ts";
import type { Found, HistoryEvent, Violation } from "../checker/history.ts";
import { Ledger } from "../checker/ledger.ts";
import type { Random } from "../world/random.ts";
import { PromiseBroken } from "../world/run.ts";
import { lookInto } from "../world/store.ts";
import { Disk } from "./disk.ts";
import { randomFate } from "./fate.ts";
import { storeOn, type Life, type Setting, type Start } from "./life.ts";
import { historyAt, inherited, promised } from "./promise.ts";
import type { Act } from "./trace.ts";

/** A cut just before an act of the trace. */
interface Cut {
  readonly at: number;
  readonly sentBytes: number;
}

/** Judges `count` cuts; returns what one of them, by chance, leaves to a next life. Errors: `PromiseBroken`. */
export async function cutOften(setting: Setting, life: Life, random: Random, count: number): Promise<Start> {
  const acts = setting.options.broken === "no-fsync" ? withoutSyncs(life.trace.acts) : life.trace.acts;
  const disk = new Disk(life.start.disk, { ...life.trace, acts }, life.before);
  const cuts = randomCuts(acts, random, count);
  const chosen = random.pick(cuts);
  let next: Start | undefined;
  for (const cut of cuts) {
    disk.advance(cut.at);
    next = (await judge(setting, life, disk, cut, random.part(cut.at), cut === chosen)) ?? next;
    setting.counter.add("cuts");
  }
  if (next === undefined) throw new Error("No cut was made");
  return next;
}

/** Half of them right behind a message to the client, when a promise has just been given. */
function randomCuts(acts: readonly Act[], random: Random, count: number): Cut[] {
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
  random: Random,
  goesOn: boolean,
): Promise<Start | undefined> {
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
