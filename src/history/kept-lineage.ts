/** Where a session was forked from whose parent is not here: it stands here whole, and says so in its metadata. */
import { isSessionId } from "../base/ids.ts";
import type { Lineage, NewSession } from "../store/contract.ts";

const key = "acp-sidecar.forked-from";

/** @param lineage what it shares with a session that is here, if anything */
export function withoutParent(record: NewSession, lineage: Lineage | undefined): NewSession {
  const { lineage: told, metadata, ...others } = record;
  if (told === undefined || lineage !== undefined) return record;
  return { ...others, metadata: { ...metadata, [key]: `${told.parentId}:${told.atSeq}` } };
}

/** As it was where its parent is. */
export function withParent<R extends Pick<NewSession, "lineage" | "metadata">>(record: R): R {
  const { [key]: told, ...metadata } = record.metadata;
  const [parentId, atSeq] = typeof told === "string" ? told.split(":") : [];
  const isPlace = isSessionId(parentId) && Number.isSafeInteger(Number(atSeq ?? NaN)) && Number(atSeq) >= 0;
  if (record.lineage !== undefined || !isPlace) return record;
  return { ...record, metadata, lineage: { parentId, atSeq: Number(atSeq) } };
}
