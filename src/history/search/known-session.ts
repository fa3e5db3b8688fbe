/** What an index keeps of a session's record, so that filters need not ask the store. */
import { crc32 } from "../../base/crc32.ts";
import { isRecord } from "../../base/json.ts";
import path from "node:path";
import { realFolderOf } from "../../session/folders.ts";
import type { Entry, SessionRecord } from "../../store/contract.ts";
import type { KnownSession } from "./text-index.ts";

type Facts = Omit<KnownSession, "fromSeq" | "throughSeq" | "sum">;

export function factsOf(record: SessionRecord): Facts {
  const { id, updatedAtMs, cwd, lineage } = record;
  return {
    id,
    updatedAtMs,
    cwd,
    folder: realFolderOf(record),
    agent: agentNames(record).join("\n").toLowerCase(),
    parentId: lineage?.parentId,
    baseSeq: lineage?.atSeq ?? 0,
    isOpen: record.sealedSeq < record.headSeq,
  };
}

export function isSameFacts(known: KnownSession, facts: Facts): boolean {
  return (Object.keys(facts) as (keyof Facts)[]).every((name) => known[name] === facts[name]);
}

/** All that the agent of a session is called. */
export function agentNames({ agent }: Pick<SessionRecord, "agent">): string[] {
  const info = isRecord(agent?.info) ? agent.info : {};
  const command = agent?.command === undefined ? undefined : path.basename(agent.command);
  return [info.title, info.name, command].filter(
    (name) => typeof name === "string" && name !== "",
  ) as string[];
}

/** Of what an entry was when it was read. */
export function sumOf({ seq, atMs, data }: Entry): number {
  return crc32(data, crc32(`${seq} ${atMs} `));
}
