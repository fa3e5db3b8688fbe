/** How fast an index is brought up to date: between its steps others have their turn, and who is not waited for ends. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { SidecarError } from "../../base/errors.ts";
import { pause } from "../../base/time.ts";

/** What either rejects with ends the work. */
export interface Pace {
  /** Runs between two steps, each of which takes some ten milliseconds. */
  readonly step: () => Promise<void>;
  /** The same where nobody else waits for us to go on. */
  readonly rest: () => Promise<void>;
  /** For so long at a time other processes wait, where one at a time indexes. */
  readonly turnMs: number;
}

const turnMs = 1000;

/** As fast as others let us. Errors: `REQUEST_CANCELLED` once `signal` is aborted. */
export function paceOf(signal?: AbortSignal): Pace {
  const step = async () => {
    goOn(signal);
    await nextTurn();
    goOn(signal);
  };
  return { step, rest: step, turnMs };
}

/** With rests. Errors: as `paceOf`. */
export function restingPace(restMs: number, signal: AbortSignal): Pace {
  const rest = async () => {
    goOn(signal);
    await pause(restMs, signal);
    goOn(signal);
  };
  return { ...paceOf(signal), rest };
}

/** Errors: `REQUEST_CANCELLED` once `signal` is aborted. */
export function goOn(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new SidecarError("REQUEST_CANCELLED", "The search was given up");
}
