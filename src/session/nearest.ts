/**
 * Updates that a client takes only if it said so in `initialize`: compactions, plans with an id, subagents. Others are
 * shown the nearest thing that every client knows. https://agentclientprotocol.com/protocol/v1/initialization
 */
import { wordsOf } from "../acp/content.ts";
import { meaningOf } from "../acp/entries.ts";
import { takenBy } from "../acp/v1/initialize.ts";
import { updateKinds, type Capability, type UpdateData } from "../acp/kinds.ts";
import { jsonTextOf } from "../base/json-text.ts";
import { isRecord, textOr, type Json } from "../base/json.ts";

type Update = UpdateData["update"];

export class Nearest {
  readonly #takes: ReadonlySet<Capability>;
  /** The summaries of compactions that go on, by id. */
  readonly #summaries = new Map<string, string>();
  readonly #subagents = new Set<string>();
  /** The id of the plan that is shown as the turn's. */
  #shownPlan: string | undefined;

  /** @param capabilities the client's, as in `initialize` */
  constructor(capabilities: Json | undefined) {
    this.#takes = takenBy(capabilities);
  }

  /** Whether updates of this kind are shown as they are. */
  takes(kind: string): boolean {
    const capability = updateKinds.get(kind)?.wants;
    return capability === undefined || this.#takes.has(capability);
  }

  /** What is shown in place of an update that the client does not take. */
  to(data: string): string[] {
    try {
      return this.#nearestTo(data);
    } catch {
      // Nested too deep to be written: it is left out, and nothing else.
      return [];
    }
  }

  #nearestTo(data: string): string[] {
    const meaning = meaningOf({ kind: "update", data });
    if (meaning.type === "compaction") return this.#compaction(meaning.compactionId, meaning.data.update);
    if (meaning.type === "plan") return this.#plan(meaning.planId ?? "", meaning.data.update);
    const { update } = JSON.parse(data) as UpdateData;
    return update.sessionUpdate === "subagent_update" ? this.#subagent(update) : said(update);
  }

  /** Said when it has ended, with its summary. */
  #compaction(id: string, update: Update): string[] {
    const { sessionUpdate, content, summary, status, error } = update;
    if (sessionUpdate === "compaction_summary_chunk") {
      this.#summaries.set(id, (this.#summaries.get(id) ?? "") + wordsOf([content]));
      return [];
    }
    if (Array.isArray(summary) || summary === null) this.#summaries.set(id, wordsOf(summary ?? []));
    if (status === "in_progress") return [];
    const text = this.#summaries.get(id) ?? "";
    this.#summaries.delete(id);
    const done = status === "completed" ? "The conversation was compacted." : "";
    const failed = `The conversation was not compacted. ${textOr(error, "")}`.trim();
    return [thought([done === "" ? failed : done, text].filter((part) => part !== "").join("\n\n"), id)];
  }

  #plan(id: string, { sessionUpdate, plan }: Update): string[] {
    if (sessionUpdate === "plan_removed") {
      if (this.#shownPlan !== id) return [];
      this.#shownPlan = undefined;
      return [planOf([])];
    }
    if (!isRecord(plan)) return [];
    if (Array.isArray(plan.entries)) {
      this.#shownPlan = id;
      return [planOf(plan.entries)];
    }
    const text = textOr(plan.content, textOr(plan.uri, ""));
    return text === "" ? [] : [thought(text, id)];
  }

  /** As a tool call that runs while the subagent does. */
  #subagent({ sessionId, title, state }: Update): string[] {
    if (typeof sessionId !== "string") return [];
    const doing = isRecord(state) ? state.state : undefined;
    const told = typeof doing === "string" ? (statusOf.get(doing) ?? "in_progress") : undefined;
    const isNew = !this.#subagents.has(sessionId);
    // Nothing says that it works: it would stay pending forever.
    const status = told ?? (isNew ? "completed" : undefined);
    this.#subagents.add(sessionId);
    const name = typeof title === "string" || isNew ? { title: textOr(title, "Subagent") } : {};
    return [
      dataOf({
        sessionUpdate: isNew ? "tool_call" : "tool_call_update",
        toolCallId: `acp-sidecar:subagent:${sessionId}`,
        ...name,
        ...(isNew && { kind: "other" }),
        ...(status !== undefined && { status }),
      }),
    ];
  }
}

/** What the state of a subagent is for a tool call; one of which nothing is known any more has failed. */
const statusOf: ReadonlyMap<string, string> = new Map([
  ["idle", "completed"],
  ["unknown", "failed"],
]);

/** A message between sessions. */
function said({ content, messageId }: Update): string[] {
  const text = wordsOf(Array.isArray(content) ? content : [content]);
  return text === "" ? [] : [thought(text, textOr(messageId, ""))];
}

function thought(text: string, id: string): string {
  const messageId = `acp-sidecar:${id}`;
  return dataOf({ sessionUpdate: "agent_thought_chunk", content: { type: "text", text }, messageId });
}

function planOf(entries: readonly unknown[]): string {
  return dataOf({ sessionUpdate: "plan", entries });
}

function dataOf(update: object): string {
  return jsonTextOf({ update });
}
