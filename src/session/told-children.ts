/** Subagents with sessions of their own, as the teller tells them. https://agentclientprotocol.com/protocol/v1/subagents */
import type { Meaning } from "../acp/entries.ts";
import { isRecord, textIf, type Json } from "../base/json.ts";
import { RecentMap } from "../base/recent-map.ts";
import { sessionsOf } from "./call-parts.ts";
import type { Called, Place, Sent, SubagentTold } from "./happenings.ts";

type Known = { -readonly [Fact in "title" | "state" | "byCallId"]?: SubagentTold[Fact] } & {
  isTold?: boolean;
};

/** So many are known; they live longer than the turn that they were announced in. */
const maxKnown = 1000;

export class Children {
  readonly #known = new RecentMap<string, Known>(maxKnown);

  /** A call may say whose work it is before the subagent is announced, or after. */
  note(call: Called): void {
    for (const session of sessionsOf(call.update)) this.#of(session).byCallId = call.callId;
  }

  told({ kind, data }: Meaning & { readonly type: "subagent" }, at: Place): SubagentTold | Sent | undefined {
    return kind === "subagent_update" ? this.#subagent(data.update, at) : sent(data.update, at);
  }

  #subagent(update: Readonly<Record<string, unknown>>, at: Place): SubagentTold | undefined {
    const { sessionId: session, title, state } = update;
    if (typeof session !== "string") return undefined;
    const known = this.#of(session);
    const isNews = known.isTold === true;
    known.isTold = true;
    if (title !== undefined) known.title = textIf(title);
    if (state !== undefined) known.state = isRecord(state) ? textIf(state.state) : undefined;
    const { title: called, state: doing, byCallId } = known;
    return { type: "subagent", session, title: called, state: doing, byCallId, isNews, ...at };
  }

  #of(session: string): Known {
    const known = this.#known.get(session) ?? {};
    this.#known.set(session, known);
    return known;
  }
}

function sent(update: Readonly<Record<string, unknown>>, at: Place): Sent {
  const { messageId, senderSessionId, recipientSessionId, content } = update;
  const isPiece = isRecord(content);
  return {
    type: "sent",
    messageId: textIf(messageId),
    from: textIf(senderSessionId),
    to: textIf(recipientSessionId),
    content: isPiece ? [content as Json] : Array.isArray(content) ? (content as Json[]) : [],
    goesOn: isPiece,
    ...at,
  };
}
