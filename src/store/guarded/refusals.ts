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

/** @param byToken what is allowed may be less than its maker may do */
export function forbidden(sessionId: string, needs: Permission | "own", byToken = false): SidecarError {
  const ask = needs === "own" ? "only its owner and admins may" : `ask its owner to share it with "${needs}"`;
  const [who, help] = byToken
    ? ["The token in use allows to read", "use one with a wider scope, or an identity"]
    : ["You may read", ask];
  const message = `${who} session ${sessionId}, but not ${byToken ? "to " : ""}${doing[needs]}: ${help}`;
  return new SidecarError("FORBIDDEN", message, { data: { sessionId, needs } });
}

export function mayNotMake(): SidecarError {
  return new SidecarError("FORBIDDEN", "The token in use does not allow to make sessions here", {
    data: { needs: "prompt" },
  });
}

/** Whoever could write what is kept of a token could give themselves any rights. */
export function noToken(): SidecarError {
  return new SidecarError("FORBIDDEN", "A record does not become a token: tokens are made by themselves", {
    data: { needs: "own" },
  });
}

/** Of a session that is held: said so that it is let go. */
export function noLongerLent(sessionId: string): SidecarError {
  return new SidecarError("LEASE_LOST", `Session ${sessionId} is no longer shared with you for writing`, {
    data: { sessionId, needs: "prompt" },
  });
}
