/** What forks have from a session that is gone is found in one of them: it is what is left of it. */
import { findReadable } from "../find-readable.ts";
import type { SessionId } from "../../base/ids.ts";
import type { SessionRegistry } from "../../session/registry.ts";
import type { Indexing } from "./indexing.ts";
import type { KnownSession, TextIndex } from "../../store/text-index.ts";

/** Forgets sessions that are gone. Errors: `STORE_…`. */
export async function forget(
  registry: Pick<SessionRegistry, "find">,
  index: TextIndex,
  indexing: Indexing,
  ids: readonly SessionId[],
): Promise<void> {
  const gone = new Set(ids);
  for (const id of ids) {
    const session = (await index.known([id])).get(id);
    if (session === undefined) continue;
    const heir = greatest(await heirsOf(registry, index, session, gone));
    if (heir !== undefined && heir.fromSeq > session.fromSeq)
      await indexing.addInherited(heir, session.fromSeq);
    await index.drop([id]);
  }
}

/** Its forks; and where its parent is gone, too, whatever else was forked from that. */
async function heirsOf(
  registry: Pick<SessionRegistry, "find">,
  index: TextIndex,
  { id, parentId }: KnownSession,
  gone: ReadonlySet<SessionId>,
): Promise<readonly KnownSession[]> {
  const there = (forks: readonly KnownSession[]) => forks.filter((fork) => !gone.has(fork.id));
  const forks = there(await index.forksOf(id));
  if (forks.length > 0 || parentId === undefined) return forks;
  const parent = await findReadable(registry, parentId);
  return parent?.id === parentId ? [] : there(await index.forksOf(parentId));
}

function greatest(sessions: readonly KnownSession[]): KnownSession | undefined {
  let most: KnownSession | undefined;
  for (const session of sessions) if (most === undefined || session.baseSeq > most.baseSeq) most = session;
  return most;
}
