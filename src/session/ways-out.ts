/** What can be done about a session that others have, in the words of where it is shown: an editor has other ways than a shell. */
import type { SidecarError } from "../base/errors.ts";

/** Where failures are shown: by an ACP client, or to whoever asks by a command or over HTTP. */
export type Front = "editor" | "request";

/** The failure in one line, with what can be done about it there. */
export function withWaysOut(error: SidecarError, front: Front): string {
  const way = wayOut(error, front === "editor");
  return way === undefined ? error.message : `${error.message}; ${way}`;
}

/** From the facts that every store tells. Nothing that could be done about it is known of any other failure than these. */
function wayOut({ code, data }: SidecarError, isEditor: boolean): string | undefined {
  const { sessionId, holder, needs } = data;
  // Who may not write in it any more does not get it back by asking.
  if (code === "LEASE_LOST" && needs === undefined)
    return isEditor ? "load it again to take it back" : "ask again when it is free";
  if (code !== "SESSION_BUSY" || holder === undefined) return undefined;
  return isEditor
    ? "end it there, or start with --on-busy takeover"
    : `wait for it, or end it there: acp-sidecar sessions end ${String(sessionId)}`;
}
