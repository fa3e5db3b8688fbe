/** The programs whose histories can be brought in. Each format is read by code of its own, loaded when it is asked for. */
import type { HistoryReader } from "./native.ts";

export interface Source {
  /** As people call it. */
  readonly title: string;
  readonly load: () => Promise<HistoryReader>;
}

export const sources = {
  claude: {
    title: "Claude Code",
    load: async () => (await import("./claude/reader.ts")).claude,
  },
  codex: {
    title: "Codex",
    load: async () => (await import("./codex/reader.ts")).codex,
  },
  gemini: {
    title: "Gemini CLI",
    load: async () => (await import("./gemini/reader.ts")).gemini,
  },
  opencode: {
    title: "opencode",
    load: async () => (await import("./opencode/reader.ts")).opencode,
  },
} as const satisfies Readonly<Record<string, Source>>;

export type SourceName = keyof typeof sources;

export function isSource(name: string): name is SourceName {
  return Object.hasOwn(sources, name);
}
