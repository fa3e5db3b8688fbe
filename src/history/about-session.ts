/** What people are told of a session as a whole. */
import { visibleLine } from "../base/visible.ts";
import { agentLineOf } from "../session/agent-names.ts";
import type { SessionRecord } from "../store/contract.ts";
import { utcText } from "./words.ts";

/** What a reader wants to know of a session, in order. */
export function factsOf(record: SessionRecord): readonly (readonly [string, string])[] {
  const { id, cwd, createdAtMs, updatedAtMs, lineage } = record;
  const agent = visibleLine(agentLineOf(record));
  return [
    ["Session", id],
    ["Folder", visibleLine(cwd)],
    ...(agent === "" ? [] : [["Agent", agent] as const]),
    ["Began", utcText(createdAtMs)],
    ["Last activity", utcText(updatedAtMs)],
    ...(lineage === undefined
      ? []
      : [["Forked from", `${lineage.parentId} after entry ${lineage.atSeq}`] as const]),
  ];
}

export function titleOf({ title, id }: SessionRecord): string {
  const line = visibleLine(title ?? "").trim();
  return line === "" ? `Session ${id}` : line;
}
