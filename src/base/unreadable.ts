/** Sessions that are there and cannot be read: lists tell them beside the others, so that one costs these nothing. */
import { isSidecarError, SidecarError } from "./errors.ts";
import type { SessionId } from "./ids.ts";

const codes = ["DECRYPT_FAILED", "STORE_CORRUPT"] as const;

export interface Unreadable {
  readonly id: SessionId;
  readonly updatedAtMs: number;
  readonly code: (typeof codes)[number];
}

interface Opened<T> {
  readonly items: readonly T[];
  readonly unreadable?: readonly Unreadable[];
}

/** What `open` makes of each, and which it cannot read. Errors: all others of `open`. */
export function eachReadable<S extends Pick<Unreadable, "id" | "updatedAtMs">, T>(
  found: readonly S[],
  open: (each: S, at: number) => T,
): Opened<T> {
  const items: T[] = [];
  const unreadable: Unreadable[] = [];
  for (const [at, each] of found.entries()) {
    try {
      items.push(open(each, at));
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      unreadable.push({ id: each.id, updatedAtMs: each.updatedAtMs, code: error.code });
    }
  }
  return unreadable.length === 0 ? { items } : { items, unreadable };
}

/** Whether a record is there that cannot be read. */
export function isUnreadable(error: unknown): error is SidecarError & Pick<Unreadable, "code"> {
  return isSidecarError(error, ...codes);
}

/** Those of several pages, each once, as members of the page that is made of them. */
export function unreadableIn(
  pages: readonly { readonly unreadable?: readonly Unreadable[] }[],
): Pick<Opened<unknown>, "unreadable"> {
  const all = pages.flatMap(({ unreadable = [] }) => unreadable);
  return all.length === 0 ? {} : { unreadable: [...new Map(all.map((each) => [each.id, each])).values()] };
}

/** What who needs that very session is told. */
export function cannotBeRead({ id, code }: Unreadable): SidecarError {
  const why =
    code === "DECRYPT_FAILED"
      ? "cannot be decrypted: it was changed or moved by other hands, or is not encrypted"
      : "is damaged";
  return new SidecarError(code, `Session ${id} ${why}; acp-sidecar verify tells what is left of it`, {
    data: { sessionId: id },
  });
}
