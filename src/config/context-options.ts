/** Options about what sessions know of their files. */
import type { ContextNote } from "./config.ts";
import type { Option } from "./option-kinds.ts";

const onOff = ["on", "off"] as const;
const notes = ["off", "prompt", "load"] as const satisfies readonly ContextNote[];

export const contextOptions = {
  contextSnapshots: {
    key: "contextSnapshots",
    default: "on",
    kind: { type: "choice", values: onOff },
    help: "keep what a session knows of its files, without their contents, when a turn has ended",
  },
  contextNote: {
    key: "contextNote",
    default: "off",
    kind: { type: "choice", values: notes },
    help: "tell of files that changed by other hands: the agent before a prompt, or who loads a session",
  },
  contextWatch: {
    key: "contextWatch",
    default: "off",
    kind: { type: "choice", values: onOff },
    help: "with contextNote, watch folders of known files, and look before a prompt only where something happened",
  },
} as const satisfies Record<string, Option>;
