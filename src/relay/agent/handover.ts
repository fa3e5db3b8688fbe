/**
 * Handover: the conversation so far, for an agent that does not remember it. It stands before the next
 * prompt, marked as history; the newest turns come first into the budget. The client never sees it.
 */
import type { AgentRun } from "../../agent/supervisor.ts";
import type { PromptBody } from "../../acp/schema.ts";
import { betweenTags, historyText } from "../../session/history-text.ts";
import type { RelayContext } from "../context.ts";
import { handoverPreamble, handoverUri } from "../live/handed-over.ts";
import type { LiveSession } from "../live/session.ts";

/** The prompt with the history before it: an embedded resource where the agent takes one, text where not. */
export async function withHandover(
  ctx: RelayContext,
  live: LiveSession,
  run: AgentRun,
  prompt: PromptBody["prompt"],
  throughSeq: number,
): Promise<PromptBody["prompt"]> {
  const { registry, options } = ctx;
  const { text: history } = await live.journal.reading(() =>
    historyText(registry, live.id, throughSeq, options.handoverBytes),
  );
  if (history === "") return [...prompt];
  const text = `${handoverPreamble}\n\n${history}`;
  const block = run.can.embeddedContext
    ? {
        type: "resource",
        resource: { uri: handoverUri(live.id), mimeType: "text/markdown", text },
      }
    : { type: "text", text: betweenTags(text) };
  return [block, ...prompt];
}
