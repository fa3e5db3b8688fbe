/**
 * Tombstones: an agent that lists its sessions and cannot delete them would bring those back that are deleted here.
 * Its ids of them are kept in a hidden record, for every process that uses the store and after every restart.
 */
import { newSessionId } from "../session-id.ts";
import { hiddenAs } from "../session/hidden.ts";
import { emptySession } from "../session/registry-options.ts";
import type { AgentFacts, SessionRecord, Store } from "../store/store.ts";
import type { ProxyContext } from "./context.ts";

/** The agent's sessions of these ids are gone, as far as a client can see. Of any agent's, if it is not known whose. */
export async function bury(
  { store, registry }: ProxyContext,
  ids: readonly string[],
  agent: AgentFacts | undefined,
): Promise<void> {
  const tombstones = await Promise.all(ids.map((id) => tombstonesOf(store, id)));
  const agentSessionIds = ids.filter((_, at) => tombstones[at]?.length === 0);
  if (agentSessionIds.length === 0) return;
  const nowMs = Date.now();
  await store.create({
    ...emptySession,
    id: newSessionId(),
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    // No folder of the client's: nothing is kept of what was deleted but whose it was.
    cwd: "/",
    agentSessionIds,
    ...(agent && { agent }),
    metadata: hiddenAs("deleted"),
  });
  await registry.settle();
}

/** A client asks for it by the agent's id: it wants it back. */
export async function unearth({ store }: ProxyContext, agentSessionId: string): Promise<void> {
  for (const { id, agentSessionIds } of await tombstonesOf(store, agentSessionId)) {
    const others = agentSessionIds.filter((each) => each !== agentSessionId);
    if (others.length === 0) await store.delete(id);
    else await store.update(id, { agentSessionIds: others });
  }
}

async function tombstonesOf(store: Store, agentSessionId: string): Promise<readonly SessionRecord[]> {
  return (await store.list({ agentSessionId, metadata: hiddenAs("deleted") })).items;
}
