/** The refusals for files that are not as they were written. */
import { SidecarError } from "../../base/errors.ts";
import type { SessionId } from "../../base/ids.ts";

const wayOut = "acp-sidecar verify --repair keeps all that is sound";

/** `seq` is the first entry that is lost. */
export function entryDamaged(id: SessionId, seq: number, file: string): SidecarError {
  return new SidecarError("STORE_CORRUPT", `Entry ${seq} of session ${id} is damaged (${file}); ${wayOut}`, {
    data: { sessionId: id, seq, file },
  });
}

export function sessionDamaged(id: SessionId, file: string): SidecarError {
  return new SidecarError("STORE_CORRUPT", `Session ${id} cannot be read: ${file} is damaged; ${wayOut}`, {
    data: { sessionId: id, file },
  });
}

/** Nothing is added behind damage, which might hide it. */
export function writeBehindDamage(id: SessionId, seq: number, file: string): SidecarError {
  return new SidecarError(
    "STORE_CORRUPT",
    `Session ${id} takes no writes, for ${file} is damaged behind entry ${seq}; ${wayOut}`,
    { data: { sessionId: id, seq, file } },
  );
}
