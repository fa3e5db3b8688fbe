/** One round in which a store is looked after: step by step, each of which may fail without the others, and may be repeated. */
import { reasonOf, SidecarError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { UpkeepLease, type Known } from "./lease.ts";
import { NotNow, type RoundParts } from "./parts.ts";
import { steps } from "./steps.ts";

export interface StepDone {
  readonly name: string;
  readonly ok: boolean;
  /** What was done, for people. */
  readonly words: string;
  readonly ms: number;
}

export interface RoundDone {
  readonly beganMs: number;
  readonly tookMs: number;
  readonly steps: readonly StepDone[];
  /** It was left before its end: the rest is for the next one. */
  readonly isCut: boolean;
}

/** Undefined while another process is at it. Errors: `STORE_…` of the store as a whole. */
export async function upkeepRound(parts: RoundParts): Promise<RoundDone | undefined> {
  const { store, log } = parts;
  const lease = store.capabilities.persistent ? await UpkeepLease.take(store) : undefined;
  if (lease === undefined && store.capabilities.persistent) return undefined;
  try {
    const beganMs = Date.now();
    const known: Known = { ...(lease?.known ?? { samples: [], failed: [], unpacked: [] }), beganMs };
    // Noted first: a round that kills its process is not begun again at once by the next.
    await lease?.note(known);
    const done = await allSteps(parts, known, () => lease?.isLost === true);
    const failed = done.steps.filter(({ ok }) => !ok).map(({ name }) => name);
    if (lease?.isLost === false) await lease.note({ ...done.known, failed });
    const round = { beganMs, tookMs: Date.now() - beganMs, steps: done.steps, isCut: done.isCut };
    logRound(log, round);
    return round;
  } finally {
    await lease?.release();
  }
}

async function allSteps(parts: RoundParts, before: Known, isLost: () => boolean) {
  const done: StepDone[] = [];
  let known = before;
  for (const { name, run } of steps) {
    const beganMs = performance.now();
    const ended = (ok: boolean, words: string) =>
      done.push({ name, ok, words, ms: Math.round(performance.now() - beganMs) });
    try {
      if (isLost()) throw new NotNow("another process has taken over");
      await parts.pace();
      parts.onStep?.(name);
      const { words, learned } = await run({ ...parts, known });
      known = { ...known, ...learned };
      ended(true, words);
    } catch (error) {
      if (error instanceof NotNow || parts.signal.aborted) return { steps: done, known, isCut: true };
      ended(false, error instanceof SidecarError ? `${error.code}: ${reasonOf(error)}` : reasonOf(error));
    }
  }
  return { steps: done, known, isCut: false };
}

function logRound(log: Logger, { steps: done, tookMs, isCut }: RoundDone): void {
  const facts = Object.fromEntries(done.map(({ name, words }) => [name, words]));
  const wrong = done.filter(({ ok }) => !ok);
  if (wrong.length > 0) log.error({ ...facts, tookMs, isCut }, "upkeep: something failed");
  else log.info({ ...facts, tookMs, isCut }, "upkeep: a round is done");
}
