/** Telling the agent that a session of its is over, where it wants to know. What it answers changes nothing here. */
import { reasonOf } from "../errors.ts";
import type { SessionRecord } from "../store/store.ts";
import { waitAtMost, within } from "../timing.ts";
import { capabilitiesOf } from "./capabilities.ts";
import type { ProxyContext } from "./context.ts";
import { knownId } from "./known-id.ts";
import type { Binding } from "./live-session.ts";

/** How long an agent may take to close or delete a session of its own before we go on without its answer. */
const agentAnswerMs = 5000;

export async function closeAtAgent(
  ctx: ProxyContext,
  { run, agentSessionId }: Binding,
  waitMs = agentAnswerMs,
): Promise<void> {
  if (!capabilitiesOf(run).close) return;
  const closing = run.agent.connection.request("session/close", { sessionId: agentSessionId });
  await waitAtMost(best(ctx, closing), waitMs);
}

/**
 * Returns the ids under which an agent may list the session from now on. Not even one that has deleted it is sure not
 * to: the process that it runs for the session may write it once more.
 * @param session ours, which this agent may know, or the agent's own by its id there
 */
export async function deleteAtAgent(
  ctx: ProxyContext,
  session: SessionRecord | string,
): Promise<readonly string[]> {
  const ids = typeof session === "string" ? [session] : session.agentSessionIds;
  const deleting = ctx.agent.run().then(async (run) => {
    const can = capabilitiesOf(run);
    const sessionId = typeof session === "string" ? session : knownId(ctx, session, run);
    // Another agent's, which may list it when it is there again.
    if (sessionId === undefined) return ids;
    if (can.delete) await run.agent.connection.request("session/delete", { sessionId });
    return can.list ? ids : [];
  });
  return (await within(best(ctx, deleting), agentAnswerMs)) ?? ids;
}

/** The session has ended here whatever the agent says. */
function best<T>(ctx: ProxyContext, request: Promise<T>): Promise<T | undefined> {
  return request.catch((error: unknown) => {
    ctx.log.warn({ error: reasonOf(error) }, "the agent did not let go of a session");
    return undefined;
  });
}
