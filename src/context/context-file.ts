/** A file that an agent knows, as it is told to who asks. */
import type { Unread } from "./bounds.ts";
import type { KnownFile } from "./known-file.ts";

export interface ContextFile {
  readonly path: string;
  /** What the agent did with it last. */
  readonly how: "read" | "written";
  /**
   * Where the agent has it from: the disk, or an editor that had not saved it. `unknown`: it had been written to before it was
   * looked at; `nothing`: it was not there.
   */
  readonly from: "disk" | "buffer" | "unknown" | "nothing";
  /** Bytes on disk when it was looked at. */
  readonly size?: number;
  /** Of what the agent has of it, in hex, where that is known. */
  readonly sha256?: string;
  /** Why it is named and was not read. */
  readonly unread?: Unread;
}

export function fileOf(path: string, { how, disk, sha256, buffer, unread }: KnownFile): ContextFile {
  const state = typeof disk === "object" ? disk : undefined;
  const hash = sha256 ?? state?.sha256;
  const from = buffer ? "buffer" : disk === "absent" ? "nothing" : state === undefined ? "unknown" : "disk";
  return {
    path,
    how,
    from,
    ...(state !== undefined && { size: state.size }),
    ...(hash !== undefined && { sha256: hash }),
    ...(unread !== undefined && { unread }),
  };
}
