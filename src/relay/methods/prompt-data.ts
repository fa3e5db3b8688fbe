/** A prompt as the journal has it. */
import { SidecarError } from "../../base/errors.ts";
import type { PromptBody } from "../../acp/schema.ts";
import { wireText, unwritable } from "../../rpc/messages.ts";
import type { RelayContext } from "../context.ts";

/** Errors: `INVALID_REQUEST`, `ENTRY_LIMIT`. */
export function promptData(params: PromptBody, { maxEntryBytes }: RelayContext["options"]): string {
  const data = wireText(params);
  if (data === undefined) throw unwritable("session/prompt");
  const bytes = Buffer.byteLength(data);
  if (bytes <= maxEntryBytes) return data;
  throw new SidecarError(
    "ENTRY_LIMIT",
    `The prompt has ${bytes} bytes, more than --max-entry-bytes allows: ${maxEntryBytes}; send less at once`,
    { data: { bytes, maxEntryBytes } },
  );
}
