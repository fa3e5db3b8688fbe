/** What somebody is told who may not. Of a session that is not there for them they are told nothing. */
import { SidecarError } from "../../base/errors.ts";
import type { Permission } from "./permissions.ts";

const doing: Readonly<Record<Permission | "own", string>> = {
  read: "read it",
  prompt: "change it",
  decide: "decide permissions in it",
  export: "take it along",
  delete: "delete it",
  own: "share or end it",
};

export function forbidden(sessionId: string, needs: Permission | "own"): SidecarError {
  const who = needs === "own" ? "only its owner and admins may" : `ask its owner to share it with "${needs}"`;
  return new SidecarError("FORBIDDEN", `You may read session ${sessionId}, but not ${doing[needs]}: ${who}`, {
    data: { sessionId, needs },
  });
}

export function mayNotMake(): SidecarError {
  return new SidecarError("FORBIDDEN", "The token in use does not allow to make sessions here", {
    data: { needs: "prompt" },
  });
}

/** Of a session that is held: said so that it is let go. */
export function noLongerLent(sessionId: string): SidecarError {
  return new SidecarError("LEASE_LOST", `Session ${sessionId} is no longer shared with you for writing`, {
    data: { sessionId },
  });
}
