/**
 * Tombstones: an agent that lists its sessions and cannot delete them would bring those back that are deleted here.
 * Its ids of them are kept in a hidden record, for every process that uses the store and after every restart.
 */
import { newSessionId } from "../../base/ids.ts";
import { buriedAtMs, hiddenAs, whyHidden } from "../../session/hidden.ts";
import { emptySession } from "../../session/registry-options.ts";
import type { AgentFacts, SessionRecord, Store } from "../../store/contract.ts";
import type { RelayContext } from "../context.ts";
import { isSameAgent } from "./ids.ts";

/** The agent's session of this id is gone, as far as a client can see. Any agent's, if it is not known whose. */
export async function bury(
  { store, registry }: RelayContext,
  agentSessionId: string,
  agent: AgentFacts | undefined,
): Promise<void> {
  const tombstones = await tombstonesOf(store, agentSessionId);
  if (tombstones.some((each) => each.agent === undefined || (agent && isSameAgent(each.agent, agent))))
    return;
  await store.create({
    ...emptySession,
    id: newSessionId(),
    createdAtMs: Date.now(),
    updatedAtMs: buriedAtMs,
    // No folder of the client's: nothing is kept of what was deleted but whose it was.
    cwd: "/",
    agentSessionIds: [agentSessionId],
    ...(agent && { agent }),
    metadata: hiddenAs("deleted"),
  });
  await registry.settle();
}

/** All that agents have of a session of ours. Which of them had the earlier ids is not known: the last has the last. */
export async function buryAll(ctx: RelayContext, { agentSessionIds, agent }: SessionRecord): Promise<void> {
  for (const [at, id] of agentSessionIds.entries())
    await bury(ctx, id, at === agentSessionIds.length - 1 ? agent : undefined);
}

/** This agent's session of this id may be seen again. */
export async function unearth(
  { store }: RelayContext,
  agentSessionId: string,
  agent: AgentFacts,
): Promise<void> {
  const tombstones = await tombstonesOf(store, agentSessionId);
  for (const each of tombstones) if (hides(each, agent)) await store.delete(each.id);
}

/** Whether a record is a tombstone of an agent's session. */
export function hides(record: SessionRecord, agent: AgentFacts): boolean {
  if (whyHidden(record) !== "deleted") return false;
  return record.agent === undefined || isSameAgent(record.agent, agent);
}

async function tombstonesOf(store: Store, agentSessionId: string): Promise<readonly SessionRecord[]> {
  return (await store.list({ agentSessionId, metadata: hiddenAs("deleted") })).items;
}
