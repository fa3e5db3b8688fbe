/** Records of sessions: read and changed. */
import type { SessionId } from "../../base/ids.ts";
import { SidecarError } from "../../base/errors.ts";
import { encodeFacts, toRecord } from "../facts.ts";
import { patched } from "../patch.ts";
import { leaseLost, sessionNotFound } from "../refusals.ts";
import type { Holder, Lease, LeaseState, NewSession, SessionPatch, SessionRecord } from "../contract.ts";
import type { Medium } from "./medium.ts";
import { moveActivity } from "./place.ts";
import { listedFields, recordFields, type JournalId, type Link } from "./schema.ts";
import { revise } from "./scripts.ts";
import { addedTerms, addTerms, changeTerms } from "./terms.ts";

/** A session as it is kept. */
export interface Kept {
  readonly record: SessionRecord;
  readonly journal: JournalId;
  /** Last inherited seq. */
  readonly baseSeq: number;
  /** Journals that it inherits from, the nearest first. */
  readonly chain: readonly Link[];
  /** Counts the changes of the facts. */
  readonly revision: string;
}

export async function findKept({ server, keys }: Medium, id: SessionId): Promise<Kept | undefined> {
  return keptIn((await server.command("hmget", keys.record(id), ...recordFields)) as (string | null)[]);
}

/** Records of many sessions: a call for each would cost half as much again as its command. */
export async function findRecords(
  { server, keys }: Medium,
  ids: readonly SessionId[],
): Promise<readonly (SessionRecord | undefined)[]> {
  const found = await server.all(ids.map((id) => ["hmget", keys.record(id), ...listedFields]));
  return found.map((fields) => recordIn(fields as (string | null)[]));
}

/** Of a record's fields, in the order of `recordFields`. */
function keptIn(fields: readonly (string | null)[]): Kept | undefined {
  const record = recordIn(fields);
  if (record === undefined) return undefined;
  const [journal, base, chain, revision] = fields.slice(listedFields.length);
  return {
    record,
    journal: journal ?? "",
    baseSeq: Number(base),
    chain: typeof chain === "string" && chain !== "[]" ? (JSON.parse(chain) as Link[]) : [],
    revision: revision ?? "0",
  };
}

/** Of fields in the order of `listedFields` that begin at `at`, every number a text. */
export function recordIn(fields: readonly (string | null)[], at = 0): SessionRecord | undefined {
  const facts = fields[at];
  if (typeof facts !== "string") return undefined;
  const [fence, head, sealed, updated, expires, turn] = (fields[at + 1] ?? "").split(" ");
  const lease = leaseIn({ fence, holder: fields[at + 2], since: fields[at + 3], expires, turn });
  return toRecord(facts, {
    updatedAtMs: Number(updated),
    headSeq: Number(head),
    sealedSeq: Number(sealed),
    lease,
  });
}

type LeaseFields = Readonly<
  Record<"fence" | "holder" | "since" | "expires" | "turn", string | null | undefined>
>;

export function leaseIn({ fence, holder, since, expires, turn }: LeaseFields): LeaseState | undefined {
  if (!holder) return undefined;
  return {
    holder: JSON.parse(holder) as Holder,
    fence: Number(fence),
    sinceMs: Number(since),
    expiresAtMs: Number(expires),
    turnRunning: turn === "1",
  };
}

/** What a script's refusal means. The record is read for who holds the session now. */
export async function refusal(medium: Medium, id: SessionId, answer: string): Promise<SidecarError> {
  if (answer === "gone") return sessionNotFound(id);
  if (answer === "lost") {
    const kept = await findKept(medium, id);
    return kept === undefined ? sessionNotFound(id) : leaseLost(id, kept.record.lease);
  }
  return new SidecarError("STORE_LOCKED", `Others keep changing session ${id}; try again`, {
    data: { sessionId: id },
  });
}

/** How often a change is tried anew when somebody else's came in between. */
export const mostOvertaken = 100;

/** Errors: `SESSION_NOT_FOUND`, `LEASE_LOST`. */
export async function updateRecord(
  medium: Medium,
  id: SessionId,
  patch: SessionPatch,
  lease: Lease | undefined,
): Promise<SessionRecord> {
  if (lease !== undefined && lease.sessionId !== id) throw await refusal(medium, id, "lost");
  let answer = "overtaken";
  for (let tries = 0; answer === "overtaken" && tries < mostOvertaken; tries += 1) {
    const kept = await findKept(medium, id);
    if (kept === undefined) throw sessionNotFound(id);
    const { lease: _, headSeq: _head, sealedSeq: _sealed, ...facts } = kept.record;
    const after = patched<NewSession>(facts, patch);
    await addTerms(medium, id, addedTerms(facts, after));
    const fence = lease === undefined ? ["", 0, 0] : [lease.fence, lease.ttlMs, lease.turnRunning ? 1 : 0];
    const args = [id, kept.revision, encodeFacts(after), patch.updatedAtMs ?? "", ...fence, medium.retention];
    const done = (await medium.server.run(revise, medium.writeKeys(id), args)) as string[];
    answer = done[0] ?? "";
    if (answer !== "done") continue;
    await moveActivity(medium, id, done[2], done[1]);
    return changeTerms(medium, facts, after, async () => (await findKept(medium, id))?.record ?? kept.record);
  }
  throw await refusal(medium, id, answer);
}
