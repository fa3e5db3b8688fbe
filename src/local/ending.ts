/** Processes of this machine are told to end: a session, or all that they do. */
import type { Surroundings } from "../config/paths.ts";
import { processSpace } from "../base/process.ts";
import { pause } from "../base/time.ts";
import { endIn, type EndAnswer, type EndParams } from "./answers.ts";
import { ask, type Asked } from "./client.ts";
import { placesOf } from "./machine.ts";

/** A cancelled turn may go on for --cancel-grace, which is at most an hour. */
const longestEndMs = 3_700_000;
/** Meanwhile it says that it is there. One that takes longer to, so many times in a row, is stopped, or hangs. */
const [answerMs, mostSilences] = [2000, 3];

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

/** What its endpoints say, or that they say nothing; of those where nobody listens there is nothing. */
export async function tellToEnd(
  pid: number,
  params: EndParams,
  env: Surroundings["env"],
  waitMs = answerMs,
): Promise<readonly (EndAnswer["outcome"] | "silent")[]> {
  const asked = placesOf(pid, env).map(({ path }) => told(path, params, waitMs));
  return (await Promise.all(asked)).flatMap((each) => {
    if (each.kind === "answered") return [each.answer.outcome];
    return each.kind === "silent" ? ["silent" as const] : [];
  });
}

/** Waits for the end as long as the process is there at all. */
async function told(path: string, params: EndParams, waitMs: number): Promise<Asked<EndAnswer>> {
  const over = new AbortController();
  const { signal } = over;
  try {
    const end = ask(path, { method: "end", params, timeoutMs: longestEndMs, signal }, endIn);
    return await Promise.race([end, silence(path, waitMs, signal)]);
  } finally {
    over.abort();
  }
}

/** Settles when a process does not even say that it is there. */
async function silence(path: string, waitMs: number, signal: AbortSignal): Promise<{ kind: "silent" }> {
  for (let silences = 0; silences < mostSilences && !signal.aborted;) {
    const asked = await ask(path, { method: "status", timeoutMs: waitMs, signal }, () => true);
    silences = asked.kind === "silent" ? silences + 1 : 0;
    if (silences === 0) await pause(waitMs, signal);
  }
  return { kind: "silent" };
}
