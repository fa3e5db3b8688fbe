/** Entries folded for people: who said what, when. */
import { SidecarError } from "../base/errors.ts";
import type { Json } from "../base/json.ts";
import type { Entry, NewEntry } from "../store/contract.ts";
import { isContentBlock, joinContent, type ContentBlock } from "../acp/content.ts";
import type { Role } from "../acp/entries.ts";
import type { Said } from "./happenings.ts";
import { Teller } from "./teller.ts";

export type { Role } from "../acp/entries.ts";

/** A message as people see it. */
export interface Message {
  readonly role: Role;
  readonly content: readonly ContentBlock[];
  readonly atMs: number;
  /** `seq` of its first entry: where it stands in the session. */
  readonly seq: number;
  /** Under which a client is shown it, where it has one. */
  readonly messageId?: string;
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

/** Messages of a stretch of entries, in order. Thoughts, tool calls, state and what subagents said are not among them. */
export async function* messagesOf(pages: AsyncIterable<readonly Entry[]>): AsyncGenerator<Message> {
  let open: { message: Message; content: Json[]; said: Said } | undefined;
  const teller = new Teller();
  for await (const page of pages) {
    for (const entry of page) {
      const said = teller.told(entry);
      if (said?.type !== "said" || said.by === "thought" || said.child !== undefined) continue;
      if (open !== undefined && isOneMessage(open.said, said)) {
        joinContent(open.content, said.content);
        continue;
      }
      if (open !== undefined) yield open.message;
      const content = [...said.content];
      open = { message: messageOf(said, said.by, content), content, said };
    }
  }
  if (open !== undefined) yield open.message;
}

/** Tool calls and thoughts may stand between its parts. */
function isOneMessage(open: Said, next: Said): boolean {
  return !open.isWhole && !next.isWhole && open.by === next.by && open.messageId === next.messageId;
}

function messageOf({ atMs, seq, messageId }: Said, role: Role, content: readonly Json[]): Message {
  const id = messageId === undefined ? {} : { messageId };
  return { role, content: content as unknown as ContentBlock[], atMs, seq, ...id };
}
