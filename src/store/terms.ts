/** What a session can be found by, each as one short text: equality only. How the text is made is the medium's. */
import type { NewSession, SessionFilter } from "./contract.ts";

type Kind = "cwd" | "parent" | "agent" | "metadata";

/** The text for a value; of metadata both key and value are given. */
type TermMaker = (kind: Kind, ...parts: readonly (string | number | boolean)[]) => string;

interface Terms {
  /** Every term of a session, each once. */
  readonly termsOf: (session: NewSession) => readonly string[];
  /** The terms that a session must have to match. */
  readonly termsOfFilter: (filter: SessionFilter) => readonly string[];
  /** Those of which it must have none. */
  readonly termsWithout: (filter: SessionFilter) => readonly string[];
}

export function termsBy(make: TermMaker): Terms {
  const all = (
    cwd: string | undefined,
    parentId: string | undefined,
    agentSessionIds: readonly string[],
    metadata: NewSession["metadata"],
  ) => {
    const terms = new Set<string>();
    if (cwd !== undefined) terms.add(make("cwd", cwd));
    if (parentId !== undefined) terms.add(make("parent", parentId));
    for (const id of agentSessionIds) terms.add(make("agent", id));
    for (const [key, value] of Object.entries(metadata)) terms.add(make("metadata", key, value));
    return [...terms];
  };
  return {
    termsOf: ({ cwd, lineage, agentSessionIds, metadata }) =>
      all(cwd, lineage?.parentId, agentSessionIds, metadata),
    termsOfFilter: ({ cwd, parentId, agentSessionId, metadata = {} }) =>
      all(cwd, parentId, agentSessionId === undefined ? [] : [agentSessionId], metadata),
    termsWithout: ({ withoutMetadata = {} }) => all(undefined, undefined, [], withoutMetadata),
  };
}
