/**
 * What all sessions have used. It is read from the journals once; what was found is kept in the user's cache folder, and
 * from then on only sessions are read that were active since. Without that folder, or with another one, all is read anew.
 */
import { agentNameOf } from "../../session/agent-names.ts";
import { readFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { isSidecarError } from "../../base/errors.ts";
import { isRecord } from "../../base/json.ts";
import type { SessionId } from "../../base/ids.ts";
import { readWhole } from "../../session/read-whole.ts";
import type { ListQuery } from "../../session/archived.ts";
import type { SessionRegistry } from "../../session/registry.ts";
import type { SessionRecord, Unreadable } from "../../store/contract.ts";
import { isUnreadable } from "../../base/unreadable.ts";
import { UsageReader, type Sums } from "./sums.ts";

/** What one session has used. */
export interface SessionUsage {
  /** As far as what was counted is final: when a turn that runs has ended, other entries have its numbers. */
  readonly headSeq: number;
  readonly agent: string;
  readonly cwd: string;
  readonly days: Readonly<Record<string, Sums>>;
}

export type UsageById = ReadonlyMap<SessionId, SessionUsage>;

/** Of what cannot be read nothing is counted. */
type Unread = Pick<Unreadable, "id" | "code">;

interface Kept {
  readonly version: number;
  /** No session that was active before is unknown. */
  readonly sinceMs: number;
  readonly sessions: Readonly<Record<SessionId, SessionUsage>>;
}

/** Another way to count is another version: what an older one has kept is left alone, and written over. */
const version = 1;
/** Clocks of others on the store may be so far behind ours. */
const overlapMs = 10 * 60_000;
const pageLimit = 1000;

interface UsageOptions {
  /** Where what was found is kept; nothing is, without. */
  readonly cacheFile?: string | undefined;
  /** Told of each session that is left out, because its entries cannot be read. */
  readonly onUnread?: (found: Unread) => void;
  readonly onProgress?: (read: number) => void | Promise<void>;
}

/** Brought up to date. Errors: `STORE_…`. */
export async function usageOf(registry: SessionRegistry, options: UsageOptions = {}): Promise<UsageById> {
  const kept = readKept(options.cacheFile);
  const found = new Map(Object.entries(kept?.sessions ?? {}) as [SessionId, SessionUsage][]);
  const nowMs = Date.now();
  const since = kept === undefined ? {} : { updatedSinceMs: Math.max(0, kept.sinceMs - overlapMs) };
  let [looked, read] = [0, 0];
  for await (const record of sessionsIn(registry, since)) {
    looked += 1;
    const known = found.get(record.id);
    if (known?.headSeq === record.headSeq && known.cwd === record.cwd) continue;
    await count(registry, record, found, options);
    read += 1;
    await options.onProgress?.(read);
  }
  const isComplete = (await registry.count({ archived: "include" })) === found.size;
  if (!isComplete) await forgetGone(registry, found, options);
  // What was kept is still right, and to write it takes longer than to look again at the few that were active since.
  const isStillRight = kept !== undefined && read === 0 && isComplete && looked < pageLimit;
  if (!isStillRight)
    keep(options.cacheFile, { version, sinceMs: nowMs, sessions: Object.fromEntries(found) });
  return found;
}

async function count(
  registry: SessionRegistry,
  record: SessionRecord,
  found: Map<SessionId, SessionUsage>,
  { onUnread }: UsageOptions,
): Promise<void> {
  const { id } = record;
  try {
    found.set(id, await readWhole(() => read1(registry, record)));
  } catch (error) {
    if (!isUnreadable(error) && !isSidecarError(error, "SESSION_NOT_FOUND")) throw error;
    // Deleted since it was listed, or damaged.
    found.delete(id);
    if (isUnreadable(error)) onUnread?.({ id, code: error.code });
  }
}

async function read1(registry: SessionRegistry, record: SessionRecord): Promise<SessionUsage> {
  const { id, headSeq, sealedSeq, cwd, lineage } = record;
  const reader = new UsageReader(lineage?.atSeq ?? 0);
  // Of very many sessions some were never used, and each read takes its time.
  if (headSeq > 0) for await (const page of registry.read(id)) for (const entry of page) reader.take(entry);
  return {
    headSeq: sealedSeq,
    agent: agentNameOf(record),
    cwd,
    days: Object.fromEntries(reader.byDay()),
  };
}

async function* sessionsIn(registry: SessionRegistry, filter: ListQuery): AsyncGenerator<SessionRecord> {
  let cursor: string | undefined;
  do {
    const page = await registry.list({
      ...filter,
      archived: "include",
      limit: pageLimit,
      ...(cursor !== undefined && { cursor }),
    });
    yield* page.items;
    cursor = page.nextCursor;
  } while (cursor !== undefined);
}

/** Sessions that were deleted, or came back with an old activity: a restored one, or a store of before. */
async function forgetGone(
  registry: SessionRegistry,
  found: Map<SessionId, SessionUsage>,
  options: UsageOptions,
): Promise<void> {
  const there = new Set<SessionId>();
  for await (const record of sessionsIn(registry, {})) {
    there.add(record.id);
    if (found.get(record.id)?.headSeq !== record.headSeq) await count(registry, record, found, options);
  }
  for (const id of found.keys()) if (!there.has(id)) found.delete(id);
}

function readKept(file: string | undefined): Kept | undefined {
  if (file === undefined) return undefined;
  try {
    const kept: unknown = JSON.parse(readFileSync(file, "utf8"));
    const isOurs = isRecord(kept) && kept.version === version && isRecord(kept.sessions);
    return isOurs && typeof kept.sinceMs === "number" ? (kept as unknown as Kept) : undefined;
  } catch {
    // Not there, or damaged: it is made again.
    return undefined;
  }
}

/** What cannot be kept is found again the next time. */
function keep(file: string | undefined, kept: Kept): void {
  if (file === undefined) return;
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(temporary, JSON.stringify(kept), { mode: 0o600 });
    renameSync(temporary, file);
  } catch {
    rmSync(temporary, { force: true });
  }
}
