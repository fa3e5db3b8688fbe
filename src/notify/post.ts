/** An address that is told something: it has taken it when it answers with 2xx. */
import { systemCodeOf } from "../base/errors.ts";
import { version } from "../base/version.ts";

export interface PostOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The same each time: whoever has had it knows it by this. */
  readonly id: string;
  readonly body: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const mostRedirects = 3;

/** Why it has not taken it; undefined if it has. Nothing of the address is in the reason, because it may be secret. */
export async function postJson({
  url,
  timeoutMs,
  signal,
  ...options
}: PostOptions): Promise<string | undefined> {
  const until = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  try {
    return await post(new URL(url), options, until, mostRedirects);
  } catch (error) {
    if (signal.aborted) return "was given up, because we end";
    if (until.aborted) return `no answer within ${timeoutMs} ms`;
    return `cannot be reached (${codeOf(error)})`;
  }
}

async function post(
  url: URL,
  options: Pick<PostOptions, "headers" | "id" | "body">,
  signal: AbortSignal,
  redirects: number,
): Promise<string | undefined> {
  const { headers, id, body } = options;
  const answer = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "user-agent": `acp-sidecar/${version}`,
      "idempotency-key": id,
      ...headers,
    },
    body,
    redirect: "manual",
    signal,
  });
  await answer.body?.cancel();
  if (answer.ok) return undefined;
  if (answer.status !== 307 && answer.status !== 308) return `answered ${answer.status}`;
  const there = new URL(answer.headers.get("location") ?? "", url);
  // What is told, and the headers with it, is for the host that was named.
  if (there.origin !== url.origin) return "redirects to another host, which is not followed";
  return redirects === 0 ? "redirects again and again" : post(there, options, signal, redirects - 1);
}

function codeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return systemCodeOf(cause) ?? systemCodeOf(error) ?? "unknown";
}
