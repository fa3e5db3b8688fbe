/** Records that stand in the store and are sessions to nobody: no list shows them, no id finds them. */
import type { Metadata, Page, SessionFilter, SessionQuery, SessionRecord, Store } from "../store/contract.ts";

/**
 * Why: `adopting` — what the agent replays is not whole yet, or never became so, for its process died;
 * `deleted` — a tombstone, which keeps the agent's ids of sessions that are deleted here and not there.
 */
export type Hidden = "adopting" | "deleted";

const key = "acp-sidecar.hidden";

/** The metadata of such a record. */
export function hiddenAs(hidden: Hidden): Metadata {
  return { [key]: hidden };
}

export function whyHidden({ metadata }: { readonly metadata: Metadata }): Hidden | undefined {
  const why = metadata[key];
  return why === "adopting" || why === "deleted" ? why : undefined;
}

/** The metadata of the session that it becomes. */
export function shown({ [key]: _, ...metadata }: Metadata): Metadata {
  return metadata;
}

/**
 * When tombstones were last active: before every session, so that lists end where they begin. Among the sessions
 * that were deleted last they would fill the first pages, and leave them empty.
 */
export const buriedAtMs = 0;

/** What a filter matches but for tombstones. */
export function withoutTombstones<F extends SessionFilter>(filter: F): F {
  return { ...filter, updatedSinceMs: Math.max(filter.updatedSinceMs ?? 0, buriedAtMs + 1) };
}

/** A page of sessions; shorter than asked for where hidden records stand among them. */
export async function visibleOf(store: Store, query: SessionQuery): Promise<Page<SessionRecord>> {
  const page = await store.list(withoutTombstones(query));
  const items = page.items.filter((record) => whyHidden(record) === undefined);
  return items.length < page.items.length ? { ...page, items } : page;
}

/** By their marks: to count sessions since an instant takes a store longer than to count all. */
export async function countVisible(store: Store, filter: SessionFilter): Promise<number> {
  const count = (hidden: Hidden) =>
    store.count({ ...filter, metadata: { ...filter.metadata, ...hiddenAs(hidden) } });
  const [all, ...hidden] = await Promise.all([store.count(filter), count("adopting"), count("deleted")]);
  return hidden.reduce((rest, each) => rest - each, all);
}
