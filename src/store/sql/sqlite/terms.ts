/** What a session can be found by, each as one text in the `terms` table: equality only, one index for all. */
import { createHash } from "node:crypto";
import type { NewSession, SessionFilter } from "../../contract.ts";

/** Longer ones are kept by their hash, so that the index stays small. */
const longest = 200;

function term(kind: string, value: string): string {
  if (value.length <= longest) return `${kind}:${value}`;
  return `${kind}#${createHash("sha256").update(value).digest("base64url")}`;
}

// JSON tells 1 from "1", and a key from its value.
const metadataTerm = (key: string, value: unknown): string =>
  term("m", `${JSON.stringify(key)}=${JSON.stringify(value)}`);

export function termsOf(session: NewSession): Set<string> {
  const terms = new Set([term("c", session.cwd)]);
  if (session.lineage !== undefined) terms.add(term("p", session.lineage.parentId));
  for (const id of session.agentSessionIds) terms.add(term("a", id));
  for (const [key, value] of Object.entries(session.metadata)) terms.add(metadataTerm(key, value));
  return terms;
}

/** A session matches when it has all of them. */
export function termsAsked(filter: SessionFilter): string[] {
  const { cwd, parentId, agentSessionId, metadata = {} } = filter;
  const terms = Object.entries(metadata).map(([key, value]) => metadataTerm(key, value));
  if (cwd !== undefined) terms.push(term("c", cwd));
  if (parentId !== undefined) terms.push(term("p", parentId));
  if (agentSessionId !== undefined) terms.push(term("a", agentSessionId));
  return terms;
}
