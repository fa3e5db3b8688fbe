/** Records of sessions: read and changed. */
import type { SessionId } from "../../base/ids.ts";
import { SidecarError } from "../../base/errors.ts";
import { isUnreadable, type Unreadable } from "../../base/unreadable.ts";
import { encodeFacts, soundly, toRecord } from "../facts.ts";
import { patched } from "../patch.ts";
import { leaseLost, sessionNotFound } from "../refusals.ts";
import type { Holder, Lease, LeaseState, NewSession, SessionPatch, SessionRecord } from "../contract.ts";
import type { Command, Connection } from "./connection.ts";
import { listedFields, recordFields, type JournalId, type Link } from "./keys.ts";
import revise from "./scripts/revise.lua";
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

type Fields = readonly (string | null)[];

export async function findRecord(redis: Connection, id: SessionId): Promise<SessionRecord | undefined> {
  return recordIn((await redis.command("hmget", [redis.keys.record(id), ...listedFields])) as Fields, id);
}

export async function findKept(redis: Connection, id: SessionId): Promise<Kept | undefined> {
  const fields = await findFields(redis, id);
  const record = recordIn(fields, id);
  return record && { record, ...keptIn(fields, id) };
}

/** The same of a session whose record may be damaged. */
export async function findUnread(
  redis: Connection,
  id: SessionId,
): Promise<Omit<Kept, "record"> | undefined> {
  const fields = await findFields(redis, id);
  return typeof fields[0] === "string" ? keptIn(fields, id) : undefined;
}

async function findFields(redis: Connection, id: SessionId): Promise<Fields> {
  return (await redis.command("hmget", [redis.keys.record(id), ...recordFields])) as Fields;
}

function keptIn(fields: Fields, id: SessionId): Omit<Kept, "record"> {
  const [journal, base, chain, revision] = fields.slice(listedFields.length);
  return {
    journal: journal ?? "",
    baseSeq: Number(base),
    chain: typeof chain === "string" && chain !== "[]" ? soundly(id, () => JSON.parse(chain) as Link[]) : [],
    revision: revision ?? "0",
  };
}

/** Records fetched at once when a filter may pass over most of them. */
export const batchSize = 250;

/** A session in a list: its record, or that it cannot be read. */
export type Listed = SessionRecord | Unreadable;

export function isReadable(listed: Listed | undefined): listed is SessionRecord {
  return listed !== undefined && !("code" in listed);
}

/** Of many sessions; undefined for one that is gone. A call for each would cost half as much again as its command. */
export async function findListed(
  redis: Connection,
  ids: readonly SessionId[],
): Promise<readonly (Listed | undefined)[]> {
  const found = await redis.all(ids.map((id): Command => ["hmget", redis.keys.record(id), ...listedFields]));
  return ids.map((id, at) => listedIn(found[at] as Fields, id));
}

/** Of fields in the order of `listedFields` that begin at `at`, every number a text. Errors: `STORE_CORRUPT`. */
function recordIn(fields: Fields, id: SessionId, at = 0): SessionRecord | undefined {
  const facts = fields[at];
  if (typeof facts !== "string") return undefined;
  const [fence, head, sealed, updated, expires, turn] = (fields[at + 1] ?? "").split(" ");
  return soundly(id, () =>
    toRecord(facts, {
      id,
      updatedAtMs: Number(updated),
      headSeq: Number(head),
      sealedSeq: Number(sealed),
      lease: leaseIn({ fence, holder: fields[at + 2], since: fields[at + 3], expires, turn }),
    }),
  );
}

/** The same beside others, which it costs nothing. */
export function listedIn(fields: Fields, id: SessionId, at = 0): Listed | undefined {
  try {
    return recordIn(fields, id, at);
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    const updatedAtMs = Number((fields[at + 1] ?? "").split(" ")[3]);
    return { id, updatedAtMs: Number.isFinite(updatedAtMs) ? updatedAtMs : 0, code: error.code };
  }
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
export async function refusal(redis: Connection, id: SessionId, answer: string): Promise<SidecarError> {
  if (answer === "gone") return sessionNotFound(id);
  if (answer === "lost") {
    const record = await findRecord(redis, id);
    return record === undefined ? sessionNotFound(id) : leaseLost(id, record.lease);
  }
  return new SidecarError("STORE_LOCKED", `Others keep changing session ${id}; try again`, {
    data: { sessionId: id },
  });
}

/** How often a change is tried anew when somebody else's came in between. */
export const mostOvertaken = 100;

/** Errors: `SESSION_NOT_FOUND`, `LEASE_LOST`. */
export async function updateRecord(
  redis: Connection,
  id: SessionId,
  patch: SessionPatch,
  lease: Lease | undefined,
): Promise<SessionRecord> {
  if (lease !== undefined && lease.sessionId !== id) throw await refusal(redis, id, "lost");
  const fence = lease === undefined ? ["", 0, 0] : [lease.fence, lease.ttlMs, lease.turnRunning ? 1 : 0];
  let answer = "overtaken";
  for (let tries = 0; answer === "overtaken" && tries < mostOvertaken; tries += 1) {
    const kept = await findKept(redis, id);
    if (kept === undefined) throw sessionNotFound(id);
    const { lease: _, headSeq: _head, sealedSeq: _sealed, ...facts } = kept.record;
    const after = patched<NewSession>(facts, patch);
    await addTerms(redis, id, addedTerms(facts, after));
    const args = [id, kept.revision, encodeFacts(after), patch.updatedAtMs ?? "", ...fence, redis.retention];
    const [said = "", now, before] = (await redis.run(revise, redis.writeKeys(id), args)) as string[];
    answer = said;
    if (answer !== "done") continue;
    await followActivity(redis, id, before, now);
    return changeTerms(redis, facts, after, async () => (await findRecord(redis, id)) ?? kept.record);
  }
  throw await refusal(redis, id, answer);
}

/** Moves a session in the list after a write, where the list is on another server and the write could not. */
export async function followActivity(
  redis: Connection,
  id: SessionId,
  before: string | undefined,
  now: string | undefined,
): Promise<void> {
  if (!redis.clustered || now === undefined || before === now) return;
  // A slower writer's older time must not undo ours; but time may also be set back, and then it counts.
  const forward = Number(now) < Number(before || 0) ? [] : ["GT"];
  await redis.command("zadd", [redis.keys.activity, "XX", ...forward, now, id]);
}
