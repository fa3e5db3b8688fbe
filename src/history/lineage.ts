/** Who was forked from whom. */
import type { SessionRecord } from "../store/contract.ts";
import type { SessionId } from "../base/ids.ts";
import type { SessionRegistry } from "../session/registry.ts";
import { findReadable } from "./find-readable.ts";

/** What is told of a session; no more is held, because there may be very many of them. */
type Relative = Pick<
  SessionRecord,
  "id" | "lineage" | "title" | "cwd" | "headSeq" | "createdAtMs" | "updatedAtMs" | "metadata"
>;

/** A session, and how it stands in its tree; trees are told depth first, a parent's forks in the order of their begin. */
export interface Branch {
  readonly id: string;
  /** Undefined for a parent that is deleted. */
  readonly record: Relative | undefined;
  /** It is there, and what is kept of it cannot be read. */
  readonly isUnreadable: boolean;
  readonly depth: number;
  /** Of each level above and of its own, whether it is the last there. */
  readonly isLast: readonly boolean[];
}

/** Sessions that have forks or are some; of all others nothing is held, because there may be very many of them. */
interface Forest {
  readonly records: Map<string, Relative>;
  readonly forks: Map<string, Relative[]>;
  readonly unreadable: Set<string>;
}

type Sessions = Pick<SessionRegistry, "list" | "find">;

/** What a list needs of a session, whatever else it holds. */
const pageSize = 1000;
/** So many parents are looked up at a time. */
const parentsAhead = 16;

/** Every tree of more than one session, newest activity first; or the one that `of` belongs to, be it alone. */
export async function* branchesOf(registry: Sessions, of?: SessionRecord): AsyncGenerator<Branch> {
  const forest = await forestOf(registry);
  if (of !== undefined) forest.records.set(of.id, of);
  const roots = of === undefined ? rootsOf(forest) : [rootOf(of, forest)];
  for (const root of roots) yield* tree(root, forest);
}

async function forestOf(registry: Sessions): Promise<Forest> {
  const records = new Map<string, Relative>();
  const forks = new Map<string, Relative[]>();
  const unreadable = new Set<string>();
  let cursor: string | undefined;
  do {
    const page = await registry.list({
      limit: pageSize,
      archived: "include",
      ...(cursor !== undefined && { cursor }),
    });
    for (const { id } of page.unreadable ?? []) unreadable.add(id);
    for (const record of page.items) {
      const { id, lineage } = record;
      if (lineage === undefined && !forks.has(id)) continue;
      const relative = relativeOf(record);
      records.set(id, relative);
      if (lineage === undefined) continue;
      const siblings = forks.get(lineage.parentId);
      if (siblings === undefined) forks.set(lineage.parentId, [relative]);
      else siblings.push(relative);
    }
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  for (const each of forks.values())
    each.sort((a, b) => a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1));
  await addParents(registry, { records, forks, unreadable });
  return { records, forks, unreadable };
}

/** Those who were active after their forks came before them in the list. */
async function addParents(registry: Sessions, { records, forks }: Forest): Promise<void> {
  const missing = [...forks.keys()].filter((id) => !records.has(id));
  for (let at = 0; at < missing.length; at += parentsAhead) {
    const some = missing.slice(at, at + parentsAhead);
    const found = await Promise.all(some.map((id) => findReadable(registry, id as SessionId)));
    for (const [n, parent] of found.entries())
      if (parent !== undefined && parent.id === some[n]) records.set(parent.id, relativeOf(parent));
  }
}

function relativeOf(record: SessionRecord): Relative {
  const { id, lineage, title, cwd, headSeq, createdAtMs, updatedAtMs, metadata } = record;
  return { id, lineage, title, cwd, headSeq, createdAtMs, updatedAtMs, metadata } as Relative;
}

/** In the order in which their parents, or else they themselves, were last active. */
function rootsOf({ records, forks }: Forest): string[] {
  const newest = new Map<string, Relative>();
  for (const [id, record] of records) {
    const { lineage } = record;
    if (lineage === undefined && forks.has(id)) newest.set(id, record);
    else if (lineage !== undefined && !records.has(lineage.parentId) && !newest.has(lineage.parentId))
      newest.set(lineage.parentId, record);
  }
  const roots = [...newest].map(([root, { id, updatedAtMs }]) => ({ root, id, updatedAtMs }));
  roots.sort((a, b) => b.updatedAtMs - a.updatedAtMs || (a.id < b.id ? 1 : -1));
  return roots.map(({ root }) => root);
}

function rootOf({ id, lineage }: SessionRecord, { records }: Forest): string {
  const seen = new Set<string>([id]);
  let root: string = id;
  for (let parent = lineage?.parentId; parent !== undefined && !seen.has(parent);) {
    seen.add(parent);
    root = parent;
    parent = records.get(parent)?.lineage?.parentId;
  }
  return root;
}

/** Without recursion: a session may be forked from its fork as often as one likes. */
function* tree(root: string, { records, forks, unreadable }: Forest): Generator<Branch> {
  const isUnreadable = unreadable.has(root);
  const open: Branch[] = [{ id: root, record: records.get(root), isUnreadable, depth: 0, isLast: [] }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    yield next;
    const { id, depth, isLast } = next;
    const below = forks.get(id) ?? [];
    for (let at = below.length - 1; at >= 0; at -= 1) {
      const record = below[at];
      if (record === undefined) continue;
      open.push({
        id: record.id,
        record,
        isUnreadable: false,
        depth: depth + 1,
        isLast: [...isLast.slice(-20), at === below.length - 1],
      });
    }
  }
}
