/** What a client was sent before a kill, held against what it is sent again after it. */
import { isRecord } from "../base/json.ts";
import type { Update } from "./peer.ts";

export interface Account {
  /** Updates that were received before the kill. */
  readonly received: number;
  readonly receivedChars: number;
  /** What was received and did not come again. Empty when the conversation is whole. */
  readonly missing: readonly string[];
}

/** A replay has whole messages where the stream had chunks: texts are compared, not updates. */
export function compare(prompt: string, before: readonly Update[], replay: readonly Update[]): Account {
  const missing: string[] = [];
  if (textOf(replay, "user_message_chunk") !== prompt) missing.push("the prompt");
  for (const kind of ["agent_message_chunk", "agent_thought_chunk"]) {
    if (!textOf(replay, kind).startsWith(textOf(before, kind))) missing.push(`text of ${kind}`);
  }
  const replayed = new Set(toolCalls(replay));
  missing.push(
    ...toolCalls(before)
      .filter((id) => !replayed.has(id))
      .map((id) => `tool call ${id}`),
  );
  return {
    received: before.length,
    receivedChars: textOf(before, "agent_message_chunk").length,
    missing,
  };
}

/** Whether it is some of the agent's answer, in words. */
export function isText({ sessionUpdate, content }: Update): boolean {
  return (
    sessionUpdate === "agent_message_chunk" &&
    isRecord(content) &&
    typeof content.text === "string" &&
    content.text.trim() !== ""
  );
}

export function textOf(updates: readonly Update[], kind: string): string {
  return updates
    .filter(({ sessionUpdate }) => sessionUpdate === kind)
    .map(({ content }) => (isRecord(content) && typeof content.text === "string" ? content.text : ""))
    .join("");
}

function toolCalls(updates: readonly Update[]): string[] {
  return updates
    .filter(({ sessionUpdate }) => sessionUpdate.startsWith("tool_call"))
    .map(({ toolCallId }) => String(toolCallId));
}
