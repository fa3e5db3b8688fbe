/** `_acp-sidecar/search`: a method of our own, which finds what was said in all sessions without waking the agent. */
import { parseParams, searchParams, type SearchParams } from "../../acp/schema.ts";
import type { SessionId } from "../../base/ids.ts";
import type { FoundSession, Hit } from "../../history/search/hits.ts";
import type { SearchOptions } from "../../history/search/search.ts";
import type { RequestContext } from "../../rpc/endpoint.ts";
import type { RelayContext } from "../context.ts";

/** Errors: `INVALID_PARAMS`, `INVALID_QUERY`, `STORE_…`, `REQUEST_CANCELLED`. */
export async function search(
  { searching }: RelayContext,
  params: unknown,
  { signal }: RequestContext,
): Promise<unknown> {
  const { query, ...wanted } = parseParams(searchParams, "_acp-sidecar/search", params);
  const found = await searching.search(query, optionsOf(wanted), { signal });
  return { sessions: found.sessions.map(sessionOf), isMore: found.isMore };
}

type Wanted = Omit<SearchParams, "query">;

function optionsOf({
  cwd,
  agent,
  role,
  since,
  until,
  sessionId,
  archived,
  superseded,
  limit,
}: Wanted): SearchOptions {
  return {
    ...(cwd !== undefined && { cwd }),
    ...(agent !== undefined && { agent }),
    ...(role !== undefined && { role: role as NonNullable<SearchOptions["role"]> }),
    ...(since !== undefined && { sinceMs: Date.parse(since) }),
    ...(until !== undefined && { untilMs: Date.parse(until) }),
    ...(sessionId !== undefined && { in: sessionId as SessionId }),
    ...(archived !== undefined && { archived }),
    ...(superseded !== undefined && { superseded }),
    ...(limit !== undefined && { limit }),
  };
}

function sessionOf({ id, updatedAtMs, hits, ...session }: FoundSession): object {
  return { sessionId: id, ...session, updatedAt: timeOf(updatedAtMs), hits: hits.map(hitOf) };
}

function hitOf({ atMs, ...hit }: Hit): object {
  return { ...hit, at: timeOf(atMs) };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
