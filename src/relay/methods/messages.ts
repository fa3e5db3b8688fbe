/** `_acp-sidecar/messages`: a stored session page by page, from its end to its beginning. It wakes no agent and takes no lease. */
import { parseParams } from "../../acp/schema.ts";
import { messagesParams } from "../../acp/place-schema.ts";
import { replay } from "../../session/replay.ts";
import { startOfTurns, withCalls } from "../../session/replay-window.ts";
import { readWhole } from "../../session/read-whole.ts";
import { countingIn } from "../../session/stretches.ts";
import { sessionNotFound } from "../../store/refusals.ts";
import type { RelayContext } from "../context.ts";

/** Turns of a page, unless told. */
const usualTurns = 10;
/** A turn beyond these goes on in the page before: pages are answers, which stand in memory whole. */
const [maxEntries, maxChars] = [5000, 4 << 20];

/** Errors: `SESSION_NOT_FOUND`, `INVALID_PARAMS`, `STORE_…`. */
export function pageOfMessages(ctx: RelayContext, params: unknown): Promise<unknown> {
  const parsed = parseParams(messagesParams, "_acp-sidecar/messages", params);
  return readWhole(() => page(ctx, parsed));
}

async function page(ctx: RelayContext, parsed: ReturnType<typeof messagesParams.parse>): Promise<unknown> {
  const { sessionId, beforeSeq = Infinity, limit: turns = usualTurns } = parsed;
  const record = await ctx.holding.find(sessionId);
  if (record === undefined) throw sessionNotFound(sessionId);
  const { registry } = ctx;
  const { id, lineage } = record;
  const seen = { id, superseded: await registry.superseded(id) };
  const headSeq = Math.min(record.headSeq, beforeSeq - 1);
  const sealedSeq = Math.min(record.sealedSeq, headSeq);
  const fromSeq = await startOfTurns(registry, seen, headSeq, { turns, maxEntries, maxChars });
  const options = {
    capabilities: ctx.client.facts?.capabilities,
    inherited: lineage && { id, throughSeq: lineage.atSeq },
    superseded: seen.superseded,
  };
  const pages = replay(registry, id, { sealedSeq, headSeq, fromSeq }, new Map(), options);
  const updates: unknown[] = [];
  for await (const texts of withCalls(pages, registry, seen, fromSeq))
    for (const text of texts) updates.push({ sessionId, ...(JSON.parse(text) as object) });
  const [before] = [...countingIn(seen.superseded, { through: fromSeq - 1 })];
  return { sessionId, updates, ...(before !== undefined && { beforeSeq: fromSeq }) };
}
