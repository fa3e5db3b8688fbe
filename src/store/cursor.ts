/** Opaque list cursors: the place of the last session of a page in the order of lists. */
import { SidecarError } from "../base/errors.ts";
import { isSessionId, type SessionId } from "../base/ids.ts";

/** Lists run by falling `updatedAtMs`, then falling `id`; a page goes on behind this place. */
export interface ListPlace {
  readonly updatedAtMs: number;
  readonly id: SessionId;
}

export function encodeCursor(place: ListPlace): string {
  return Buffer.from(`${place.updatedAtMs}.${place.id}`, "latin1").toString("base64url");
}

/** Errors: `INVALID_CURSOR`. */
export function decodeCursor(cursor: string): ListPlace {
  const [time, id] = Buffer.from(cursor, "base64url").toString("latin1").split(".");
  const updatedAtMs = Number(time);
  if (!time || !Number.isSafeInteger(updatedAtMs) || !isSessionId(id)) {
    throw new SidecarError(
      "INVALID_CURSOR",
      "The cursor is not one that this list gave out; start without it",
    );
  }
  return { updatedAtMs, id };
}

export const defaultPageSize = 50;

/** A page size within the contract's bounds. */
export function pageSize(limit: number | undefined): number {
  return Math.min(Math.max(Math.trunc(limit ?? defaultPageSize), 1), 1000);
}
