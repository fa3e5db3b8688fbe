/**
 * Subagents that a session had before this process: an agent that resumes may go on with them and announce them no
 * more. The journal knows them by ids that follow from the agent's, and is read when somebody unknown speaks.
 */
import { meaningOf } from "../../acp/entries.ts";
import { childIn } from "../../acp/child-mark.ts";
import { updateKindOf } from "../../acp/kinds.ts";
import { reasonOf } from "../../base/errors.ts";
import type { Entry } from "../../store/contract.ts";
import type { RelayContext } from "../context.ts";
import type { Child } from "../live/children.ts";
import type { LiveSession } from "../live/session.ts";

/** The child that an agent means, perhaps one of before. */
export async function childOf(ctx: RelayContext, agentSessionId: unknown): Promise<Child | undefined> {
  const { children } = ctx.sessions;
  if (typeof agentSessionId !== "string" || ctx.sessions.byAgentId(agentSessionId) !== undefined)
    return undefined;
  if (children.mayBeOfBefore(agentSessionId)) await readEarlier(ctx);
  return children.claimed(agentSessionId);
}

/** Reads which children the sessions had that were taken up since it was last called. */
export async function readEarlier(ctx: RelayContext): Promise<void> {
  await Promise.all(
    ctx.sessions.children.takeUnread().map(async (live) => {
      try {
        ctx.sessions.children.noteEarlier(live, await childrenIn(ctx, live));
      } catch (error) {
        ctx.log.warn({ sessionId: live.id, error: reasonOf(error) }, "its subagents of before are not known");
      }
    }),
  );
}

async function childrenIn({ registry }: RelayContext, live: LiveSession): Promise<Set<string>> {
  const found = new Set<string>();
  await live.journal.reading(async () => {
    for await (const page of registry.read(live.id)) for (const entry of page) note(found, entry);
  });
  return found;
}

function note(found: Set<string>, { kind, data: stored }: Entry): void {
  if (kind !== "update") return;
  const data = childIn(stored)?.data ?? stored;
  if (updateKindOf(data) !== "subagent_update") return;
  const meaning = meaningOf({ kind, data });
  const named = "data" in meaning ? meaning.data.update["sessionId"] : undefined;
  if (typeof named === "string") found.add(named);
}
