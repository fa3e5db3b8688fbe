/** Answering in order: what the agent sends behind an answer reaches the client behind that answer. */
import type { RequestContext } from "../../rpc/endpoint.ts";
import type { LiveSession } from "./session.ts";

/**
 * Runs `finish` in the session's lane when everything before it has reached the client; what comes after
 * waits until its answer has been written.
 */
export function answerInOrder<T>(
  live: LiveSession,
  request: RequestContext,
  finish: () => Promise<T>,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    void live.outbound(async () => {
      await finish().then(resolve, reject);
      await request.answered;
    });
  });
}
