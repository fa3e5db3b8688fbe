/** Session ids, ours and the agent's, in what is neither an update nor plain params. */
import { isRecord } from "../base/json.ts";

/** A result with the sessions that it names, itself or in a list, named as the other side knows them. */
export function withSessionIds(
  result: unknown,
  sessionIdOf: (sessionId: string) => string | undefined,
): unknown {
  const named = withSessionId(result, sessionIdOf);
  if (!isRecord(named) || !Array.isArray(named.sessions)) return named;
  return { ...named, sessions: named.sessions.map((each: unknown) => withSessionId(each, sessionIdOf)) };
}

function withSessionId(value: unknown, sessionIdOf: (sessionId: string) => string | undefined): unknown {
  if (!isRecord(value) || typeof value.sessionId !== "string") return value;
  const sessionId = sessionIdOf(value.sessionId);
  return sessionId === undefined ? value : { ...value, sessionId };
}
