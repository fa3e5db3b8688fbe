/** What the sidecar itself has to say in a session: shown as words, in no journal. */
import { ownMeta } from "../../acp/own-mark.ts";

/** As the update that shows it, a paragraph of its own. */
export function ownWords(text: string): string {
  const content = { type: "text", text: `\n\n${text}\n\n` };
  return JSON.stringify({ update: { sessionUpdate: "agent_message_chunk", content }, _meta: ownMeta });
}
