/** Flags that several commands have. */
import { SidecarError } from "../base/errors.ts";
import type { Flag, Invocation } from "./command.ts";

export const jsonFlag: Flag = { name: "json", help: "print JSON, for programs" };

export const colorFlag: Flag = {
  name: "color",
  value: "auto|always|never",
  help: "colours (default: auto, on a terminal)",
};

export const noPagerFlag: Flag = { name: "no-pager", help: "on a terminal, not through PAGER" };

export const quietFlag: Flag = { name: "quiet", help: "show no progress" };

export const deletionFlags: readonly Flag[] = [
  { name: "dry-run", help: "say what would be deleted, and delete nothing" },
  { name: "yes", help: "do not ask; needed where there is no terminal" },
];

/** Errors: `USAGE` where both forms of JSON are asked for. */
export function assertOneForm({ json, jsonl }: Invocation["flags"]): void {
  if (json && jsonl) throw new SidecarError("USAGE", "--json and --jsonl are two forms of the same; use one");
}
