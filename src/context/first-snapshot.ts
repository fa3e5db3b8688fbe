/** Where a session's snapshots begin, for who asks for what was known at a place before that. */
import { SidecarError } from "../base/errors.ts";
import { isSuperseded } from "../session/stretches.ts";
import type { SessionRecord } from "../store/contract.ts";
import type { Journals } from "./known-at.ts";

/** From `from` on; undefined where there is none. */
export async function firstSnapshot(
  journals: Journals,
  { id, headSeq }: Pick<SessionRecord, "id" | "headSeq">,
  from: number,
): Promise<number | undefined> {
  if (from > headSeq) return undefined;
  const superseded = await journals.superseded(id, headSeq);
  for await (const page of journals.read(id, { from: Math.max(1, from), through: headSeq })) {
    const found = page.find(({ kind, seq }) => kind === "context" && !isSuperseded(superseded, seq));
    if (found !== undefined) return found.seq;
  }
  return undefined;
}

export function noSnapshot({ id }: Pick<SessionRecord, "id">, seq: number, first?: number): SidecarError {
  const where = first === undefined ? ", nor any other" : `; its first is at entry ${first}`;
  return new SidecarError("INVALID_PARAMS", `Session ${id} has no snapshot up to entry ${seq}${where}`, {
    data: { sessionId: id, ...(first !== undefined && { first }) },
  });
}
