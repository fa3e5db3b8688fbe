/** What an agent replays while it takes a session up: turns made in its own program are taken in, and a difference told. */
import type { RelayContext } from "../context.ts";
import { KnownTurns } from "../live/known-turns.ts";
import { Recall, type Memory, type RecallMode } from "../live/recall.ts";
import type { LiveSession } from "../live/session.ts";
import { tell } from "./updates.ts";
import { metaKey } from "../../acp/meta.ts";

/** So many entries are read for the comparison, the newest. */
const maxEntries = 20_000;

/** What the journal has now; a prompt that is on its way is no part of what the agent is to remember. */
export function recallOf(ctx: RelayContext, live: LiveSession, mode: RecallMode): Recall {
  const starts = [...live.turns].map(({ historySeq = Infinity }) => historySeq);
  const through = Math.min(...starts, Infinity);
  const read = () => {
    const { headSeq } = live.journal;
    const from = Math.max(1, Math.min(headSeq, through) - maxEntries);
    return KnownTurns.in(ctx.registry.counting(live.id, { from, through: headSeq }), through);
  };
  return new Recall(() => live.journal.reading(read), mode);
}

/** The agent has taken the session up. Runs in the outbound lane, after what it has replayed. */
export async function concludeReplay(
  ctx: RelayContext,
  live: LiveSession,
  recall: Recall,
  taken: Memory,
): Promise<void> {
  const { news, differs } = recall.conclude(taken);
  await orFail(ctx, live, async () => {
    await tell(ctx, live, news, live.audience);
    if (!differs) return;
    ctx.log.warn({ sessionId: live.id }, "the agent's own history of the session differs from the journal");
    await live.attachments.sendStored([difference]);
  });
}

/** The next prompt comes: what was held until now is told before it. */
export function endRecall(ctx: RelayContext, live: LiveSession): void {
  const { recall } = live;
  if (recall === undefined) return;
  void live.outbound(() => orFail(ctx, live, () => tell(ctx, live, recall.rest(), live.audience)));
}

async function orFail(ctx: RelayContext, live: LiveSession, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    ctx.holding.fail(live, error);
  }
}

/** Told and not kept: what is shown is what happened. */
const difference = JSON.stringify({
  update: {
    sessionUpdate: "agent_thought_chunk",
    content: {
      type: "text",
      text:
        "The agent's own memory of this conversation differs from what is shown here: it was compacted, rewound or " +
        "changed in the agent's own program.",
    },
    messageId: "acp-sidecar:agent-history",
  },
  _meta: { [metaKey]: { agentHistory: "differs" } },
});
