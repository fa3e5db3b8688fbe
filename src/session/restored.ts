/**
 * The record of a session that was in another store. The agent's sessions that it had there may have gone on with others
 * since: they are known as what they were, and none is gone on with here, so that the agent is told the conversation.
 */
import { placed } from "./folders.ts";
import { shown } from "./hidden.ts";
import { compactedAs, notCompacted } from "./originals.ts";
import { forgetting } from "./rewinds-kept.ts";
import type { NewSession, SessionPatch, SessionRecord, SessionSettings, Store } from "../store/contract.ts";

/** Ids of an agent's that another session here has stay that one's. */
export async function asRestored(store: Pick<Store, "list">, session: NewSession): Promise<NewSession> {
  const agentSessionIds: string[] = [];
  for (const agentSessionId of session.agentSessionIds) {
    const { items } = await store.list({ agentSessionId, limit: 1 });
    if (items.length === 0) agentSessionIds.push(agentSessionId);
  }
  const settings = settingsOf({ ...session, agentSessionIds });
  return { ...session, agentSessionIds, settings, metadata: notCompacted(shown(session.metadata)) };
}

function settingsOf(session: NewSession): SessionSettings {
  const { rewinds, formerIds = {}, ...settings } = forgotten(session);
  const known = Object.entries(formerIds).filter(([id]) => session.agentSessionIds.includes(id));
  return {
    ...settings,
    ...(rewinds && { rewinds }),
    ...(known.length > 0 && { formerIds: Object.fromEntries(known) }),
  };
}

function forgotten(session: Pick<NewSession, "agentSessionIds" | "settings" | "agent">): SessionSettings {
  const { rewinds = [], ...settings } = forgetting(session, session.settings.rewinds ?? []);
  return rewinds.length === 0 ? settings : { ...settings, rewinds };
}

/** What has come with its entries: they are behind those that were here, and the agent here does not know them. */
export function overtakenBy(before: SessionRecord, now: NewSession): SessionPatch {
  const { title, agent, updatedAtMs, additionalDirectories, mcpServerNames, metadata } = now;
  const { ownAgentIds: _, formerIds: _ids, ...chosen } = now.settings;
  const { ownAgentIds = 1, formerIds } = before.settings;
  const settings = { ...chosen, ownAgentIds, ...(formerIds && { formerIds }) };
  return {
    updatedAtMs,
    additionalDirectories,
    mcpServerNames,
    settings: forgotten({ ...before, settings }),
    metadata: placed({ cwd: before.cwd, metadata: compactedAs(before, shown(metadata)) }).metadata,
    ...(agent && { agent }),
    ...(title !== undefined && { title }),
  };
}
