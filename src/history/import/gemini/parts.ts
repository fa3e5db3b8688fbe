/** What messages of Gemini are made of: a text, a part, or a list of them. */
import { isRecord, type Json } from "../../../base/json.ts";
import { recordIn, textIn } from "../records.ts";

/** Text and data as blocks of ACP; calls and what they gave back stand elsewhere. */
export function partsIn(content: unknown): Json[] {
  return (Array.isArray(content) ? (content as readonly unknown[]) : [content]).flatMap((part): Json[] => {
    if (typeof part === "string") return part === "" ? [] : [{ type: "text", text: part }];
    if (!isRecord(part) || part["thought"] === true) return [];
    const text = textIn(part, "text");
    if (text !== undefined) return text === "" ? [] : [{ type: "text", text }];
    const inline = recordIn(part, "inlineData");
    const data = inline && textIn(inline, "data");
    if (data === undefined || inline === undefined) return [];
    const mimeType = textIn(inline, "mimeType") ?? "image/png";
    const type = mimeType.startsWith("audio/") ? "audio" : "image";
    return type === "audio" || mimeType.startsWith("image/")
      ? [{ type, data, mimeType }]
      : [{ type: "text", text: `[${mimeType}]` }];
  });
}
