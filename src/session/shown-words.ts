/** Prompts and messages of the library as a replay shows them: block by block. */
import { meaningOf } from "../acp/entries.ts";
import { endOfString, itemsOf, membersOf } from "../base/json-text.ts";
import type { Entry } from "../store/contract.ts";

/** What a library put in. ACP has no role for `system`: it is for agents, not for the reader. */
export function showMessage(entry: Entry, texts: string[]): void {
  const meaning = meaningOf(entry);
  if (meaning.type !== "message" || meaning.role === "system") return;
  const kind = meaning.role === "user" ? "user_message_chunk" : "agent_message_chunk";
  addBlocks(kind, entry.data, { member: "content", messageId: idOf(entry) }, texts);
}

/** Prompts and messages have an id of their own, because clients join what follows on one another without. */
export function idOf({ kind, seq }: Entry): string {
  return `acp-sidecar:${kind}:${seq}`;
}

const promptStart = '{"prompt":[';
const promptText = `${promptStart}{"type":"text","text":"`;

/** The one block of a prompt that is nothing but a text, as most are. */
export function plainPromptIn(data: string): string | undefined {
  if (!data.startsWith(promptText)) return undefined;
  const end = endOfString(data, promptText.length);
  return data.slice(end) === '"}]}' ? data.slice(promptStart.length, -2) : undefined;
}

export function addBlocks(
  sessionUpdate: string,
  data: string,
  { member, messageId }: { readonly member: string; readonly messageId: string },
  texts: string[],
): void {
  for (const block of itemsOf(membersOf(data).get(member) ?? "[]"))
    if (block.startsWith("{")) texts.push(chunkText(sessionUpdate, block, messageId));
}

export function chunkText(sessionUpdate: string, block: string, messageId: string): string {
  return `{"update":{"sessionUpdate":"${sessionUpdate}","content":${block},"messageId":${JSON.stringify(messageId)}}}`;
}
