/** Tool calls as a replay shows them: those that will never end as failed, a client's terminals as their output. */
import { meaningOf, type TurnEnd } from "../acp/entries.ts";
import { eachMember, itemsOf, membersOf, objectText } from "../base/json-text.ts";
import { isRecord } from "../base/json.ts";
import type { Terminals } from "./terminals.ts";

const usualStart = '{"update":';
/** A call that has ended, as most are written: what it holds is behind that, and need not be read. */
const usualEnded =
  /^\{"update":\{"sessionUpdate":"tool_call(?:_update)?","toolCallId":"([^"\\]{0,200})"(?:,"(?:title|name|kind)":"[^"\\]{0,500}"){0,3},"status":"(?:completed|failed)"/;

/** So many calls of a turn are known to have been shown; beyond that any may have been. */
const maxSeen = 10_000;

export class ToolCalls {
  readonly #terminals: Terminals;
  /** Calls that have not ended, each with its content as text; undefined where what it had said is not known. */
  readonly #open = new Map<string, string | undefined>();
  /** Ids of calls of this turn of which something was shown that is not kept here: they had ended, or said no status. */
  readonly #seen = new Set<string>();

  constructor(terminals: Terminals) {
    this.#terminals = terminals;
  }

  /** How an update of a tool call is shown. */
  show(data: string, isCall: boolean): string {
    const shown = this.#terminals.areMade && mayShowTerminal(data) ? this.#withoutTerminals(data) : data;
    this.#note(shown, isCall);
    return shown;
  }

  /** What is to be shown when nothing of what runs will go on. */
  failAll(reason: string): string[] {
    const said = JSON.stringify({ type: "content", content: { type: "text", text: reason } });
    const failed = Array.from(this.#open, ([toolCallId, content]) => {
      // Content replaces what was shown: where that is not known, it stays as it is, without the reason.
      const all = content === undefined ? "" : `,"content":[${[...itemsOf(content), said].join(",")}]`;
      return `{"update":{"sessionUpdate":"tool_call_update","toolCallId":${JSON.stringify(toolCallId)},"status":"failed"${all}}}`;
    });
    this.endTurn();
    return failed;
  }

  endTurn(): void {
    this.#open.clear();
    this.#seen.clear();
  }

  get hasOpen(): boolean {
    return this.#open.size > 0;
  }

  /** Reads no further than it must: most calls say early that they are done. */
  #note(data: string, isCall: boolean): void {
    const ended = usualEnded.exec(data)?.[1];
    // Written anew: a piece of a text keeps all of it in memory.
    if (ended !== undefined) return this.#close(JSON.parse(`"${ended}"`) as string);
    let id = "";
    let status = isCall ? '"pending"' : undefined;
    let content: string | undefined;
    eachMember(updateIn(data), (name, value) => {
      if (name === "toolCallId") id = value;
      if (name === "status" && value !== "null") status = value;
      if (name === "content" && value.startsWith("[")) content = value;
      return id !== "" && (status === '"completed"' || status === '"failed"');
    });
    if (!id.startsWith('"')) return;
    const key = JSON.parse(id) as string;
    const isOpen = status === '"pending"' || status === '"in_progress"';
    if (isOpen || (status === undefined && this.#open.has(key))) {
      const isKnown = this.#open.has(key) || this.#seen.has(key) || this.#seen.size === maxSeen;
      this.#open.set(key, content ?? (isKnown ? this.#open.get(key) : "[]"));
    } else this.#close(key);
  }

  #close(key: string): void {
    this.#open.delete(key);
    if (this.#seen.size < maxSeen) this.#seen.add(key);
  }

  #withoutTerminals(data: string): string {
    if (!terminalsIn(data).some((id) => this.#terminals.isMade(id))) return data;
    const members = membersOf(data);
    const update = membersOf(members.get("update") ?? "{}");
    const items = itemsOf(update.get("content") ?? "[]").map((item) => {
      const terminalId = terminalIn(JSON.parse(item));
      if (terminalId === undefined || !this.#terminals.isMade(terminalId)) return item;
      const text = this.#terminals.textOf(terminalId);
      return JSON.stringify({ type: "content", content: { type: "text", text } });
    });
    update.set("content", `[${items.join(",")}]`);
    return objectText(members.set("update", objectText(update)));
  }
}

/** Why a tool call that runs at the end of its turn will never end. */
export function reasonOfEnd({ interrupted, error, stopReason }: TurnEnd): string {
  if (interrupted) return "This was cut off: the program that ran it was ended.";
  if (error !== undefined) return `This was cut off: ${error.message ?? "the turn ended with an error"}`;
  return stopReason === "cancelled" ? "This was cancelled with its turn." : "The turn ended before this did.";
}

/** Quick to tell: looked for by its end because what begins with a quote is tried at every quote, at twice the cost of a replay. */
export function mayShowTerminal(data: string): boolean {
  return data.includes('minalId"');
}

/** Ids of the terminals that an update of a tool call shows. */
export function terminalsIn(data: string): string[] {
  const meaning = meaningOf({ kind: "update", data });
  if (meaning.type !== "toolCall") return [];
  const { content } = meaning.data.update;
  return (Array.isArray(content) ? content : []).flatMap((item: unknown) => terminalIn(item) ?? []);
}

function terminalIn(item: unknown): string | undefined {
  if (!isRecord(item) || item.type !== "terminal") return undefined;
  return typeof item.terminalId === "string" ? item.terminalId : undefined;
}

function updateIn(data: string): string {
  const isUsual = data.startsWith(usualStart) && data.startsWith('{"sessionUpdate"', usualStart.length);
  return isUsual ? data.slice(usualStart.length) : (membersOf(data).get("update") ?? "{}");
}
