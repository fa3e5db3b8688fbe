/** What a value of an option may be, in words: for error messages and help. */
import { principalAllowed } from "../base/principal-name.ts";
import type { OptionKind } from "./option-kinds.ts";
import { formatBytes, formatDurationMs } from "./units.ts";

export function allowedBy(kind: OptionKind): string {
  switch (kind.type) {
    case "url":
      return "a store URL such as memory: or sqlite:/path/to/sessions.db, or in a file a list of two or more, the fastest first";
    case "path":
      return "the path of a file";
    case "key":
      return "file:PATH, env:NAME or command:PROGRAM";
    case "keys":
      return "one such as file:PATH, env:NAME or command:PROGRAM, or in a file a list of them";
    case "name":
      return principalAllowed;
    case "names":
      return `${principalAllowed}, or in a file a list of them`;
    case "choice":
      return kind.values.join(", ");
    case "count":
      return `a whole number from ${kind.min} to ${kind.max}`;
    case "size":
      return `bytes, or a size like 64KiB, from ${formatBytes(kind.min)} to ${formatBytes(kind.max)}`;
    case "duration":
      return `a time like 90s, 5m or 1h, from ${span(kind)}`;
    case "optionalDuration":
      return `off, or a time like 12h or 30d, from ${span(kind)}`;
  }
}

function span({ min, max }: { readonly min: number; readonly max: number }): string {
  return `${formatDurationMs(min)} to ${formatDurationMs(max)}`;
}
