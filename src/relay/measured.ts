/** What the relay says to the meter. */
import type { Counting } from "../base/meter.ts";
import { isRecord } from "../base/json.ts";
import type { ArrivedUpdate } from "../acp/updates.ts";
import type { Turn, TurnOutcome } from "./live/turn.ts";

/** How long a client's request takes; a prompt, as a turn does. */
export function measuredRequest<T>(meter: Counting, method: string, answer: Promise<T>): Promise<T> {
  const beganMs = performance.now();
  const note = (outcome: "ok" | "failed") => {
    meter.add("requests", `${method} ${outcome}`);
    if (method === "session/prompt") return;
    const timedAs = method === "session/resume" ? "session/load" : method;
    meter.time("request", timedAs, (performance.now() - beganMs) / 1000);
  };
  return answer.then(
    (result) => {
      note("ok");
      return result;
    },
    (error: unknown) => {
      note("failed");
      throw error;
    },
  );
}

export function noteUpdates(meter: Counting, updates: readonly ArrivedUpdate[]): void {
  const count = updates.reduce((sum, each) => sum + (each.type === "chunks" ? each.bodies.length : 1), 0);
  meter.add("updates", "", count);
}

/** ACP's names of what a turn has used, and ours. */
const tokenKinds = {
  inputTokens: "input",
  outputTokens: "output",
  cachedReadTokens: "cached_read",
  cachedWriteTokens: "cached_write",
  thoughtTokens: "thought",
} as const;

export function noteTurn(meter: Counting, turn: Turn, outcome: TurnOutcome): void {
  const result = outcome.type === "answer" && isRecord(outcome.result) ? outcome.result : {};
  const { stopReason, usage } = result;
  // It is the agent's word, in which there may be anything.
  const reason = typeof stopReason === "string" && !stopReason.includes(" ") ? stopReason : "other";
  meter.add("turns", outcome.type === "error" ? "failed" : reason === "failed" ? "other" : reason);
  meter.time("turn", "", (performance.now() - turn.beganMs) / 1000);
  if (!isRecord(usage)) return;
  for (const [name, kind] of Object.entries(tokenKinds)) {
    const count = usage[name];
    if (typeof count === "number" && Number.isSafeInteger(count) && count > 0)
      meter.add("tokens", kind, count);
  }
}
