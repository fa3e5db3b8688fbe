/** A client's request on its way to the agent. */
import type { AgentRun } from "../../agent/supervisor.ts";
import { isSidecarError } from "../../base/errors.ts";
import type { RequestContext } from "../../rpc/endpoint.ts";
import type { RequestId } from "../../rpc/messages.ts";
import { attach } from "./attach.ts";
import type { RelayContext } from "../context.ts";
import type { Binding, LiveSession } from "../live/session.ts";

/** An agent that dies within this time without another word had not taken the request up. */
const unheardMs = 1000;

/** Sends it at once; cancelling the client's request cancels this one. Rejects as the agent answers. */
export async function askAgent(
  ctx: RelayContext,
  run: AgentRun,
  method: string,
  params: unknown,
  request: RequestContext,
): Promise<unknown> {
  let agentsId: RequestId | undefined;
  const onSent = (id: RequestId) => {
    agentsId = id;
    ctx.forwarded.set(id, request.id);
  };
  try {
    const { signal, passedOn: onTaken } = request;
    return await run.agent.request(method, params, { signal, onSent, onTaken });
  } finally {
    if (agentsId !== undefined) ctx.forwarded.delete(agentsId);
  }
}

/** What to ask the agent session; undefined when there is nothing to be asked any more. */
export type Compose = (binding: Binding) => Promise<Readonly<Record<string, unknown>> | undefined>;

export interface Asked {
  /** Undefined when `compose` had nothing to ask. */
  readonly answer: Promise<unknown> | undefined;
}

/**
 * Attaches the session and asks, in the order of the client's messages; settles when the request is sent.
 * A request that went to an agent that was dead already is sent once more, to the next run.
 */
export async function askSession(
  ctx: RelayContext,
  live: LiveSession,
  method: string,
  request: RequestContext,
  compose: Compose,
): Promise<Asked> {
  const ask = () =>
    live.inbound.run(async () => {
      const binding = await attach(ctx, live, request.signal);
      const params = await compose(binding);
      if (params === undefined) return { binding, answer: undefined };
      const { run, agentSessionId } = binding;
      return {
        binding,
        answer: askAgent(ctx, run, method, { sessionId: agentSessionId, ...params }, request),
      };
    });
  const { binding, answer } = await ask();
  if (answer === undefined) return { answer };
  const { agent } = binding.run;
  const [received, sentAtMs] = [agent.received, performance.now()];
  const wasUnheard = () => agent.received === received && performance.now() - sentAtMs < unheardMs;
  return {
    answer: answer.catch(async (error: unknown) => {
      if (!isSidecarError(error, "AGENT_EXITED") || !wasUnheard()) throw error;
      ctx.log.info({ sessionId: live.id, method }, "the agent had died unseen: asking its successor");
      return (await ask()).answer;
    }),
  };
}
