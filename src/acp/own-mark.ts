/** The mark of what the sidecar itself has said in a conversation: its agent knows nothing of it. */
import { metaKey } from "./meta.ts";
import { isRecord, objectIn } from "../base/json.ts";
import type { NewEntry } from "../store/contract.ts";

/** `_meta` of the params of a prompt that we answer, and of the updates that do. */
export const ownMeta = { [metaKey]: { origin: "sidecar" } } as const;

const text = JSON.stringify(ownMeta["acp-sidecar"]);

/** Parsed only where the words are in it, because nearly nothing has the mark. */
export function isOwn({ data }: Pick<NewEntry, "data">): boolean {
  if (!data.includes(text)) return false;
  const { _meta } = objectIn(data) ?? {};
  const meta = isRecord(_meta) ? _meta["acp-sidecar"] : undefined;
  return isRecord(meta) && meta.origin === "sidecar";
}
