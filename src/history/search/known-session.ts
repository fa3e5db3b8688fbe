/** What an index keeps of a session's record, so that filters need not ask the store. */
import { agentNamesOf } from "../../session/agent-names.ts";
import { crc32 } from "../../base/crc32.ts";
import { realFolderOf } from "../../session/folders.ts";
import { compactedAtMs } from "../../session/originals.ts";
import type { Entry, SessionRecord } from "../../store/contract.ts";
import type { KnownSession } from "../../store/text-index.ts";

type Facts = Omit<KnownSession, "fromSeq" | "throughSeq" | "sum">;

export function factsOf(record: SessionRecord): Facts {
  const { id, updatedAtMs, cwd, lineage } = record;
  return {
    id,
    updatedAtMs,
    cwd,
    folder: realFolderOf(record),
    agent: agentNamesOf(record).join("\n").toLowerCase(),
    parentId: lineage?.parentId,
    baseSeq: lineage?.atSeq ?? 0,
    isOpen: record.sealedSeq < record.headSeq,
    rewrittenAtMs: compactedAtMs(record),
  };
}

export function isSameFacts(known: KnownSession, facts: Facts): boolean {
  return (Object.keys(facts) as (keyof Facts)[]).every((name) => known[name] === facts[name]);
}

/** Of what an entry was when it was read. */
export function sumOf({ seq, atMs, data }: Entry): number {
  return crc32(data, crc32(`${seq} ${atMs} `));
}
