/** Entries folded for people: who said what, when. */
import { SidecarError } from "../base/errors.ts";
import { isRecord, type Json } from "../base/json.ts";
import type { Entry, NewEntry } from "../store/contract.ts";
import { isContentBlock, type ContentBlock } from "../acp/content.ts";
import { meaningOf, type Role } from "../acp/entries.ts";
import { Echo } from "./echo.ts";

export type { Role } from "../acp/entries.ts";

/** A message as people see it. */
export interface Message {
  readonly role: Role;
  readonly content: readonly ContentBlock[];
  readonly atMs: number;
  /** `seq` of its first entry: where it stands in the session. */
  readonly seq: number;
}

/** A message to be added: text, or content blocks. */
export interface NewMessage {
  readonly role: Role;
  readonly content: string | readonly ContentBlock[];
}

const roles: readonly string[] = ["user", "assistant", "system"] satisfies Role[];

/** Errors: `INVALID_PARAMS`, `ENTRY_LIMIT`. */
export function messageEntry({ role, content }: NewMessage, atMs: number, maxBytes: number): NewEntry {
  if (!roles.includes(role)) {
    throw new SidecarError("INVALID_PARAMS", `role is ${JSON.stringify(role)}: use ${roles.join(", ")}`);
  }
  if (typeof content !== "string" && !(Array.isArray(content) && content.every(isContentBlock))) {
    throw new SidecarError("INVALID_PARAMS", "content is neither text nor a list of content blocks");
  }
  const data = JSON.stringify({
    role,
    content: typeof content === "string" ? [{ type: "text", text: content }] : content,
  });
  const bytes = Buffer.byteLength(data);
  if (bytes > maxBytes) {
    throw new SidecarError("ENTRY_LIMIT", `The message has ${bytes} bytes, more than ${maxBytes}`);
  }
  return { kind: "message", atMs, data };
}

/** Messages of a stretch of entries, in order. Thoughts, tool calls and state are not among them. */
export async function* messagesOf(pages: AsyncIterable<readonly Entry[]>): AsyncGenerator<Message> {
  let open: { message: Message; content: Json[]; id: Said["id"] } | undefined;
  const listener = new Listener();
  for await (const page of pages) {
    for (const entry of page) {
      const said = listener.saidBy(entry);
      if (said === undefined) continue;
      const { role, id } = said;
      if (open !== undefined && id !== undefined && open.message.role === role && open.id === id) {
        join(open.content, said.content);
        continue;
      }
      if (open !== undefined) yield open.message;
      const content = [...said.content];
      const message = {
        role,
        content: content as unknown as ContentBlock[],
        atMs: entry.atMs,
        seq: entry.seq,
      };
      open = { message, content, id };
    }
  }
  if (open !== undefined) yield open.message;
}

interface Said {
  readonly role: Role;
  readonly content: readonly Json[];
  /** What chunks of one message have in common; null for those without an id, undefined for what is whole. */
  readonly id: string | null | undefined;
}

class Listener {
  #echo: Echo | undefined;

  saidBy(entry: Entry): Said | undefined {
    const meaning = meaningOf(entry);
    switch (meaning.type) {
      case "prompt":
        this.#echo = new Echo(meaning.content);
        return { role: "user", content: meaning.content, id: undefined };
      case "message":
        return { role: meaning.role, content: meaning.content, id: undefined };
      case "end":
        this.#echo = undefined;
        return undefined;
      case "chunk": {
        const { role, content, messageId = null } = meaning;
        if (role === "thought" || (role === "user" && this.#echo?.hears(content) === true)) return undefined;
        return { role, content: [content], id: messageId };
      }
      default:
        return undefined;
    }
  }
}

/** Neighbouring plain text becomes one block. */
function join(content: Json[], more: readonly Json[]): void {
  for (const block of more) {
    const last = content.at(-1);
    if (isPlainText(last) && isPlainText(block))
      content[content.length - 1] = { ...last, text: last.text + block.text };
    else content.push(block);
  }
}

function isPlainText(block: Json | undefined): block is { readonly type: "text"; readonly text: string } {
  return (
    isRecord(block) &&
    block.type === "text" &&
    typeof block.text === "string" &&
    Object.keys(block).length === 2
  );
}
