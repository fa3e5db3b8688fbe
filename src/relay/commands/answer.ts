/** A prompt that is a command of ours: journaled and answered as a turn, and the agent is not woken for it. */
import { appendWithOwed } from "../live/owed.ts";
import { ownMeta } from "../../acp/own-mark.ts";
import type { PromptParams } from "../../acp/schema.ts";
import { isSidecarError, type SidecarError } from "../../base/errors.ts";
import type { RequestContext } from "../../rpc/endpoint.ts";
import { withWaysOut } from "../../session/ways-out.ts";
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
  const answer = () => answerTo(ctx, live, line, request.signal);
  const ahead = runsAhead(line) ? await answer() : undefined;
  return live.answerInOrder(request, async () => {
    try {
      const { stopReason } = await asTurn(ctx, live, params, async () => ahead ?? answer());
      return { stopReason, _meta: ownMeta };
    } catch (error) {
      ctx.holding.noteFailure(live, error);
      throw error;
    }
  });
}

async function asTurn(
  ctx: RelayContext,
  live: LiveSession,
  { sessionId: _, ...body }: PromptParams,
  answer: () => Promise<Answer>,
): Promise<Answer> {
  const meta = { ...(body._meta as object | null | undefined), ...ownMeta };
  const said = entryOf("prompt", promptData({ ...body, _meta: meta }, ctx.options));
  const answered = await answer();
  const { stopReason, text } = answered;
  const updates = text === undefined ? [] : [textUpdate(text)];
  const end = JSON.stringify({ result: { stopReason }, _meta: ownMeta });
  // In one write: whoever takes the session over, or kills us, leaves all of the turn there, or nothing.
  await appendWithOwed(live, [
    said,
    ...updates.map((update) => entryOf("update", update)),
    entryOf("end", end),
  ]);
  if (runningTurns(live).length === 0) await live.journal.seal([]);
  await live.journal.settle();
  await live.attachments.sendStored(updates);
  return answered;
}

function textUpdate(text: string): string {
  const content = { type: "text", text };
  return JSON.stringify({ update: { sessionUpdate: "agent_message_chunk", content }, _meta: ownMeta });
}

function entryOf(kind: NewEntry["kind"], data: string): NewEntry {
  return { kind, atMs: Date.now(), data };
}

interface Answer {
  readonly stopReason: "end_turn" | "cancelled";
  readonly text?: string;
}

/** What goes wrong is an answer, too, unless the session is lost or the store fails. */
async function answerTo(
  ctx: RelayContext,
  live: LiveSession,
  line: string,
  signal: AbortSignal,
): Promise<Answer> {
  try {
    return { stopReason: "end_turn", text: await runCommand(ctx, live, line, signal) };
  } catch (error) {
    if (!isSidecarError(error) || live.lost !== undefined || isOfStore(error)) throw error;
    if (error.code === "REQUEST_CANCELLED") return { stopReason: "cancelled" };
    return { stopReason: "end_turn", text: `${withWaysOut(error, ctx.options.front ?? "editor")}.` };
  }
}

/** Not of what is derived from it. */
function isOfStore({ code, data }: SidecarError): boolean {
  return code.startsWith("STORE_") && data["index"] === undefined;
}
