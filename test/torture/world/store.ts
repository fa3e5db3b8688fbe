/** Looks into the store as it is, past the sidecar. */
import { isSidecarError, reasonOf } from "../../../src/base/errors.ts";
import type { SessionId } from "../../../src/base/ids.ts";
import { openStoreWith } from "../../../src/store/open-encrypted.ts";
import { encryption } from "./encryption.ts";
import type { Entry, Store } from "../../../src/store/contract.ts";
import type { Found, FoundSession } from "../checker/history.ts";

/** Opens the store for one look and closes it. */
export async function lookInto(url: string, ids: Iterable<string>): Promise<Found> {
  const store = await openStoreWith(url, encryption());
  try {
    const sessions = new Map<string, FoundSession>();
    for (const id of ids) sessions.set(id, await findSession(store, id as SessionId));
    return { sessions, listed: await listedIn(store) };
  } finally {
    await store.close();
  }
}

export async function findSession(store: Store, id: SessionId): Promise<FoundSession> {
  try {
    const record = await store.get(id);
    if (record === undefined) return {};
    const entries: Entry[] = [];
    for await (const page of store.read(id)) entries.push(...page);
    const { headSeq, sealedSeq } = record;
    return { stored: { headSeq, sealedSeq, entries } };
  } catch (error) {
    return { failure: { code: isSidecarError(error) ? error.code : "unnamed", message: reasonOf(error) } };
  }
}

export async function listedIn(store: Store): Promise<Set<string>> {
  const ids = new Set<string>();
  let cursor: string | undefined;
  do {
    const page = await store.list({ limit: 1000, ...(cursor === undefined ? {} : { cursor }) });
    for (const { id } of page.items) ids.add(id);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return ids;
}
