/**
 * Records that stand in the store and are sessions to nobody: no list shows them, no id finds them. Among them
 * tombstones: an agent that lists its sessions and cannot delete them would bring those back that are deleted here.
 * Its ids of them are kept for every process that uses the store and after every restart.
 */
import { newSessionId } from "../base/ids.ts";
import type {
  AgentFacts,
  Metadata,
  Page,
  SessionFilter,
  SessionQuery,
  SessionRecord,
  Store,
} from "../store/contract.ts";
import { guardOf } from "../store/guarded/guard.ts";
import { findByAgentId, isKnownAs, isSameAgent } from "./agent-ids.ts";
import { countIn, listIn } from "./folders.ts";
import { everySession } from "./pages.ts";
import { emptySession } from "./registry-options.ts";

/**
 * Why: `adopting` — what the agent replays is not whole yet, or never became so because its process died;
 * `importing` — the same of what is brought in from a file;
 * `trashed` — deleted, and can be brought back (see trash.ts); `deleted` — a tombstone;
 * `originals` — what entries were before they were compacted (see originals.ts);
 * `token` — what is known of a token (see store/guarded/tokens.ts).
 */
export type Hidden = "adopting" | "importing" | "trashed" | "deleted" | "originals" | "token";
const allHidden: readonly Hidden[] = ["adopting", "importing", "trashed", "deleted", "originals", "token"];

const key = "acp-sidecar.hidden";

/** The metadata of such a record. */
export function hiddenAs(hidden: Hidden): Metadata {
  return { [key]: hidden };
}

export function whyHidden({ metadata }: { readonly metadata: Metadata }): Hidden | undefined {
  const why = metadata[key];
  return allHidden.find((each) => each === why);
}

const gone: ReadonlySet<Hidden> = new Set(["trashed", "deleted", "originals", "token"]);

/** Whether nobody may know that it is there. */
export function isGone(record: { readonly metadata: Metadata }): boolean {
  const why = whyHidden(record);
  return why !== undefined && gone.has(why);
}

/** The metadata of the session that it becomes. */
export function shown({ [key]: _, ...metadata }: Metadata): Metadata {
  return metadata;
}

/**
 * When what is gone was last active: before every session, so that lists end where it begins. Among the sessions
 * that were in use last it would fill the first pages, and leave them empty.
 */
export const buriedAtMs = 0;

/** What a filter matches, except for what is gone. */
export function withoutGone<F extends SessionFilter>(filter: F): F {
  return { ...filter, updatedSinceMs: Math.max(filter.updatedSinceMs ?? 0, buriedAtMs + 1) };
}

/** A page of sessions; shorter than asked for where hidden records stand among them. */
export async function visibleOf(store: Store, query: SessionQuery): Promise<Page<SessionRecord>> {
  const page = await listIn(store, withoutGone(query));
  const items = page.items.filter((record) => whyHidden(record) === undefined);
  return items.length < page.items.length ? { ...page, items } : page;
}

/** By their marks, because to count sessions since an instant takes a store longer than to count all. */
export function countVisible(store: Store, filter: SessionFilter): Promise<number> {
  return countIn(filter, (place) => countShown(store, place));
}

async function countShown(store: Store, filter: SessionFilter): Promise<number> {
  const count = (hidden: Hidden) =>
    store.count({ ...filter, metadata: { ...filter.metadata, ...hiddenAs(hidden) } });
  const [all, ...hidden] = await Promise.all([store.count(filter), ...allHidden.map(count)]);
  return hidden.reduce((rest, each) => rest - each, all);
}

/** What the store keeps of agents' sessions beside those that are shown. */
export class HiddenRecords {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** An agent's session is gone, as far as a client can see. Any agent's, if it is not known whose. */
  async bury(agentSessionId: string, agent: AgentFacts | undefined): Promise<void> {
    const tombstones = await this.#of(agentSessionId, "deleted");
    if (tombstones.some((each) => each.agent === undefined || (agent && isSameAgent(each.agent, agent))))
      return;
    await this.#store.create({
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
  }

  /** This agent's session may be seen again. */
  async unearth(agentSessionId: string, agent: AgentFacts): Promise<void> {
    const tombstones = await this.#of(agentSessionId, "deleted");
    for (const each of tombstones) if (hides(each, agent)) await this.#store.delete(each.id);
  }

  /** The newest session that is shown and that an agent (any, unless told) knows or knew by this id. */
  findVisible(agentSessionId: string, agent: AgentFacts | undefined): Promise<SessionRecord | undefined> {
    const isMeant = (record: SessionRecord) =>
      whyHidden(record) === undefined && isKnownAs(record, agentSessionId, agent);
    return findByAgentId(this.#store, agentSessionId, isMeant);
  }

  /** Whether an agent's session is one of ours, or was until it was deleted. */
  async isOurs(agentSessionId: string, agent: AgentFacts): Promise<boolean> {
    if (await this.isStrangers(agentSessionId, agent)) return true;
    const isMeant = (record: SessionRecord) => {
      const why = whyHidden(record);
      return why === undefined || why === "trashed"
        ? isKnownAs(record, agentSessionId, agent)
        : hides(record, agent);
    };
    // One that cannot be read is ours: it must not come in once more by way of the agent.
    let isOurs = false;
    const found = await findByAgentId(this.#store, agentSessionId, isMeant, () => (isOurs = true));
    return isOurs || found !== undefined;
  }

  /** Whether an agent's session belongs to somebody for whom it is not there: it must not come in by way of the agent. */
  async isStrangers(agentSessionId: string, agent: AgentFacts | undefined): Promise<boolean> {
    const whose = (await guardOf(this.#store)?.strangersWith(agentSessionId)) ?? [];
    return whose.some((each) => each === undefined || agent === undefined || isSameAgent(each, agent));
  }

  /** Whether an agent's session is one of ours that can be restored: adopted anew it would be two. */
  async isTrashed(agentSessionId: string, agent: AgentFacts): Promise<boolean> {
    const trashed = await this.#of(agentSessionId, "trashed");
    return trashed.some((record) => isKnownAs(record, agentSessionId, agent));
  }

  /** Sessions that are being adopted from an agent, or were when their process died. */
  async unfinished(agentSessionId: string, agent: AgentFacts): Promise<readonly SessionRecord[]> {
    const unfinished = await this.#of(agentSessionId, "adopting");
    return unfinished.filter((record) => isKnownAs(record, agentSessionId, agent));
  }

  async #of(agentSessionId: string, hidden: Hidden): Promise<readonly SessionRecord[]> {
    const records: SessionRecord[] = [];
    const filter = { agentSessionId, metadata: hiddenAs(hidden) };
    for await (const record of everySession(this.#store, filter)) records.push(record);
    return records;
  }
}

/** Whether a record is a tombstone of an agent's session. */
function hides(record: SessionRecord, agent: AgentFacts): boolean {
  if (whyHidden(record) !== "deleted") return false;
  return record.agent === undefined || isSameAgent(record.agent, agent);
}
