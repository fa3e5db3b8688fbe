/** Permissions that an agent asked for, and how each was decided, as the teller tells them. */
import type { Meaning } from "../acp/entries.ts";
import { isRecord, textOr } from "../base/json.ts";
import { RecentMap } from "../base/recent-map.ts";
import type { Asked, Decided, PermissionOption, Place } from "./happenings.ts";

const method = "session/request_permission";
/** An agent that asks for more at once has the answers to the first told without what they chose from. */
const maxOpen = 1000;

type RequestId = Asked["requestId"];

export class Permissions {
  /** Without an answer yet. */
  readonly #open = new RecentMap<RequestId, Pick<Asked, "callId" | "options">>(maxOpen);

  clear(): void {
    this.#open.clear();
  }

  told(meaning: Meaning & { readonly type: "request" | "response" }, at: Place): Asked | Decided | undefined {
    if (meaning.method !== method) return undefined;
    const requestId = typeof meaning.id === "string" || typeof meaning.id === "number" ? meaning.id : null;
    return meaning.type === "request"
      ? this.#asked(requestId, isRecord(meaning.params) ? meaning.params : {}, at)
      : this.#decided(requestId, meaning.result, at);
  }

  #asked(requestId: RequestId, params: Readonly<Record<string, unknown>>, at: Place): Asked {
    const toolCall = isRecord(params.toolCall) ? params.toolCall : {};
    const callId = typeof toolCall.toolCallId === "string" ? toolCall.toolCallId : undefined;
    const options = (Array.isArray(params.options) ? params.options : []).flatMap(optionIn);
    this.#open.set(requestId, { callId, options });
    const title = textOr(toolCall.title, callId ?? "");
    return { type: "asked", requestId, callId, title, options, toolCall, ...at };
  }

  #decided(requestId: RequestId, result: unknown, at: Place): Decided {
    const { callId, options = [] } = this.#open.get(requestId) ?? {};
    this.#open.delete(requestId);
    const answer = isRecord(result) && isRecord(result.outcome) ? result.outcome : {};
    const option = options.find(({ id }) => id === answer.optionId);
    return { type: "decided", requestId, callId, outcome: outcomeOf(answer, option), option, ...at };
  }
}

function outcomeOf(
  { outcome }: Readonly<Record<string, unknown>>,
  option: PermissionOption | undefined,
): Decided["outcome"] {
  if (outcome === "cancelled") return "cancelled";
  if (outcome !== "selected") return "failed";
  return option?.kind?.startsWith("reject") === true ? "rejected" : "allowed";
}

function optionIn(option: unknown): PermissionOption[] {
  if (!isRecord(option) || typeof option.optionId !== "string") return [];
  const { optionId: id, name, kind } = option;
  return [{ id, name: textOr(name, id), kind: typeof kind === "string" ? kind : undefined }];
}
