import type { RelayContext } from "../context.ts";
import type { LiveSession } from "../live/session.ts";

/** At the last turn that has ended: what is being said now is no part of it. */
export async function fork(ctx: RelayContext, live: LiveSession): Promise<string> {
  const at = live.journal.sealedSeq;
  const { id } = await ctx.registry.fork(live.id, at);
  return `Forked as session \`${id}\`, which shares all up to entry ${at}. Load it in your editor, or look at it with \`acp-sidecar sessions show ${id.slice(-8)}\`.`;
}
