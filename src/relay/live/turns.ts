/** The running turns of a session, all at once: asked to stop, or ended because something struck the session. */
import { isSidecarError } from "../../base/errors.ts";
import { isRecord } from "../../base/json.ts";
import { waitAtMost } from "../../base/time.ts";
import type { LiveSession } from "./session.ts";
import type { Turn } from "./turn.ts";

/** Passes a cancellation on to the agent, and ends the turns ourselves if it has not within `graceMs`. */
export function cancelTurns(live: LiveSession, graceMs: number, params: unknown = {}): void {
  const running = runningTurns(live);
  for (const turn of running) turn.cancel(graceMs, () => endPermissions(live));
  if (running.length > 0) sendCancel(live, params);
}

/** Ends every turn with an error that has struck the session: the store failed, or the lease is lost. */
export function failTurns(live: LiveSession, error: unknown): void {
  // A write from before the session was lost and taken back: its turns have ended with the loss.
  if (isLossError(error) && live.lost === undefined) return;
  live.failures += 1;
  const wasRunning = runningTurns(live).length > 0;
  endTurnsWith(live, error);
  endPermissions(live);
  if (wasRunning) sendCancel(live, {});
}

export function endTurnsWith(live: LiveSession, error: unknown): void {
  for (const turn of live.turns) turn.end({ type: "error", error }, "nobody");
}

/** Somebody else has the session, or it is gone, or closed. */
export function isLossError(error: unknown): boolean {
  return isSidecarError(error, "LEASE_LOST", "SESSION_CLOSED", "SESSION_NOT_FOUND");
}

/**
 * Waits until the agent is done with turns that we have ended for it, because what it says late must not be taken for
 * a new turn's. After `waitMs` it waits no longer, and the client hears everything again.
 */
export async function untilLateTurnsAreGone(live: LiveSession, waitMs: number): Promise<void> {
  const late = [...live.turns].filter((turn) => turn.isForced && !turn.isAgentDone);
  if (late.length === 0) return;
  await waitAtMost(Promise.all(late.map(({ agentDone }) => agentDone)), waitMs);
  for (const turn of late) live.turns.delete(turn);
}

/** Whether the agent is at something that a client has asked of it. */
export function isAtWork(live: LiveSession): boolean {
  return [...live.turns].some((turn) => turn.state !== "queued" && !turn.isAgentDone);
}

export function runningTurns(live: LiveSession): Turn[] {
  return [...live.turns].filter((turn) => turn.state !== "ended");
}

/** @param child what the agent calls the subagent's session that is meant */
export function sendCancel(live: LiveSession, params: unknown, child?: string): void {
  void live.inbound.run(async () => {
    const { binding } = live;
    const rest = isRecord(params) ? params : {};
    await binding?.run.agent.notify("session/cancel", {
      ...rest,
      sessionId: child ?? binding.agentSessionId,
    });
  });
}

function endPermissions(live: LiveSession): void {
  for (const end of live.questions) end();
}
