/** Values that sessions are found by, hashed to one short text: they are of any length, with any character in them. */
import { createHash } from "node:crypto";
import type { NewSession, SessionFilter } from "../contract.ts";

/** Every term of a session, each once. */
export function termsOf(session: NewSession): readonly string[] {
  const { cwd, lineage, agentSessionIds, metadata } = session;
  return termsFor({ cwd, parentId: lineage?.parentId, agentSessionIds, metadata });
}

/** The terms that a session must have to match. */
export function termsOfFilter(filter: SessionFilter): readonly string[] {
  const { cwd, parentId, agentSessionId, metadata = {} } = filter;
  const agentSessionIds = agentSessionId === undefined ? [] : [agentSessionId];
  return termsFor({ cwd, parentId, agentSessionIds, metadata });
}

interface Values {
  readonly cwd: string | undefined;
  readonly parentId: string | undefined;
  readonly agentSessionIds: readonly string[];
  readonly metadata: NewSession["metadata"];
}

function termsFor({ cwd, parentId, agentSessionIds, metadata }: Values): readonly string[] {
  const terms = new Set<string>();
  if (cwd !== undefined) terms.add(hash("cwd", cwd));
  if (parentId !== undefined) terms.add(hash("parent", parentId));
  for (const id of agentSessionIds) terms.add(hash("agent", id));
  for (const [key, value] of Object.entries(metadata)) terms.add(hash("metadata", key, value));
  return [...terms];
}

/** 128 bits of SHA-256 over the JSON of kind and value, which keeps 1 and "1" apart. */
function hash(...parts: readonly (string | number | boolean)[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("base64url").slice(0, 22);
}
