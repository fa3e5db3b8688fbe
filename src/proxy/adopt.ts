/** Adopting a session that only the agent has: what it replays is recorded, and the session is ours from then on. */
import type { AgentRun } from "../agent/supervisor.ts";
import { isRecord } from "../json.ts";
import type { RequestContext } from "../protocol/connection.ts";
import type { ExistingSessionParams } from "../protocol/schema.ts";
import { answerInOrder } from "./answer.ts";
import { askAgent } from "./ask-agent.ts";
import { agentFactsOf } from "./capabilities.ts";
import type { ProxyContext } from "./context.ts";
import { LiveSession } from "./live-session.ts";

/** The client goes on using the agent's id on this connection; in lists the session has ours. */
export async function adopt(
  ctx: ProxyContext,
  run: AgentRun,
  method: "session/load" | "session/resume",
  params: ExistingSessionParams,
  request: RequestContext,
): Promise<unknown> {
  const { sessionId: agentSessionId, cwd, additionalDirectories } = params;
  const record = await ctx.registry.create({
    cwd,
    additionalDirectories: additionalDirectories ?? [],
    mcpServerNames: LiveSession.namesOf(params.mcpServers ?? []),
    agentSessionIds: [agentSessionId],
    ...(ctx.clientFacts && { client: ctx.clientFacts }),
    agent: agentFactsOf(run, ctx.options.agentCommand),
  });
  const live = new LiveSession(record.id, agentSessionId, LiveSession.setupOf(params));
  try {
    await ctx.sessions.openNew(live);
    ctx.sessions.add(live);
    // What the agent replays takes the way of every update: into the journal and on to the client.
    ctx.sessions.bind(live, { run, agentSessionId });
    const result = await askAgent(ctx, run, method, params, request);
    live.attached = isRecord(result) ? result : {};
  } catch (error) {
    await live.outboundIdle();
    ctx.sessions.remove(live);
    await ctx.registry.delete(record.id);
    throw error;
  }
  return answerInOrder(live, request, async () => {
    await live.journal.seal([]);
    await live.journal.settle();
    return live.attached;
  });
}
