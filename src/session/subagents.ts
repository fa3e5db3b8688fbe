/**
 * Sessions of subagents as a replay shows them: each under its own id, and only to clients that know subagents. What
 * is at work at the end of a journal at rest will not go on.
 */
import { withChild } from "../acp/child-mark.ts";
import { renamedData, type NameOf } from "../acp/children.ts";
import { means, type UpdateData } from "../acp/kinds.ts";
import { derivedId, isSessionId, type SessionId } from "../base/ids.ts";
import { isRecord } from "../base/json.ts";
import type { Terminals } from "./terminals.ts";
import { ToolCalls } from "./tool-calls.ts";

/** A fork shows what it has from its parent under names of its own: no child has two parents. */
export interface Inherited {
  readonly id: SessionId;
  readonly throughSeq: number;
}

/** What an update entry is shown as. */
export interface Shown {
  readonly data: string;
  readonly kind: string;
  readonly seq: number;
  /** Our id of the subagent's session whose it is. */
  readonly child: string | undefined;
}

export class Subagents {
  readonly #terminals: Terminals;
  readonly #inherited: Inherited | undefined;
  /** By child. */
  readonly #calls = new Map<string, ToolCalls>();
  /** By the name under which each is shown: whose child it is, and whether it is at work. */
  readonly #announced = new Map<string, { parent: string | undefined; isAtWork: boolean }>();

  constructor(terminals: Terminals, inherited: Inherited | undefined) {
    this.#terminals = terminals;
    this.#inherited = inherited;
  }

  callsOf(child: string): ToolCalls {
    const calls = this.#calls.get(child) ?? new ToolCalls(this.#terminals);
    this.#calls.set(child, calls);
    return calls;
  }

  /** An update with the sessions that it names as this replay names them; a child's is marked with whose it is. */
  named({ data, kind, seq, child }: Shown): string {
    const nameOf = this.#nameOf(seq);
    if (kind === "subagent_update") this.#note(data, nameOf, child);
    const mayName = kind === "session_message" || kind === "subagent_update" || means(kind, "toolCall");
    const named = nameOf !== undefined && mayName ? renamedData(data, kind, nameOf) : data;
    return child === undefined ? named : withChild(named, nameOf?.(child) ?? child);
  }

  /** What has not ended, and never will: first its calls, then the child itself. */
  *finish(reason: string): Generator<string> {
    for (const [child, calls] of this.#calls) {
      const shownAs = this.#announced.has(child) ? child : this.#forkedName(child);
      for (const text of calls.failAll(reason)) yield withChild(text, shownAs);
    }
    for (const [sessionId, { parent, isAtWork }] of [...this.#announced].reverse()) {
      if (!isAtWork) continue;
      this.#announced.set(sessionId, { parent, isAtWork: false });
      const update = { sessionUpdate: "subagent_update", sessionId, state: { state: "unknown" } };
      const data = JSON.stringify({ update });
      yield parent === undefined ? data : withChild(data, parent);
    }
  }

  #nameOf(seq: number): NameOf | undefined {
    const { id, throughSeq } = this.#inherited ?? {};
    if (id === undefined || throughSeq === undefined || seq > throughSeq) return undefined;
    // Whoever was not announced as a child is the parent itself.
    return (name) => {
      const child = this.#forkedName(name);
      if (this.#announced.has(child)) return child;
      return isSessionId(name) ? id : undefined;
    };
  }

  #forkedName(child: string): string {
    return this.#inherited === undefined ? child : derivedId(this.#inherited.id, child);
  }

  #note(data: string, nameOf: NameOf | undefined, child: string | undefined): void {
    const { sessionId, state } = (JSON.parse(data) as UpdateData).update;
    if (typeof sessionId !== "string") return;
    const name = nameOf === undefined ? sessionId : this.#forkedName(sessionId);
    const parent = child === undefined ? undefined : (nameOf?.(child) ?? child);
    const doing = isRecord(state) ? state.state : undefined;
    const wasAtWork = this.#announced.get(name)?.isAtWork ?? false;
    const isAtWork = state === undefined ? wasAtWork : doing === "running" || doing === "requires_action";
    this.#announced.set(name, { parent, isAtWork });
  }
}
