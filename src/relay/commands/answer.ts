/** A prompt that is a command of ours: journaled and answered as a turn, and the agent is not woken for it. */
import { ownMeta } from "../../acp/own-mark.ts";
import type { PromptParams } from "../../acp/schema.ts";
import { isSidecarError } from "../../base/errors.ts";
import type { RequestContext } from "../../rpc/endpoint.ts";
import type { NewEntry } from "../../store/contract.ts";
import type { RelayContext } from "../context.ts";
import type { LiveSession } from "../live/session.ts";
import { runningTurns } from "../live/turns.ts";
import { promptData } from "../methods/prompt-data.ts";
import { runCommand, runsAhead } from "./table.ts";

export async function answerCommand(
  ctx: RelayContext,
  live: LiveSession,
  line: string,
  params: PromptParams,
  request: RequestContext,
): Promise<unknown> {
  const ahead = runsAhead(line) ? await answerTo(ctx, live, line) : undefined;
  return live.answerInOrder(request, async () => {
    try {
      await asTurn(ctx, live, params, async () => ahead ?? answerTo(ctx, live, line));
    } catch (error) {
      ctx.holding.noteFailure(live, error);
      throw error;
    }
    return { stopReason: "end_turn", _meta: ownMeta };
  });
}

async function asTurn(
  ctx: RelayContext,
  live: LiveSession,
  { sessionId: _, ...body }: PromptParams,
  answer: () => Promise<string>,
): Promise<void> {
  const meta = { ...(body._meta as object | null | undefined), ...ownMeta };
  const said = entryOf("prompt", promptData({ ...body, _meta: meta }, ctx.options));
  await live.journal.append(live.owedEnd === undefined ? [said] : [live.owedEnd, said]);
  live.owedEnd = undefined;
  const content = { type: "text", text: await answer() };
  const update = JSON.stringify({
    update: { sessionUpdate: "agent_message_chunk", content },
    _meta: ownMeta,
  });
  const end = JSON.stringify({ result: { stopReason: "end_turn" }, _meta: ownMeta });
  const last = [entryOf("update", update), entryOf("end", end)];
  if (runningTurns(live).length > 0) await live.journal.append(last);
  else await live.journal.seal(last);
  await live.journal.settle();
  await live.attachments.sendStored([update]);
}

function entryOf(kind: NewEntry["kind"], data: string): NewEntry {
  return { kind, atMs: Date.now(), data };
}

/** What goes wrong is an answer, too, unless the session is lost or the store fails. */
async function answerTo(ctx: RelayContext, live: LiveSession, line: string): Promise<string> {
  try {
    return await runCommand(ctx, live, line);
  } catch (error) {
    if (!isSidecarError(error) || live.lost !== undefined || error.code.startsWith("STORE_")) throw error;
    return `${error.message}.`;
  }
}
