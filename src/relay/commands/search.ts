import { SidecarError } from "../../base/errors.ts";
import type { FoundSession, Hit } from "../../history/search/hits.ts";
import { plainSnippet } from "../../history/search/snippet.ts";
import type { RelayContext } from "../context.ts";
import type { LiveSession } from "../live/session.ts";
import { asCode } from "./shown.ts";

/** What a person looks through in an editor. */
const limit = 10;

export async function search(
  { searching }: RelayContext,
  live: LiveSession,
  words: string,
  signal: AbortSignal,
): Promise<string> {
  if (words === "") throw new SidecarError("INVALID_PARAMS", "Say what to look for: `/sidecar search WORDS`");
  const found = await live.whileHeld(searching.search(words, { limit }, { signal, by: live.id }));
  if (found.sessions.length === 0) return "Nothing was found.";
  const more = found.isMore ? ["", "There is more: `acp-sidecar search` shows all of it."] : [];
  return [...found.sessions.flatMap(linesOf), ...more].join("\n");
}

function linesOf({ title, id, agent, updatedAtMs, hits }: FoundSession): string[] {
  const day = new Date(updatedAtMs).toISOString().slice(0, 10);
  const about = [day, ...(agent === undefined ? [] : [asCode(agent)])].join(", ");
  return [`- ${asCode(title ?? id)} (${about})`, ...hits.map(hitLine)];
}

function hitLine({ address, role, snippet }: Hit): string {
  return `  - \`${address}\` ${role}: ${asCode(plainSnippet(snippet))}`;
}
