/**
 * Memory that large messages leave behind. V8 lets its heap double before it looks for garbage, so several dead copies
 * of a message of 30 MB stay. Whoever has handled such a message may say that now is the time to look.
 */
import { createRequire } from "node:module";
import type * as V8 from "node:v8";
import type * as Vm from "node:vm";

/** Below that it is not worth a look. */
const largeChars = 8 << 20;

let collect: (() => void) | undefined;

/**
 * Frees what handling so many characters has left behind. Does nothing where they are few, or the platform cannot.
 * @param kept entries whose texts were put together: each is made one piece first, so that its parts are left behind, too
 */
export function tidyUp(chars: number, kept: readonly { readonly data: string }[] = []): void {
  if (chars < largeChars) return;
  // V8 joins the parts of a text when one of its characters is asked for.
  for (const { data } of kept) data.charCodeAt(0);
  collect ??= collector();
  collect();
}

/** V8's own, which a flag makes known to contexts that are made after it. */
function collector(): () => void {
  try {
    const require = createRequire(import.meta.url);
    (require("node:v8") as typeof V8).setFlagsFromString("--expose-gc");
    const found: unknown = (require("node:vm") as typeof Vm).runInNewContext("gc");
    if (typeof found === "function") return found as () => void;
  } catch {
    // Not V8, or not allowed.
  }
  return () => undefined;
}
