/** Entries folded for people: who said what, when. */
import { SidecarError } from "../base/errors.ts";
import { isRecord, textOr, type Json } from "../base/json.ts";
import type { Entry, NewEntry } from "../store/contract.ts";
import type { UpdateData } from "../acp/kinds.ts";

export type Role = "user" | "assistant" | "system";

/** A message as people see it. Content blocks are ACP's (https://agentclientprotocol.com/protocol/v1/content). */
export interface Message {
  readonly role: Role;
  readonly content: readonly Json[];
  readonly atMs: number;
  /** `seq` of its first entry: where it stands in the session. */
  readonly seq: number;
}

/** A message to be added: text, or content blocks. */
export interface NewMessage {
  readonly role: Role;
  readonly content: string | readonly Json[];
}

const roles: readonly string[] = ["user", "assistant", "system"] satisfies Role[];

/** Errors: `INVALID_PARAMS`, `ENTRY_LIMIT`. */
export function messageEntry({ role, content }: NewMessage, atMs: number, maxBytes: number): NewEntry {
  if (!roles.includes(role)) {
    throw new SidecarError("INVALID_PARAMS", `role is ${JSON.stringify(role)}: use ${roles.join(", ")}`);
  }
  if (typeof content !== "string" && !isContent(content)) {
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

/** Blocks are ACP's, or of a kind that we do not know: each says of what type it is. */
function isContent(content: unknown): boolean {
  return (
    Array.isArray(content) && content.every((block) => isRecord(block) && typeof block.type === "string")
  );
}

/** The text of a message; other content is named by its type. */
export function textOf({ content }: Pick<Message, "content">): string {
  return content.map(blockText).join("");
}

function blockText(block: Json): string {
  if (!isRecord(block)) return "";
  if (block.type === "text") return textOr(block.text, "");
  return `[${textOr(block.type, "?")}]`;
}

/** Messages of a stretch of entries, in order. Thoughts, tool calls and state are not among them. */
export async function* messagesOf(pages: AsyncIterable<readonly Entry[]>): AsyncGenerator<Message> {
  let open: { message: Message; content: Json[]; id: unknown } | undefined;
  for await (const page of pages) {
    for (const entry of page) {
      const said = saidBy(entry);
      if (said === undefined) continue;
      if (
        open !== undefined &&
        said.id !== undefined &&
        open.message.role === said.role &&
        open.id === said.id
      ) {
        join(open.content, said.content);
        continue;
      }
      if (open !== undefined) yield open.message;
      const content = [...said.content];
      open = {
        message: { role: said.role, content, atMs: entry.atMs, seq: entry.seq },
        content,
        id: said.id,
      };
    }
  }
  if (open !== undefined) yield open.message;
}

interface Said {
  readonly role: Role;
  readonly content: readonly Json[];
  /** What chunks of one message have in common; undefined for what is whole. */
  readonly id: unknown;
}

function saidBy(entry: Entry): Said | undefined {
  if (entry.kind === "prompt") {
    const { prompt } = JSON.parse(entry.data) as { prompt?: readonly Json[] };
    return { role: "user", content: prompt ?? [], id: undefined };
  }
  if (entry.kind === "message") {
    const { role, content } = JSON.parse(entry.data) as { role: Role; content: readonly Json[] };
    return { role, content, id: undefined };
  }
  if (entry.kind !== "update") return undefined;
  const { update } = JSON.parse(entry.data) as UpdateData;
  const role = chunkRoles.get(update.sessionUpdate);
  if (role === undefined) return undefined;
  return { role, content: [update.content as Json], id: update.messageId ?? null };
}

const chunkRoles: ReadonlyMap<string, Role> = new Map([
  ["user_message_chunk", "user"],
  ["agent_message_chunk", "assistant"],
]);

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
