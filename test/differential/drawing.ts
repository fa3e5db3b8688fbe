/**
 * The reference client: what an editor draws of a session's updates. Written from the pages of the specification
 * (Prompt Turn, Content, Tool Calls, Agent Plan, Session Modes), and from nothing of ours.
 */
import type { Fields, Update } from "../e2e/harness/wire.ts";

/** What stands in the conversation, from top to bottom. */
type Item =
  | { readonly type: "message"; readonly role: string; readonly id: unknown; blocks: Fields[] }
  | { readonly type: "tool"; readonly id: unknown; fields: Fields; readonly metas: unknown[] }
  | { readonly type: "other"; readonly update: Update };

const roles: Readonly<Record<string, string>> = {
  user_message_chunk: "user",
  agent_message_chunk: "agent",
  agent_thought_chunk: "thought",
};

const stateKinds: ReadonlySet<string> = new Set([
  "current_mode_update",
  "usage_update",
  "available_commands_update",
  "config_option_update",
]);

export class Drawing {
  readonly #items: Item[] = [];
  readonly #state = new Map<string, Update>();
  #plan: unknown;
  #info: Fields = {};
  /** The prompt of the turn, which may be said back by the agent, once: editors do not show it twice. */
  #mayBeEchoed: string | undefined;

  /** The person has sent a prompt: the editor draws it itself. */
  prompted(blocks: readonly Fields[]): void {
    // Whole as it is: nothing that comes later goes on with it.
    const id = `prompt ${this.#items.length}`;
    this.#items.push({ type: "message", role: "user", id, blocks: [...blocks] });
    this.#mayBeEchoed = JSON.stringify(joined(blocks));
  }

  take(update: Update): void {
    const { sessionUpdate: kind } = update;
    const role = roles[kind];
    if (role === "user" && this.#isEcho(update)) {
      this.#mayBeEchoed = undefined;
      return;
    }
    if (role !== undefined) this.#chunk(role, update);
    else if (kind === "tool_call" || kind === "tool_call_update") this.#tool(update);
    else if (kind === "plan") this.#plan = update["entries"];
    else if (kind === "session_info_update") this.#info = { ...this.#info, ...update };
    else if (stateKinds.has(kind)) this.#state.set(kind, update);
    else this.#items.push({ type: "other", update });
  }

  /** The turn has ended. */
  answered(): void {
    this.#mayBeEchoed = undefined;
  }

  /** All of it in a form that two drawings can be compared by. No turn runs: what has not ended never will. */
  result(): unknown {
    return {
      items: this.#items.map(shown).filter((item) => item !== undefined),
      plan: this.#plan,
      info: this.#info["title"],
      state: Object.fromEntries([...this.#state].sort(([a], [b]) => (a < b ? -1 : 1))),
    };
  }

  /** So much of the top of it, to be gone on with. */
  copy(): Drawing {
    const copy = new Drawing();
    copy.#items.push(...structuredClone(this.#items));
    for (const [kind, update] of this.#state) copy.#state.set(kind, update);
    copy.#plan = this.#plan;
    copy.#info = this.#info;
    return copy;
  }

  #isEcho({ content }: Update): boolean {
    if (this.#mayBeEchoed === undefined) return false;
    return this.#mayBeEchoed === JSON.stringify(joined([content as Fields]));
  }

  /** "All chunks of a message share its id"; without ids, neighbours of one role are one message. */
  #chunk(role: string, { messageId: id, content, _meta }: Update): void {
    const block = _meta === undefined ? (content as Fields) : { $chunkMeta: _meta, content };
    const open =
      id === undefined || id === null
        ? this.#items.at(-1)
        : this.#items.findLast((item) => item.type === "message" && item.id === id && item.role === role);
    if (open?.type === "message" && open.role === role && (open.id ?? undefined) === (id ?? undefined))
      open.blocks.push(block);
    else this.#items.push({ type: "message", role, id: id ?? undefined, blocks: [block] });
  }

  /** "All fields except the id are optional; only those that are given are changed." */
  #tool({ sessionUpdate: _kind, _meta, ...given }: Update): void {
    const known = this.#items.find((item) => item.type === "tool" && item.id === given["toolCallId"]);
    const item: Item & { type: "tool" } =
      known?.type === "tool" ? known : { type: "tool", id: given["toolCallId"], fields: {}, metas: [] };
    if (item !== known) this.#items.push(item);
    const fields = Object.entries(given).filter(([, value]) => value !== null && value !== undefined);
    item.fields = { ...item.fields, ...Object.fromEntries(fields) };
    if (_meta !== undefined && _meta !== null && !saysNoMore(_meta, item.metas.at(-1)))
      item.metas.push(_meta);
  }
}

/** What a tool is called is shown once, however often it is said; what else comes in `_meta` may be a piece. */
function saysNoMore(meta: unknown, before: unknown): boolean {
  const text = JSON.stringify(meta);
  return (
    text === JSON.stringify(before) &&
    /^\{("claudeCode":\{"toolName":"\w+"\}|"toolName":"\w+"(,"provenance":"\w+")?)\}$/.test(text)
  );
}

function shown(item: Item): unknown {
  if (item.type === "message") {
    const blocks = joined(item.blocks);
    // The id only groups: which one a kept message shows with is the sidecar's choice where none was given.
    return blocks.length === 0 ? undefined : { role: item.role, blocks };
  }
  if (item.type === "other") return item.update;
  return { tool: ended(item.fields), metas: item.metas };
}

/**
 * A call as it is when no turn runs: one that never ended has failed, and is shown with the reason behind what it had
 * said. The reason is the sidecar's to word; where one stands, it is taken for one.
 */
function ended(fields: Fields): Fields {
  const { status, content = [], sessionUpdate: _kind, ...others } = fields;
  const said = (content as readonly Fields[]).filter((block) => !isReason(block));
  const isOver = status === "completed" || status === "failed";
  return { ...others, status: isOver ? status : "failed", content: said };
}

function isReason({ content }: Fields): boolean {
  const { text } = (content ?? {}) as { readonly text?: unknown };
  return (
    typeof text === "string" && /^(This was cut off|This was cancelled|The turn ended before)/.test(text)
  );
}

/** Neighbouring plain text reads as one; an empty one is none. */
function joined(blocks: readonly Fields[]): Fields[] {
  const result: Fields[] = [];
  for (const block of blocks) {
    const last = result.at(-1);
    if (isPlain(block) && last !== undefined && isPlain(last))
      result[result.length - 1] = { type: "text", text: String(last["text"]) + String(block["text"]) };
    else result.push(block);
  }
  return result.filter((block) => !isPlain(block) || block["text"] !== "");
}

function isPlain(block: Fields): boolean {
  return block["type"] === "text" && Object.keys(block).length === 2;
}
