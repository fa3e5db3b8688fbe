/** What messages are made of. https://agentclientprotocol.com/protocol/v1/content */
import { SidecarError } from "../base/errors.ts";
import { isRecord, textOr, type Json } from "../base/json.ts";

interface Block {
  readonly annotations?: Readonly<Record<string, Json>> | null;
  readonly _meta?: Readonly<Record<string, Json>> | null;
}

export interface TextBlock extends Block {
  readonly type: "text";
  readonly text: string;
}

export interface ImageBlock extends Block {
  readonly type: "image";
  /** Base64. */
  readonly data: string;
  readonly mimeType: string;
  readonly uri?: string | null;
}

export interface AudioBlock extends Block {
  readonly type: "audio";
  /** Base64. */
  readonly data: string;
  readonly mimeType: string;
}

export interface ResourceLinkBlock extends Block {
  readonly type: "resource_link";
  readonly uri: string;
  readonly name: string;
  readonly title?: string | null;
  readonly description?: string | null;
  readonly mimeType?: string | null;
  /** In bytes. */
  readonly size?: number | null;
}

export interface ResourceBlock extends Block {
  readonly type: "resource";
  readonly resource: {
    readonly uri: string;
    readonly mimeType?: string | null;
    /** Either its text, or its bytes in base64. */
    readonly text?: string;
    readonly blob?: string;
  };
}

/** A piece of a message. Kinds that a later protocol adds are kept and given as they came. */
export type ContentBlock = TextBlock | ImageBlock | AudioBlock | ResourceLinkBlock | ResourceBlock;

/** Whether it may stand in a message: a block of ACP's, or of a kind that we do not know, says of what type it is. */
export function isContentBlock(block: unknown): block is ContentBlock {
  return isRecord(block) && typeof block.type === "string";
}

/** The text of a message; what is no text is named by its type, in brackets. */
export function textOf({ content }: { readonly content: readonly unknown[] }): string {
  if (!Array.isArray(content)) throw new SidecarError("INVALID_PARAMS", "message.content must be a list");
  return content.map(blockText).join("");
}

function blockText(block: unknown): string {
  if (!isRecord(block)) return "";
  if (block.type === "text") return textOr(block.text, "");
  return `[${textOr(block.type, "?")}]`;
}

/** What the blocks say that are text, and nothing of the others. */
export function wordsOf(blocks: readonly unknown[]): string {
  return blocks.map((block) => (isRecord(block) ? textOr(block.text, "") : "")).join("");
}

/** Adds blocks to `content`: neighbouring plain text becomes one block. */
export function joinContent(content: Json[], more: readonly Json[]): void {
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
