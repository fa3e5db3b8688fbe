/** Sessions, entries, holders and small questions for the checks. */
import assert from "node:assert/strict";
import { newSessionId, type SessionId } from "../../src/base/ids.ts";
import type { ErrorCode } from "../../src/base/errors.ts";
import type {
  Entry,
  EntryRange,
  Holder,
  Lease,
  LeaseRequest,
  NewEntry,
  NewSession,
  SessionQuery,
  SessionRecord,
  Store,
} from "../../src/store/contract.ts";

/** An instant to count from, so that checks read well and need no clock. */
export const noon = Date.UTC(2025, 0, 1, 12);

export function aSession(facts: Partial<NewSession> = {}): NewSession {
  return {
    id: newSessionId(),
    createdAtMs: noon,
    updatedAtMs: noon,
    cwd: "/home/ada/engine",
    additionalDirectories: [],
    mcpServerNames: [],
    agentSessionIds: [],
    settings: {},
    metadata: {},
    ...facts,
  };
}

export function anEntry(text: string, facts: Partial<NewEntry> = {}): NewEntry {
  return { kind: "update", atMs: noon + 1000, data: JSON.stringify({ text }), ...facts };
}

/** Entries numbered from `first`, told apart by their data. */
export function someEntries(count: number, first = 1): NewEntry[] {
  return Array.from({ length: count }, (_, i) => anEntry(`entry ${first + i}`));
}

export function aHolder(name = "a"): Holder {
  return { host: `host-${name}/boot`, pid: 4711, startedAt: `start-${name}` };
}

export const never = (): boolean => false;
export const always = (): boolean => true;

export function aRequest(facts: Partial<LeaseRequest> = {}): LeaseRequest {
  return { holder: aHolder(), ttlMs: 60_000, mayTake: never, ...facts };
}

export async function leaseOf(store: Store, id: SessionId, holder = aHolder()): Promise<Lease> {
  return (await store.acquire(id, aRequest({ holder, mayTake: always }))).lease;
}

/** A new session with `count` entries, all sealed, and the lease that they were written under. */
export async function aJournal(
  store: Store,
  count: number,
  facts: Partial<NewSession> = {},
): Promise<{ id: SessionId; lease: Lease }> {
  const { id } = await store.create(aSession(facts));
  const lease = await leaseOf(store, id);
  for (let at = 0; at < count; at += 1000) {
    await store.append(id, at, someEntries(Math.min(1000, count - at), at + 1), lease);
  }
  await store.seal(id, { from: count + 1, head: count }, [], lease);
  return { id, lease };
}

export async function pagesOf(
  store: Store,
  id: SessionId,
  range?: EntryRange,
): Promise<(readonly Entry[])[]> {
  const pages: (readonly Entry[])[] = [];
  for await (const page of store.read(id, range)) pages.push(page);
  return pages;
}

export async function entriesOf(store: Store, id: SessionId, range?: EntryRange): Promise<Entry[]> {
  return (await pagesOf(store, id, range)).flat();
}

/** All that a query finds, page by page. */
export async function listAll(store: Store, query: SessionQuery = {}): Promise<SessionRecord[]> {
  const found: SessionRecord[] = [];
  let cursor = query.cursor;
  do {
    const page = await store.list({ ...query, ...(cursor !== undefined && { cursor }) });
    found.push(...page.items);
    assert.ok(found.length < 10_000, "a list has an end");
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return found;
}

/** That the journal is exactly `entries`, numbered from 1 without a gap, and that the record says so too. */
export async function assertJournal(
  store: Store,
  id: SessionId,
  entries: readonly NewEntry[],
): Promise<void> {
  const expected = entries.map(({ kind, atMs, data }, i) => ({ seq: i + 1, kind, atMs, data }));
  assert.deepEqual(await entriesOf(store, id), expected);
  assert.equal((await mustGet(store, id)).headSeq, entries.length);
}

export async function mustGet(store: Store, id: SessionId): Promise<SessionRecord> {
  const record = await store.get(id);
  assert.ok(record, `session ${id} is there`);
  return record;
}

/** What a record is beside the fields that every write moves. */
export function withoutLease(record: SessionRecord): Omit<SessionRecord, "lease"> {
  const { lease: _lease, ...facts } = record;
  return facts;
}

/** Errors are told by code, so that a store from elsewhere may bring its own error class. */
export async function rejectsWith(code: ErrorCode, doing: Promise<unknown>): Promise<void> {
  await assert.rejects(doing, (error: unknown) => {
    assert.ok(error instanceof Error, `rejects with an Error, not ${String(error)}`);
    assert.equal((error as { code?: unknown }).code, code, error.message);
    return true;
  });
}

/** `data` of the error that `doing` rejects with. */
export async function refusalData(doing: Promise<unknown>): Promise<Readonly<Record<string, unknown>>> {
  const error: unknown = await doing.then(
    () => assert.fail("should have been refused"),
    (reason: unknown) => reason,
  );
  return (error as { data?: Readonly<Record<string, unknown>> }).data ?? {};
}
