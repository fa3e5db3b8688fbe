/** The refusals that every store words alike. */
import { SidecarError } from "../base/errors.ts";
import type { SessionId } from "../base/ids.ts";
import type { Holder, LeaseState } from "./contract.ts";

export function sessionNotFound(id: string): SidecarError {
  return new SidecarError("SESSION_NOT_FOUND", `No session ${id}`, { data: { sessionId: id } });
}

export function sessionExists(id: SessionId): SidecarError {
  return new SidecarError("SESSION_EXISTS", `Session ${id} exists already`, { data: { sessionId: id } });
}

/** `current` is who holds the session now, if anybody does. */
export function leaseLost(id: SessionId, current: LeaseState | undefined): SidecarError {
  const who =
    current === undefined ? "was taken over and let go again" : `is held by ${holderName(current.holder)}`;
  return new SidecarError("LEASE_LOST", `Session ${id} ${who}`, {
    data: { sessionId: id, ...holderData(current) },
  });
}

export function sessionBusy(id: SessionId, current: LeaseState): SidecarError {
  const doing = current.turnRunning ? " with a turn running" : "";
  return new SidecarError("SESSION_BUSY", `Session ${id} is held by ${holderName(current.holder)}${doing}`, {
    data: { sessionId: id, turnRunning: current.turnRunning, ...holderData(current) },
  });
}

export function journalConflict(id: SessionId, expected: number, found: number): SidecarError {
  return new SidecarError(
    "STORE_CONFLICT",
    `Session ${id} ends at entry ${found}, not at ${expected} as its writer believes; load it again`,
    { data: { sessionId: id, expected, found } },
  );
}

/** `sealedSeq` is what is final already; entries up to there cannot be replaced. */
export function alreadySealed(id: SessionId, from: number, sealedSeq: number): SidecarError {
  return new SidecarError(
    "STORE_CONFLICT",
    `Session ${id} is final up to entry ${sealedSeq}; entry ${from} cannot be replaced`,
    { data: { sessionId: id, from, sealedSeq } },
  );
}

export function forkBeyondSealed(parentId: SessionId, atSeq: number, sealedSeq: number): SidecarError {
  return new SidecarError(
    "STORE_CONFLICT",
    `Session ${parentId} is final up to entry ${sealedSeq}; it cannot be forked at entry ${atSeq}`,
    { data: { sessionId: parentId, atSeq, sealedSeq } },
  );
}

/** A store of a version that this program does not know. `what` is told with its place. */
export function storeNewer(what: string, found: number, known: number): SidecarError {
  return new SidecarError(
    "STORE_SCHEMA_NEWER",
    `${what} was written by a newer acp-sidecar (version ${found}, this one knows ${known}); update acp-sidecar`,
    { data: { found, known } },
  );
}

/** Up to `baseSeq` they are inherited, up to `sealedSeq` final. */
export function notRewritable(
  id: SessionId,
  { from, through }: { readonly from: number; readonly through: number },
  { baseSeq, sealedSeq }: { readonly baseSeq: number; readonly sealedSeq: number },
): SidecarError {
  return new SidecarError(
    "STORE_CONFLICT",
    `Entries ${from} to ${through} of session ${id} cannot be rewritten: its own that are final are ${baseSeq + 1} to ${sealedSeq}`,
    { data: { sessionId: id, from, through, baseSeq, sealedSeq } },
  );
}

export function cannotRewrite(name: string): SidecarError {
  return new SidecarError(
    "STORE_UNSUPPORTED",
    `The ${name} store cannot rewrite entries; move its sessions with acp-sidecar migrate to one that can`,
  );
}

export function storeClosed(name: string): SidecarError {
  return new SidecarError("STORE_CLOSED", `The ${name} store is closed`);
}

function holderName(holder: Holder): string {
  return `process ${holder.pid} on ${holder.host.split("/", 1)[0]}`;
}

function holderData(lease: LeaseState | undefined) {
  if (lease === undefined) return {};
  const { host, pid } = lease.holder;
  return { holder: { host, pid }, since: new Date(lease.sinceMs).toISOString() };
}

/** A reader has been given entries that a seal has replaced since: what follows would not fit them. */
export function sealedWhileRead(id: SessionId): SidecarError {
  return new SidecarError(
    "STORE_CONFLICT",
    `Session ${id} was sealed while its running turn was read; read it again`,
    { data: { sessionId: id } },
  );
}
