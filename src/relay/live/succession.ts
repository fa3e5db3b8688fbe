/** Taking a session after another holder: what that one left behind, and what we had begun before it. */
import { reapAgent } from "../../agent/process-group.ts";
import type { Logger } from "../../base/log.ts";
import type { SessionId } from "../../base/ids.ts";
import { isDead } from "../../session/holder.ts";
import type { Holder, LeaseState } from "../../store/contract.ts";
import type { LiveSession } from "./session.ts";

/** What a left-over agent is given between SIGTERM and SIGKILL. */
const reapGraceMs = 500;

/** What a holder left behind that did not give the session back. */
export async function succeed(
  { log, self }: { readonly log: Logger; readonly self: Holder },
  id: SessionId,
  previous: LeaseState | undefined,
  setAside: string | undefined,
): Promise<void> {
  const facts = { sessionId: id, ...(setAside !== undefined && { setAside }) };
  if (previous === undefined) {
    if (setAside !== undefined) log.warn(facts, "session recovered");
    return;
  }
  const { holder, turnRunning } = previous;
  if (!isDead(holder, self)) {
    log.info({ ...facts, from: holder.pid }, "session taken over");
    return;
  }
  const reaped = holder.agent !== undefined && (await reapAgent(holder.agent, reapGraceMs));
  log.warn({ ...facts, deadHolder: holder.pid, turnRunning, agentStopped: reaped }, "session recovered");
}

/** Turns that ran when the session was lost do not go on in the session that is ours again: there is a gap. */
export function endLost({ turns, lost: error }: LiveSession): void {
  if (error === undefined) return;
  for (const turn of turns) turn.end({ type: "error", error }, "nobody");
}
