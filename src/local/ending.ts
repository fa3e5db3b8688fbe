/** Processes of this machine are told to end: a session, or all that they do. */
import type { Surroundings } from "../config/paths.ts";
import { processSpace } from "../base/process.ts";
import { endIn, type EndParams } from "./answers.ts";
import { ask } from "./client.ts";
import { placesOf } from "./machine.ts";

/** A cancelled turn may go on for --cancel-grace, which is at most an hour. */
const longestEndMs = 3_700_000;

/**
 * Asks whoever holds a session, if it is a process of ours on this machine, to end it in order. False where it is none,
 * does not answer, or does not have the session any more.
 */
export async function askedHolder(
  { host, pid }: { readonly host: string; readonly pid: number },
  sessionId: string,
  env: Surroundings["env"],
): Promise<boolean> {
  if (host !== processSpace()) return false;
  return (await tellToEnd(pid, { sessionId }, env)).includes("ended");
}

/** What its endpoints say; those that do not answer say nothing. */
export async function tellToEnd(
  pid: number,
  params: EndParams,
  env: Surroundings["env"],
): Promise<readonly string[]> {
  const question = { method: "end", params, timeoutMs: longestEndMs };
  const asked = placesOf(pid, env).map(({ path }) => ask(path, question, endIn));
  return (await Promise.all(asked)).flatMap((each) =>
    each.kind === "answered" ? [each.answer.outcome] : [],
  );
}
